/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/tsc.h - time is a variable.
 */
#ifndef VIGIL_FAKE_X86_TSC_H
#define VIGIL_FAKE_X86_TSC_H

#include "lib/types.h"
#include "fake_hw.h"

static inline uint64_t rdtsc(void)
{
    uint64_t v = fake_tsc;

    fake_tsc += fake_tsc_step;
    return v;
}

static inline uint64_t rdtsc_ordered(void)
{
    return rdtsc();
}

#endif
