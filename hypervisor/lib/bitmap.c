/* SPDX-License-Identifier: MIT */
/*
 * lib/bitmap.c - fixed arrays of bits.
 */
#include "lib/bitmap.h"

#include "lib/bits.h"
#include "lib/string.h"

void bitmap_zero(uint64_t *map, unsigned int bits)
{
    memset(map, 0, BITMAP_WORDS((size_t)bits) * sizeof(*map));
}

void bitmap_set_range(uint64_t *map, unsigned int first, unsigned int count)
{
    for (; count > 0; count--, first++) {
        bitmap_set(map, first);
    }
}

void bitmap_clear_range(uint64_t *map, unsigned int first, unsigned int count)
{
    for (; count > 0; count--, first++) {
        bitmap_clear(map, first);
    }
}

/* Lowest bit that is set in (word ^ flip), at or after @from. */
static unsigned int find(const uint64_t *map, unsigned int bits,
                         unsigned int from, uint64_t flip)
{
    while (from < bits) {
        uint64_t word = map[from / BITMAP_WORD_BITS] ^ flip;
        unsigned int base = from - from % BITMAP_WORD_BITS;

        word &= ~0UL << (from % BITMAP_WORD_BITS);
        if (word != 0) {
            unsigned int bit = base + bit_lowest(word);

            return MIN(bit, bits);
        }
        if (base > UINT32_MAX - BITMAP_WORD_BITS) {
            break;
        }
        from = base + BITMAP_WORD_BITS;
    }
    return bits;
}

unsigned int bitmap_find_set(const uint64_t *map, unsigned int bits,
                             unsigned int from)
{
    return find(map, bits, from, 0);
}

unsigned int bitmap_find_clear(const uint64_t *map, unsigned int bits,
                               unsigned int from)
{
    return find(map, bits, from, ~0UL);
}

/* Without the POPCNT instruction, which not every processor has. */
static unsigned int popcount(uint64_t x)
{
    x -= (x >> 1) & 0x5555555555555555UL;
    x = (x & 0x3333333333333333UL) + ((x >> 2) & 0x3333333333333333UL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
    return (unsigned int)((x * 0x0101010101010101UL) >> 56);
}

unsigned int bitmap_count(const uint64_t *map, unsigned int bits)
{
    unsigned int words = bits / BITMAP_WORD_BITS;
    unsigned int count = 0;

    for (unsigned int i = 0; i < words; i++) {
        count += popcount(map[i]);
    }
    if (bits % BITMAP_WORD_BITS != 0) {
        count += popcount(map[words] & MASK_BITS(bits % BITMAP_WORD_BITS));
    }
    return count;
}
