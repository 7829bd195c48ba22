/* SPDX-License-Identifier: MIT */
/*
 * mm/boot_alloc.h - memory for tables before the page allocator stands.
 *
 * Takes the highest free RAM: below 4 GiB (the part head.S maps) until
 * hvmap_init() has mapped the rest, anywhere after that, so that low memory
 * is left for devices.  What it hands out is never freed and stays RESERVED
 * in the frame table.  Running out is fatal: nothing can work without.
 */
#ifndef VIGIL_MM_BOOT_ALLOC_H
#define VIGIL_MM_BOOT_ALLOC_H

#include "lib/compiler.h"
#include "lib/frames.h"

/**
 * boot_alloc_pages() - contiguous pages for good; contents not cleared
 * @count:       number of pages, not 0
 * @align_pages: alignment in pages, a power of two
 *
 * Context: boot, after the memmap is complete, before page_alloc_init().
 * Return:  machine address; panics when there is no such piece
 */
maddr_t boot_alloc_pages(uint64_t count, uint64_t align_pages);

/**
 * boot_alloc_below() - the same under an address limit
 * @count:       number of pages, not 0
 * @align_pages: alignment in pages, a power of two
 * @limit:       first machine address that is too high
 * @ret_maddr:   machine address
 *
 * Context: boot, before page_alloc_init().
 * Return:  0, -ENOMEM
 */
int boot_alloc_below(uint64_t count, uint64_t align_pages, maddr_t limit,
                     maddr_t *ret_maddr) MUST_CHECK;

/**
 * boot_alloc_lift_limit() - memory beyond 4 GiB is mapped now
 *
 * Context: boot; hvmap_init() calls it.
 */
void boot_alloc_lift_limit(void);

/**
 * boot_alloc_take_rest() - the n-th range nobody took
 * @idx:       from 0
 * @ret_start: machine address
 * @ret_end:   first address after it
 *
 * The first call ends boot_alloc: from then on it refuses to allocate.
 * Context: boot; page_alloc_init() calls it.
 * Return:  true, or false past the last one
 */
bool boot_alloc_take_rest(unsigned int idx, maddr_t *ret_start,
                          maddr_t *ret_end);

#endif
