/* SPDX-License-Identifier: MIT */
/*
 * x86/msr.h - read and write model-specific registers.
 */
#ifndef VIGIL_X86_MSR_H
#define VIGIL_X86_MSR_H

#include "lib/types.h"
#include "x86/fixup.h"
#include "x86/msr_index.h"

static inline uint64_t rdmsr(uint32_t index)
{
    uint32_t lo, hi;

    asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index));
    return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t index, uint64_t v)
{
    asm volatile("wrmsr"
                 :
                 : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
                 : "memory");
}

/* Read an MSR that may not exist: 0 and *@ret_v, or -1 when it faults. */
static inline int rdmsr_safe(uint32_t index, uint64_t *ret_v)
{
    uint32_t lo, hi;
    int rc;

    asm volatile(INSN_OR_FIXUP("rdmsr", "xor %%eax, %%eax; xor %%edx, %%edx")
                 : [rc] "=&r"(rc), "=a"(lo), "=d"(hi)
                 : "c"(index));
    *ret_v = (uint64_t)hi << 32 | lo;
    return rc;
}

/* Write an MSR that may refuse: 0, or -1 when it faults. */
static inline int wrmsr_safe(uint32_t index, uint64_t v)
{
    int rc;

    asm volatile(INSN_OR_FIXUP("wrmsr", "")
                 : [rc] "=&r"(rc)
                 : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
                 : "memory");
    return rc;
}

#endif
