/* SPDX-License-Identifier: MIT */
/*
 * sync/seqcount.h - data written by one, read by many without a lock.
 *
 * The writer makes the count odd, writes, makes it even.  A reader repeats
 * when the count was odd or has changed:
 *
 *     do {
 *         seq = seqcount_read_begin(&s);
 *         copy = shared;
 *     } while (seqcount_read_retry(&s, seq));
 *
 * Writers exclude each other by other means.  NMI context may not read with
 * a loop: the writer it interrupted cannot finish.  It uses
 * seqcount_try_read_begin() and gives up.
 */
#ifndef VIGIL_SYNC_SEQCOUNT_H
#define VIGIL_SYNC_SEQCOUNT_H

#include "lib/compiler.h"
#include "lib/types.h"

struct seqcount {
    uint32_t seq; /* a: odd while a write is going on */
};

/* MB(seqcount:A): odd before the data; pairs with seqcount:D. */
static inline void seqcount_write_begin(struct seqcount *s)
{
    uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_RELAXED);

    __atomic_store_n(&s->seq, seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* MB(seqcount:B): the data before even; pairs with seqcount:C. */
static inline void seqcount_write_end(struct seqcount *s)
{
    uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_RELAXED);

    __atomic_store_n(&s->seq, seq + 1, __ATOMIC_RELEASE);
}

/* MB(seqcount:C): the count before the data; pairs with seqcount:B. */
MUST_CHECK static inline uint32_t seqcount_read_begin(const struct seqcount *s)
{
    uint32_t seq;

    do {
        seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);
    } while (seq & 1);
    return seq;
}

/* One look, no loop: false if a write is going on. */
MUST_CHECK static inline bool seqcount_try_read_begin(const struct seqcount *s,
                                                      uint32_t *ret_seq)
{
    uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

    if (seq & 1) {
        return false;
    }
    *ret_seq = seq;
    return true;
}

/* MB(seqcount:D): the data before the second look; pairs with seqcount:A. */
MUST_CHECK static inline bool seqcount_read_retry(const struct seqcount *s,
                                                  uint32_t seq)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&s->seq, __ATOMIC_RELAXED) != seq;
}

#endif
