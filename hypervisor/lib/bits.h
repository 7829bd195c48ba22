/* SPDX-License-Identifier: MIT */
/*
 * lib/bits.h - masks, alignment, scans.
 */
#ifndef VIGIL_LIB_BITS_H
#define VIGIL_LIB_BITS_H

#include "lib/types.h"

#define BIT(n) (1UL << (n))
#define MASK_BITS(n) ((n) >= 64 ? ~0UL : (1UL << (n)) - 1)
#define ALIGN_UP(x, a) (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((a)-1)) == 0)
#define DIV_ROUND_UP(x, n) (((x) + (n)-1) / (n))

/* Index of the lowest set bit; @x must not be 0. */
static inline unsigned int bit_lowest(uint64_t x)
{
    return (unsigned int)__builtin_ctzll(x);
}

/* Index of the highest set bit; @x must not be 0. */
static inline unsigned int bit_highest(uint64_t x)
{
    return 63U - (unsigned int)__builtin_clzll(x);
}

/* How many bits are set. */
static inline unsigned int bit_count(uint64_t x)
{
    unsigned int n = 0;

    for (; x != 0; x &= x - 1) {
        n++;
    }
    return n;
}

/* Smallest order with (1 << order) >= @count; 0 for 0 and 1. */
static inline unsigned int order_of_count(uint64_t count)
{
    return count <= 1 ? 0 : bit_highest(count - 1) + 1;
}

#endif
