/* SPDX-License-Identifier: MIT */
/*
 * mm/page_alloc.h - buddy allocator of machine frames.
 *
 * Free frames are CLEAN (known zero) or DIRTY.  INV-MM-5: only clean frames
 * leave with PA_CLEAN; debug builds verify every byte before handing out.
 */
#ifndef VIGIL_MM_PAGE_ALLOC_H
#define VIGIL_MM_PAGE_ALLOC_H

#include "lib/bits.h"
#include "sync/spinlock.h"
#include "mm/frame.h"

#define MAX_ORDER 18

#define PA_CLEAN    0x1u /* zeroed frames (scrubs dirty ones on demand) */
#define PA_ANY_BITS 0    /* no limit on the machine address             */
#define PA_STOPS    0x100u /* with the bits of page_alloc_chain()       */

#define PAGE_ALLOC_STOPPED ((struct frame *)1UL)

/**
 * page_alloc() - take 2^order contiguous frames, aligned to their size
 * @order: 0 .. MAX_ORDER
 * @flags: 0 or PA_CLEAN
 * @bits:  machine addresses must fit in this many bits; PA_ANY_BITS: no limit
 *
 * Each frame becomes INUSE with count 1, owner DOMID_XEN, type 0.
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 * Return:  first frame, or NULL when no such block is left
 */
struct frame *page_alloc(unsigned int order, unsigned int flags,
                         unsigned int bits) MUST_CHECK;

/**
 * page_alloc_chain() - clean frames, linked with each other
 * @order: as for page_alloc()
 * @bits:  as for page_alloc(); and PA_STOPS
 *
 * Each frame becomes INUSE with count 1, owner DOMID_XEN, type 0; next and
 * prev are its neighbours, FRAME_NONE at the ends.
 *
 * To clean frames takes time: a tenth of a millisecond for 512, seconds on an
 * emulator that has translated old code in them.  With PA_STOPS it ends when a
 * softirq waits and 2 ms are over, after 16 frames or more; they are clean the
 * next time.  Not for orders above 9.
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 * Return:  first frame; NULL: no such block is left; PAGE_ALLOC_STOPPED: handle
 *          softirqs, and call it again
 */
struct frame *page_alloc_chain(unsigned int order,
                               unsigned int bits) MUST_CHECK;

/**
 * page_free() - give 2^order frames back; they become FREE and DIRTY
 * @f:     first frame; all INUSE (or OFFLINING) with count 0 or 1
 * @order: as allocated, or smaller pieces of it
 *
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 */
void page_free(struct frame *f, unsigned int order);

/**
 * hv_page_alloc() - one zeroed page for the hypervisor itself
 *
 * Context: any but NMI/#MC.
 * Return:  pointer in the direct map, or NULL
 */
void *hv_page_alloc(void) MUST_CHECK;

/**
 * hv_page_free() - give back what hv_page_alloc() returned
 * @p: page start, or NULL
 *
 * Context: any but NMI/#MC.
 */
void hv_page_free(void *p);

/**
 * page_alloc_init() - hand the usable RAM to the allocator
 *
 * Reads mm/memmap; skips what boot_alloc handed out.
 * Context: boot, once, after frame_table_init().
 */
void page_alloc_init(void);

/**
 * page_alloc_add() - hand kept RAM to the allocator
 * @start: first frame
 * @count: frames; those that are not RESERVED RAM are left alone
 *
 * For memory that boot needed: modules, loader information, init code.
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 */
void page_alloc_add(mfn_t start, uint64_t count);

/**
 * order_of_piece() - the largest block that may begin at a frame
 * @fn:    its number
 * @count: frames at most, 1 or more
 *
 * Context: any.
 * Return:  order; MAX_ORDER at most
 */
static inline unsigned int order_of_piece(uint64_t fn, uint64_t count)
{
    return MIN(MIN(bit_lowest(fn), bit_highest(count)), MAX_ORDER + 0U);
}

/**
 * page_alloc_exact() - contiguous frames, not a power of two
 * @count: frames, at most 2^MAX_ORDER
 *
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 * Return:  first frame, contents undefined; NULL.  Free with
 *          page_free_exact()
 */
struct frame *page_alloc_exact(uint64_t count) MUST_CHECK;

/**
 * page_free_exact() - give contiguous frames back
 * @f:     first frame
 * @count: frames, from page_alloc_exact()
 *
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 */
void page_free_exact(struct frame *f, uint64_t count);

/**
 * page_alloc_isolate() - take one FREE frame off the free lists
 * @f: frame; the caller holds heap_lock and has seen it FREE
 *
 * Its state is still FREE; the caller moves it.
 * Context: heap lock held (rank 40).
 */
void page_alloc_isolate(struct frame *f);

/**
 * page_alloc_return_locked() - put an OFFLINED frame on the free lists
 * @f: frame, not BROKEN; becomes FREE and dirty
 *
 * Context: heap lock held (rank 40).
 */
void page_alloc_return_locked(struct frame *f);

/**
 * page_alloc_scrub_some() - zero some dirty frames of the free lists
 * @frames: zero at most this many
 *
 * Context: any but NMI/#MC.  Takes the heap lock (rank 40).
 * Return:  true if dirty frames remain
 */
bool page_alloc_scrub_some(unsigned int frames);

/* Protects free lists and frame states; rank 40. */
extern struct spinlock heap_lock;

/**
 * page_alloc_is_up() - has page_alloc_init() run?
 *
 * Context: any.
 * Return:  true or false
 */
bool page_alloc_is_up(void);

struct page_alloc_stats {
    uint64_t free_frames; /* clean and dirty          */
    uint64_t dirty_frames;
    uint64_t total_frames; /* RAM frames known at boot */
};

/**
 * page_alloc_stats() - current totals
 * @ret_stats: filled in
 *
 * Context: any but NMI/#MC.
 */
void page_alloc_stats(struct page_alloc_stats *ret_stats);

#endif
