/* SPDX-License-Identifier: MIT */
/*
 * cpu/features.h - what this processor is and has.
 */
#ifndef VIGIL_CPU_FEATURES_H
#define VIGIL_CPU_FEATURES_H

#include "lib/types.h"
#include "x86/cpuid.h"

enum cpu_vendor { CPU_INTEL, CPU_AMD, CPU_OTHER };

struct cpu_features {
    enum cpu_vendor vendor;
    char vendor_id[13];
    uint32_t family, model, stepping;
    uint32_t max_leaf, max_ext_leaf;
    uint32_t l1_edx, l1_ecx, l7_ebx, l7_ecx, l7_edx, e1_edx, e1_ecx;
    uint32_t d1_eax, e7_edx, e8_ebx;
    unsigned int phys_bits;
    bool smep, smap, umip, fsgsbase, nx, page1gb, xsave, xsaveopt, mce, mca;
    bool tsc_adjust, x2apic, invariant_tsc, pge, rdtscp, lmce;
    uint64_t xcr0_mask;   /* state components we let guests use        */
    uint32_t xsave_bytes; /* size of an area for xcr0_mask             */
};

extern struct cpu_features cpu_features;

/**
 * features_init() - read CPUID; refuse processors that lack what we need
 *
 * Needs long mode, NX, SYSCALL, FXSR, APIC, MSR, TSC; panics with the name of
 * what is missing.
 * Context: boot, before anything uses cpu_features.
 */
void features_init(void);

/**
 * features_cpu_init() - set this CPU's CR0, CR4, EFER, PAT, XCR0
 *
 * CR4.MCE from here on.
 * Context: boot, once per CPU.
 */
void features_cpu_init(void);

/**
 * features_differ() - what does this CPU lack that the first one has?
 *
 * Guests move between CPUs, and Vigil does: they must be the same.
 * Context: boot, on each further CPU, before features_cpu_init().
 * Return:  in words; NULL: nothing
 */
const char *features_differ(void);

/* CR4 as the hypervisor runs with it (guest bits are or'ed in). */
extern uint64_t hv_cr4;

#endif
