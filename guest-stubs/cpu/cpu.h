/* SPDX-License-Identifier: MIT */
/*
 * cpu/cpu.h - the parts of the stub `cpu`.
 */
#ifndef VIGIL_STUBS_CPU_H
#define VIGIL_STUBS_CPU_H

#include "stub.h"

struct cpuid {
    uint32_t a, b, c, d;
};

/**
 * cpuid_forced() - CPUID by the hypervisor's sequence
 * @leaf:    eax
 * @subleaf: ecx
 *
 * Context: any.
 * Return:  the answer
 */
struct cpuid cpuid_forced(uint32_t leaf, uint32_t subleaf);

/**
 * cpuid_native() - the instruction alone
 * @leaf:    eax
 * @subleaf: ecx
 *
 * Context: any.
 * Return:  the answer, the processor's unless CPUID faults
 */
struct cpuid cpuid_native(uint32_t leaf, uint32_t subleaf);

/**
 * view_print() - one line for each leaf and MSR, for the test to compare
 *
 * Context: any but handlers.
 */
void view_print(void);

/**
 * state_check() - registers of user mode across switches
 * @rounds: how many times to sleep between
 *
 * Context: any but handlers; first of all, while no register was touched.
 */
void state_check(unsigned long rounds);

/**
 * domctl_check() - the control domain's calls on another's state and policy
 *
 * Context: any but handlers; Dom0 only.
 */
void domctl_check(void);

#endif
