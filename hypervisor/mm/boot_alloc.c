/* SPDX-License-Identifier: MIT */
/*
 * mm/boot_alloc.c - memory for tables before the page allocator stands.
 *
 * A small array of free ranges, copied from the memmap at the first call and
 * cut from the top.
 */
#include "mm/boot_alloc.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/memmap.h"

#define RANGE_MAX 256

struct free_range {
    maddr_t start, end;
};

static struct free_range ranges[RANGE_MAX] INIT_DATA;
static unsigned int range_count;
static maddr_t default_limit = 1UL << 32;
static bool is_started, is_over;

static INIT_TEXT void boot_alloc_start(void)
{
    struct memmap_region r;

    is_started = true;
    memmap_freeze();
    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if (r.type == MEMMAP_RAM && range_count < RANGE_MAX) {
            ranges[range_count].start = r.start;
            ranges[range_count].end = r.end;
            range_count++;
        }
    }
}

/* Remove [start, start + bytes) from ranges[idx], which contains it. */
static INIT_TEXT void range_cut(unsigned int idx, maddr_t start, uint64_t bytes)
{
    maddr_t end = ranges[idx].end;

    ranges[idx].end = start;
    if (start + bytes == end) {
        return;
    }
    if (range_count == RANGE_MAX) {
        return; /* the piece above is lost; hundreds of ranges are not real */
    }
    for (unsigned int i = range_count; i > idx + 1; i--) {
        ranges[i] = ranges[i - 1];
    }
    ranges[idx + 1].start = start + bytes;
    ranges[idx + 1].end = end;
    range_count++;
}

INIT_TEXT int boot_alloc_below(uint64_t count, uint64_t align_pages,
                               maddr_t limit, maddr_t *ret_maddr)
{
    uint64_t bytes = count << PAGE_SHIFT;

    BUG_ON(is_over || count == 0);
    if (!is_started) {
        boot_alloc_start();
    }
    for (unsigned int i = range_count; i > 0; i--) {
        const struct free_range *r = &ranges[i - 1];
        maddr_t end = MIN(r->end, limit), start;

        if (r->start >= end || end - r->start < bytes) {
            continue;
        }
        start = ALIGN_DOWN(end - bytes, align_pages << PAGE_SHIFT);
        if (start < r->start) {
            continue;
        }
        range_cut(i - 1, start, bytes);
        *ret_maddr = start;
        return 0;
    }
    return -ENOMEM;
}

INIT_TEXT maddr_t boot_alloc_pages(uint64_t count, uint64_t align_pages)
{
    maddr_t a;

    if (boot_alloc_below(count, align_pages, default_limit, &a) != 0) {
        panic("not enough memory: %lu KiB in one piece are needed to start",
              count << (PAGE_SHIFT - 10));
    }
    return a;
}

INIT_TEXT void boot_alloc_lift_limit(void)
{
    default_limit = ~0UL;
}

INIT_TEXT bool boot_alloc_take_rest(unsigned int idx, maddr_t *ret_start,
                                    maddr_t *ret_end)
{
    if (!is_started) {
        boot_alloc_start();
    }
    is_over = true;
    if (idx >= range_count) {
        return false;
    }
    *ret_start = ranges[idx].start;
    *ret_end = ranges[idx].end;
    return true;
}
