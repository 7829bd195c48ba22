/* SPDX-License-Identifier: MIT */
/*
 * mm/scrub.c - zero dirty frames: free ones while there is nothing else to do, a
 * block on its way out of the allocator at once.
 */
#include "mm/scrub.h"

#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "x86/atomic.h"
#include "x86/cr.h"
#include "x86/string_asm.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"

#define FRAMES_PER_STEP 16

/* To put a block back costs as much as to clean it, where that is quick. */
#define STOP_AFTER_NS  2000000ULL
#define ORDER_PER_LOOK 4

#define WORDS (PAGE_SIZE / sizeof(uint64_t))
#define STEP  128 /* words that are looked at before a branch */

/*
 * At boot the vector registers are nobody's yet, and Dom0 is given most of the
 * machine's memory then.
 */
static bool vectors_are_free;

void scrub_use_vectors(bool use)
{
    vectors_are_free = use;
    if (use) {
        clts();
    }
}

/*
 * Unrolled stores: string instructions cost an emulated processor more, and
 * vector registers are the guests' once there are any.  Through volatile, or the compiler makes
 * a call to memset() of it.
 */
static void zero_from(volatile uint64_t *w, const volatile uint64_t *end)
{
    for (; w < end; w += STEP) {
#pragma GCC unroll 128
        for (unsigned int i = 0; i < STEP; i++) {
            w[i] = 0;
        }
    }
}

/*
 * Look before writing: most memory of a machine just started is zero, and a
 * page nobody has written costs its host, if it has one, no memory until
 * somebody does.
 */
void scrub_page(mfn_t m)
{
    uint64_t *w = mfn_to_ptr(m);
    const uint64_t *end = w + WORDS;

    if (vectors_are_free && sse_all_zero(w, PAGE_SIZE)) {
        return;
    }
    for (; w < end; w += STEP) {
        uint64_t any = 0;

#pragma GCC unroll 128
        for (unsigned int i = 0; i < STEP; i++) {
            any |= w[i];
        }
        if (any != 0) {
            zero_from(w, end);
            return;
        }
    }
}

/* INV-MM-2: a frame that was believed to be clean is. */
static void verify_clean(struct frame *f)
{
#ifdef VIGIL_DEBUG
    const uint64_t *word = mfn_to_ptr(frame_mfn(f));

    for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*word); i += 8) {
        if (unlikely((word[i] | word[i + 1] | word[i + 2] | word[i + 3] |
                      word[i + 4] | word[i + 5] | word[i + 6] | word[i + 7]) !=
                     0)) {
            panic("clean frame %#lx is not, near offset %#x", mfn_x(frame_mfn(f)),
                  i * 8);
        }
    }
#else
    (void)f;
#endif
}

void scrub_block(struct frame *f, unsigned int order, bool clean)
{
    for (uint64_t i = 0; i < BIT(order); i++) {
        if ((f[i].flags & FRAME_F_DIRTY) != 0) {
            /* In use: it may be found broken at this moment. */
            frame_flags_clear(&f[i], FRAME_F_DIRTY);
            if (clean) {
                scrub_page(frame_mfn(&f[i]));
            }
        } else if (clean) {
            verify_clean(&f[i]);
        }
    }
}

bool scrub_block_or_stop(struct frame *f, unsigned int order)
{
    unsigned int step = MIN(order, ORDER_PER_LOOK + 0U);
    uint64_t start_ns = clock_now_ns();

    for (uint64_t i = 0; i < BIT(order); i += BIT(step)) {
        uint64_t dirty = scrub_count_dirty(mfn_x(frame_mfn(&f[i])), step);

        scrub_block(&f[i], step, true);
        if (dirty != 0 && i + BIT(step) < BIT(order) && softirq_pending() &&
            clock_now_ns() - start_ns > STOP_AFTER_NS) {
            return false;
        }
    }
    return true;
}

bool scrub_idle_step(void)
{
    static uint32_t busy; /* atomic */
    bool more = true;

    /* One CPU at a time: more would wait for each other's heap lock. */
    if (!atomic_cas(&busy, 0U, 1U)) {
        return false;
    }
    /* A frame takes half a microsecond; whoever wakes waits for no more. */
    for (unsigned int i = 0; i < FRAMES_PER_STEP && more && !softirq_pending();
         i++) {
        more = page_alloc_scrub_some(1);
    }
    atomic_store(&busy, 0U);
    return more;
}
