/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/cpuid.h - scripted processor identification.
 */
#ifndef VIGIL_FAKE_X86_CPUID_H
#define VIGIL_FAKE_X86_CPUID_H

#include "lib/types.h"
#include "fake_hw.h"

struct cpuid_regs {
    uint32_t a, b, c, d;
};

static inline struct cpuid_regs cpuid_count(uint32_t leaf, uint32_t subleaf)
{
    uint32_t v[4];

    fake_cpuid_read(leaf, subleaf, v);
    return (struct cpuid_regs){v[0], v[1], v[2], v[3]};
}

static inline struct cpuid_regs cpuid(uint32_t leaf)
{
    return cpuid_count(leaf, 0);
}

#endif
