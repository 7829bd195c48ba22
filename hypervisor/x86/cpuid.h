/* SPDX-License-Identifier: MIT */
/*
 * x86/cpuid.h - the CPUID instruction.
 */
#ifndef VIGIL_X86_CPUID_H
#define VIGIL_X86_CPUID_H

#include "lib/types.h"

struct cpuid_regs {
    uint32_t a, b, c, d;
};

static inline struct cpuid_regs cpuid_count(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;

    asm volatile("cpuid"
                 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                 : "a"(leaf), "c"(subleaf));
    return r;
}

static inline struct cpuid_regs cpuid(uint32_t leaf)
{
    return cpuid_count(leaf, 0);
}

#endif
