/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/invlpg.h - TLB flushes are counted.
 */
#ifndef VIGIL_FAKE_X86_INVLPG_H
#define VIGIL_FAKE_X86_INVLPG_H

#include "x86/cr.h"
#include "fake_hw.h"

static inline void invlpg(uint64_t va)
{
    (void)va;
    fake_tlb_flushes++;
}

static inline void tlb_flush_local(void)
{
    fake_tlb_flushes++;
}

static inline void tlb_flush_local_global(void)
{
    fake_tlb_flushes++;
}

#endif
