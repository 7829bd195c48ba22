/* SPDX-License-Identifier: MIT */
/*
 * sync/refcount.h - counts of holders that saturate instead of wrapping.
 *
 * For objects other than frames (which have their own count in mm/frame.h).
 * A count that reaches the ceiling stays there: the object leaks, which is
 * harmless, instead of being freed while in use, which is not.
 * No lock; usable in any context.
 */
#ifndef VIGIL_SYNC_REFCOUNT_H
#define VIGIL_SYNC_REFCOUNT_H

#include "lib/assert.h"
#include "lib/types.h"

#define REFCOUNT_SATURATED 0x80000000U

struct refcount {
    uint32_t count; /* a */
};

static inline void refcount_init(struct refcount *ref, uint32_t count)
{
    __atomic_store_n(&ref->count, count, __ATOMIC_RELAXED);
}

static inline uint32_t refcount_read(const struct refcount *ref)
{
    return __atomic_load_n(&ref->count, __ATOMIC_RELAXED);
}

/* Take a further reference; the caller holds one already. */
static inline void refcount_get(struct refcount *ref)
{
    uint32_t was = __atomic_fetch_add(&ref->count, 1, __ATOMIC_RELAXED);

    BUG_ON(was == 0);
    if (unlikely(was >= REFCOUNT_SATURATED)) {
        __atomic_store_n(&ref->count, REFCOUNT_SATURATED, __ATOMIC_RELAXED);
    }
}

/* Take a reference unless the last one has gone; false: it has. */
MUST_CHECK static inline bool refcount_get_unless_zero(struct refcount *ref)
{
    uint32_t was = __atomic_load_n(&ref->count, __ATOMIC_RELAXED);

    do {
        if (was == 0) {
            return false;
        }
        if (unlikely(was >= REFCOUNT_SATURATED)) {
            return true;
        }
    } while (!__atomic_compare_exchange_n(&ref->count, &was, was + 1, true,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

/* Drop a reference; true: that was the last one, the caller frees. */
MUST_CHECK static inline bool refcount_put(struct refcount *ref)
{
    uint32_t was = __atomic_load_n(&ref->count, __ATOMIC_RELAXED);

    do {
        BUG_ON(was == 0);
        if (unlikely(was >= REFCOUNT_SATURATED)) {
            return false;
        }
        /* Release: our writes are seen by whoever frees; acquire: theirs. */
    } while (!__atomic_compare_exchange_n(&ref->count, &was, was - 1, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return was == 1;
}

#endif
