/* SPDX-License-Identifier: MIT */
/*
 * dev/numa_memory.c - RAM and free frames of each node.
 *
 * A block of frames may lie in several nodes, or partly in none: what no range
 * of the SRAT names belongs to node 0, as everywhere.
 */
#include "dev/numa_memory.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "mm/page_count.h"
#include "dev/numa.h"

static uint64_t total[NUMA_NODES_MAX];       /* c                           */
static uint64_t free_frames[NUMA_NODES_MAX]; /* heap lock; read by anybody  */

/* Add or subtract the frames [fn, fn + frames) at their nodes. */
static void split(uint64_t *by_node, uint64_t fn, uint64_t frames, bool add)
{
    uint64_t left = frames, end = fn + frames;
    struct numa_range r;

    for (unsigned int i = 0; left != 0 && numa_range(i, &r); i++) {
        uint64_t from = MAX(fn, r.start >> PAGE_SHIFT);
        uint64_t to = MIN(end, r.end >> PAGE_SHIFT);

        if (from < to) {
            by_node[r.node] += add ? to - from : from - to;
            left -= to - from;
        }
    }
    by_node[0] += add ? left : -left;
}

static void count(uint64_t fn, uint64_t frames, bool freed)
{
    split(free_frames, fn, frames, freed);
}

/* What is free already, block by block. */
static void count_free_now(void)
{
    uint64_t fn = 0;

    while (fn < max_frame) {
        const struct frame *f = &frame_table[fn];
        uint64_t frames = 1;

        if (f->state == FRAME_FREE && (f->flags & FRAME_F_HEAD) != 0) {
            frames = BIT(f->order);
            count(fn, frames, true);
        }
        fn += frames;
    }
}

void numa_memory_init(void)
{
    struct memmap_region r;

    memset(total, 0, sizeof(total));
    memset(free_frames, 0, sizeof(free_frames));
    page_count_fn = NULL;
    if (numa_node_count() == 1) {
        return;
    }
    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if (r.type == MEMMAP_RAM || r.type == MEMMAP_KEPT) {
            split(total, r.start >> PAGE_SHIFT, (r.end - r.start) >> PAGE_SHIFT,
                  true);
        }
    }
    spin_lock(&heap_lock);
    count_free_now();
    page_count_fn = count;
    spin_unlock(&heap_lock);
}

void numa_memory(unsigned int node, uint64_t *ret_total, uint64_t *ret_free)
{
    if (numa_node_count() == 1) {
        struct page_alloc_stats all;

        page_alloc_stats(&all);
        *ret_total = all.total_frames;
        *ret_free = all.free_frames;
        return;
    }
    *ret_total = total[node];
    *ret_free = READ_ONCE(free_frames[node]);
}
