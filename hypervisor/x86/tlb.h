/* SPDX-License-Identifier: MIT */
/*
 * x86/tlb.h - translations of this CPU that no page table backs any more.
 *
 * Whoever removes or weakens a present guest entry marks this CPU; whoever
 * gives a frame a new use (another page type, another owner, the free list)
 * synchronises first.  So a burst of updates costs one flush at most, and
 * none when the guest flushes anyway.  There are no global guest pages and no
 * PCIDs: each load of CR3 is a full flush.
 */
#ifndef VIGIL_X86_TLB_H
#define VIGIL_X86_TLB_H

#include "x86/invlpg.h"
#include "x86/percpu.h"

/* A present entry was removed or weakened without a flush. */
static inline void tlb_mark_stale(void)
{
    this_cpu()->tlb_stale = 1;
}

/* Flush if a flush is owed: call before a frame gets a new use. */
static inline void tlb_sync(void)
{
    if (this_cpu()->tlb_stale) {
        this_cpu()->tlb_stale = 0;
        tlb_flush_local();
    }
}

/* Flush now, whatever is owed. */
static inline void tlb_flush_now(void)
{
    this_cpu()->tlb_stale = 0;
    tlb_flush_local();
}

#endif
