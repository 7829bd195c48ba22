/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/msr.h - scripted model-specific registers.
 */
#ifndef VIGIL_FAKE_X86_MSR_H
#define VIGIL_FAKE_X86_MSR_H

#include "lib/types.h"
#include "x86/msr_index.h"
#include "fake_hw.h"

static inline uint64_t rdmsr(uint32_t index)
{
    uint64_t v;

    if (!fake_msr_read(index, &v)) {
        fake_unexpected("fault on rdmsr", index);
    }
    return v;
}

static inline void wrmsr(uint32_t index, uint64_t v)
{
    if (!fake_msr_write(index, v)) {
        fake_unexpected("fault on wrmsr", index);
    }
}

static inline int rdmsr_safe(uint32_t index, uint64_t *ret_v)
{
    return fake_msr_read(index, ret_v) ? 0 : -1;
}

static inline int wrmsr_safe(uint32_t index, uint64_t v)
{
    return fake_msr_write(index, v) ? 0 : -1;
}

#endif
