/* SPDX-License-Identifier: MIT */
/*
 * cpu/percpu.h - set up a CPU's block (x86/percpu.h draws it).
 */
#ifndef VIGIL_CPU_PERCPU_H
#define VIGIL_CPU_PERCPU_H

#include "x86/percpu.h"

/* The first processor's block (boot/head.S). */
extern uint8_t bsp_block[CPU_BLOCK_BYTES];

/**
 * percpu_init() - fill in this CPU's struct cpu_block
 * @cpu: its number, below NR_CPUS
 *
 * Allocates nothing: the block is the stack the caller runs on.
 * Context: boot, first thing on each CPU.
 */
void percpu_init(cpu_t cpu);

/**
 * percpu_stack_contains() - is @addr on one of this CPU's stacks?
 * @addr: any address; 16 bytes from it are checked
 *
 * Context: any, dying included.
 * Return:  true when reading them cannot fault
 */
bool percpu_stack_contains(uint64_t addr);

#endif
