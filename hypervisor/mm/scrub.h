/* SPDX-License-Identifier: MIT */
/*
 * mm/scrub.h - zero dirty frames, when idle or when they are needed.
 */
#ifndef VIGIL_MM_SCRUB_H
#define VIGIL_MM_SCRUB_H

#include "lib/bits.h"
#include "mm/frame.h"

/**
 * scrub_page() - zero one frame through the direct map
 * @m: RAM frame that nobody uses
 *
 * Context: any.
 */
void scrub_page(mfn_t m);

/**
 * scrub_use_vectors() - may scrub_page() use the vector registers?
 * @use: true only while no guest owns them and this CPU alone is running
 *
 * Context: boot.  They have no value to keep before or after.
 */
void scrub_use_vectors(bool use);

/**
 * scrub_idle_step() - zero a few dirty free frames
 *
 * At most 16 frames (about 10 us), so an interrupt's work never waits long.
 * Context: idle loop, interrupts on; takes the heap lock (rank 40).
 * Return:  true if dirty frames remain
 */
bool scrub_idle_step(void);

/**
 * scrub_count_dirty() - how many of 2^order frames are DIRTY
 * @fn:    number of the first
 * @order: any
 *
 * Context: their owner, or with the heap lock.
 * Return:  so many
 */
static inline uint64_t scrub_count_dirty(uint64_t fn, unsigned int order)
{
    uint64_t count = 0;

    for (uint64_t i = fn; i < fn + BIT(order); i++) {
        count += (frame_table[i].flags & FRAME_F_DIRTY) != 0;
    }
    return count;
}

/**
 * scrub_block() - what was dirty is no longer noted; with @clean it is not dirty
 * @f:     first of 2^order frames, INUSE and the caller's
 * @order: any
 * @clean: they have to be zero; false: whatever they hold
 *
 * A debug build panics if one that was not dirty is not zero.
 * Context: any but NMI/#MC.
 */
void scrub_block(struct frame *f, unsigned int order, bool clean);

/**
 * scrub_block_or_stop() - the same, unless it takes long and a softirq waits
 * @f:     as above
 * @order: any
 *
 * Context: main stack, any but NMI/#MC.
 * Return:  true: all are clean; false: stopped after some, the others are DIRTY
 */
bool scrub_block_or_stop(struct frame *f, unsigned int order) MUST_CHECK;

#endif
