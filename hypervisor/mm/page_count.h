/* SPDX-License-Identifier: MIT */
/*
 * mm/page_count.h - a socket: who counts free frames by where they are.
 *
 * dev/numa_memory.c plugs in where there is more than one node.
 */
#ifndef VIGIL_MM_PAGE_COUNT_H
#define VIGIL_MM_PAGE_COUNT_H

#include "lib/compiler.h"
#include "lib/types.h"

/*
 * Frames [@fn, @fn + @frames) have become free, or are free no longer.  The
 * heap lock is held.
 */
typedef void page_counter(uint64_t fn, uint64_t frames, bool freed);

/* c: set at boot, before a second CPU runs; NULL: nobody counts */
extern page_counter *page_count_fn;

/**
 * page_count() - tell the counter, if there is one
 * @fn:     first frame
 * @frames: how many
 * @freed:  true: they are free now; false: no longer
 *
 * Context: mm/page_alloc.c, with the heap lock held.
 */
static inline void page_count(uint64_t fn, uint64_t frames, bool freed)
{
    if (unlikely(page_count_fn != NULL)) {
        page_count_fn(fn, frames, freed);
    }
}

#endif
