/* SPDX-License-Identifier: MIT */
/*
 * x86/invlpg.h - dropping translations of this CPU.
 */
#ifndef VIGIL_X86_INVLPG_H
#define VIGIL_X86_INVLPG_H

#include "x86/cr.h"

static inline void invlpg(uint64_t va)
{
    asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Drop every translation that is not global. */
static inline void tlb_flush_local(void)
{
    write_cr3(read_cr3());
}

/* Drop every translation, global ones too. */
static inline void tlb_flush_local_global(void)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 & ~CR4_PGE);
    write_cr4(cr4);
}

#endif
