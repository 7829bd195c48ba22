/* SPDX-License-Identifier: MIT */
/*
 * log/conring.c - the console's byte ring.
 *
 * One writer at a time (the holder of the sink lock); readers take no lock:
 * they copy, then look whether the writer has overtaken what they copied, and
 * if so begin again further on.  Positions are 32-bit and wrap; the size is a
 * power of two, so position modulo size stays right.
 */
#include "log/conring.h"

#include "lib/assert.h"

#define MASK       (CONRING_BYTES - 1)
#define READ_TRIES 8

STATIC_ASSERT((CONRING_BYTES & MASK) == 0, "ring size is a power of two");

/* Legend: s written by the holder of the sink lock; a atomic */
static char bytes[CONRING_BYTES]; /* s */
static uint32_t produced;         /* s, a: position after the newest byte */
static uint32_t cleared;          /* a: nothing before it is offered      */

void conring_put(const char *text, size_t len)
{
    uint32_t p = __atomic_load_n(&produced, __ATOMIC_RELAXED);

    for (; len > 0; len--) {
        bytes[p++ & MASK] = *text++;
        /*
         * MB(conring:A) pairs with conring:B.  Per byte: a reader that copied
         * the overwritten byte must see that the ring moved on.
         */
        __atomic_store_n(&produced, p, __ATOMIC_RELEASE);
    }
}

/* The oldest position still offered, given the newest. */
static uint32_t oldest(uint32_t p)
{
    uint32_t c = __atomic_load_n(&cleared, __ATOMIC_RELAXED);

    /* One byte less than the ring: the writer may be storing the next one. */
    return p - c > CONRING_BYTES - 1 ? p - (CONRING_BYTES - 1) : c;
}

size_t conring_read(char *buf, size_t size, bool incremental, uint32_t start,
                    uint32_t *ret_index)
{
    uint32_t at = 0;
    size_t n = 0;

    for (int tries = 0; tries < READ_TRIES; tries++) {
        uint32_t p = __atomic_load_n(&produced, __ATOMIC_ACQUIRE);

        at = oldest(p);
        /* A start before the oldest byte, or after the newest, is ignored. */
        if (incremental && start - at <= p - at) {
            at = start;
        }
        for (n = 0; n < size && at + n != p; n++) {
            buf[n] = bytes[(at + (uint32_t)n) & MASK];
        }
        /* MB(conring:B) the bytes before the second look. */
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        p = __atomic_load_n(&produced, __ATOMIC_RELAXED);
        if (p - at <= CONRING_BYTES - 1) {
            break;
        }
    }
    *ret_index = at + (uint32_t)n;
    return n;
}

void conring_clear(uint32_t index)
{
    uint32_t p = __atomic_load_n(&produced, __ATOMIC_ACQUIRE);
    uint32_t c = oldest(p);

    /* Only forward, and not past the newest byte. */
    if (index - c <= p - c) {
        __atomic_store_n(&cleared, index, __ATOMIC_RELAXED);
    }
}
