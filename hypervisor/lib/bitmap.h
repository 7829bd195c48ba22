/* SPDX-License-Identifier: MIT */
/*
 * lib/bitmap.h - fixed arrays of bits.
 *
 * Bit n lives in word n / 64, at n % 64, as in the Xen ABI's bitmaps on this
 * little-endian machine.  Not atomic: the owner guards the map.  Bits shared
 * with guests or NMI context use x86/atomic.h.
 */
#ifndef VIGIL_LIB_BITMAP_H
#define VIGIL_LIB_BITMAP_H

#include "lib/compiler.h"
#include "lib/types.h"

#define BITMAP_WORD_BITS   64
#define BITMAP_WORDS(bits) (((bits) + BITMAP_WORD_BITS - 1) / BITMAP_WORD_BITS)
/* Declare an array with room for @bits bits. */
#define BITMAP(name, bits) uint64_t name[BITMAP_WORDS(bits)]

static inline bool bitmap_test(const uint64_t *map, unsigned int bit)
{
    return (map[bit / BITMAP_WORD_BITS] >> (bit % BITMAP_WORD_BITS)) & 1;
}

static inline void bitmap_set(uint64_t *map, unsigned int bit)
{
    map[bit / BITMAP_WORD_BITS] |= 1UL << (bit % BITMAP_WORD_BITS);
}

static inline void bitmap_clear(uint64_t *map, unsigned int bit)
{
    map[bit / BITMAP_WORD_BITS] &= ~(1UL << (bit % BITMAP_WORD_BITS));
}

/**
 * bitmap_zero() - clear all bits of a map
 * @map:  the map
 * @bits: its size
 *
 * Context: any.
 * Return:  nothing.
 */
void bitmap_zero(uint64_t *map, unsigned int bits);

/**
 * bitmap_set_range() - set consecutive bits
 * @map:   the map
 * @first: lowest bit
 * @count: number of bits, may be 0
 *
 * Context: any.
 * Return:  nothing.
 */
void bitmap_set_range(uint64_t *map, unsigned int first, unsigned int count);

/**
 * bitmap_clear_range() - clear consecutive bits
 * @map:   the map
 * @first: lowest bit
 * @count: number of bits, may be 0
 *
 * Context: any.
 * Return:  nothing.
 */
void bitmap_clear_range(uint64_t *map, unsigned int first, unsigned int count);

/**
 * bitmap_find_set() - lowest set bit at or after @from
 * @map:  the map
 * @bits: its size
 * @from: where to begin
 *
 * Context: any.
 * Return:  bit number; @bits if there is none
 */
unsigned int bitmap_find_set(const uint64_t *map, unsigned int bits,
                             unsigned int from);

/**
 * bitmap_find_clear() - lowest clear bit at or after @from
 * @map:  the map
 * @bits: its size
 * @from: where to begin
 *
 * Context: any.
 * Return:  bit number; @bits if there is none
 */
unsigned int bitmap_find_clear(const uint64_t *map, unsigned int bits,
                               unsigned int from);

/**
 * bitmap_count() - number of set bits
 * @map:  the map
 * @bits: its size; bits of the last word beyond it do not count
 *
 * Context: any.
 * Return:  the number
 */
unsigned int bitmap_count(const uint64_t *map, unsigned int bits);

#endif
