/* SPDX-License-Identifier: MIT */
/*
 * mm/scrub.c - zero dirty free frames while there is nothing else to do.
 */
#include "mm/scrub.h"

#include "cpu/softirq.h"
#include "x86/atomic.h"
#include "x86/cr.h"
#include "x86/string_asm.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"

#define FRAMES_PER_STEP 16

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
