/* SPDX-License-Identifier: MIT */
/*
 * x86/tsc.h - the time stamp counter.
 */
#ifndef VIGIL_X86_TSC_H
#define VIGIL_X86_TSC_H

#include "lib/types.h"

/* Raw cycle count; not ordered against other instructions. */
static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

/* Cycle count, after every earlier load has completed. */
static inline uint64_t rdtsc_ordered(void)
{
    uint32_t lo, hi;

    asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

#endif
