/* SPDX-License-Identifier: MIT */
/*
 * lib/rangeset.h - a set of numbers as sorted, merged ranges.
 *
 * For what a domain may touch (ports, interrupts, memory frames) and for
 * memory maps.  Both ends of a range belong to it, so the whole 64-bit space
 * can be written.  The caller gives the array; a full array is an error of
 * the operation, never of the set, which stays as it was.
 *
 * Invariant: ranges ascend, do not overlap and do not touch.  No lock: the
 * owner of the set guards it.
 */
#ifndef VIGIL_LIB_RANGESET_H
#define VIGIL_LIB_RANGESET_H

#include "lib/compiler.h"
#include "lib/types.h"

struct range {
    uint64_t first;
    uint64_t last; /* inclusive */
};

struct rangeset {
    struct range *ranges; /* caller's array */
    unsigned int max;     /* its size       */
    unsigned int count;   /* ranges in use  */
};

/**
 * rangeset_init() - an empty set in the caller's array
 * @set:   the set
 * @space: array the set uses from now on
 * @max:   its number of elements
 *
 * Context: any.
 * Return:  nothing.
 */
void rangeset_init(struct rangeset *set, struct range *space, unsigned int max);

/**
 * rangeset_add() - add all numbers from @first to @last
 * @set:   the set
 * @first: lowest number
 * @last:  highest number, inclusive
 *
 * Context: any; the owner's lock held.
 * Return:  0; -EINVAL: @last < @first; -ENOMEM: array full, set unchanged
 */
int rangeset_add(struct rangeset *set, uint64_t first, uint64_t last)
    MUST_CHECK;

/**
 * rangeset_remove() - take away all numbers from @first to @last
 * @set:   the set
 * @first: lowest number
 * @last:  highest number, inclusive
 *
 * Numbers that were not in the set are no error.
 *
 * Context: any; the owner's lock held.
 * Return:  0; -EINVAL: @last < @first; -ENOMEM: a range would have to be
 *          split and the array is full, set unchanged
 */
int rangeset_remove(struct rangeset *set, uint64_t first, uint64_t last)
    MUST_CHECK;

/**
 * rangeset_contains() - are all numbers from @first to @last in the set?
 * @set:   the set
 * @first: lowest number
 * @last:  highest number, inclusive; below @first the answer is false
 *
 * Context: any; the owner's lock held.
 * Return:  true: every one of them
 */
bool rangeset_contains(const struct rangeset *set, uint64_t first,
                       uint64_t last);

/**
 * rangeset_overlaps() - is any number from @first to @last in the set?
 * @set:   the set
 * @first: lowest number
 * @last:  highest number, inclusive; below @first the answer is false
 *
 * Context: any; the owner's lock held.
 * Return:  true: at least one of them
 */
bool rangeset_overlaps(const struct rangeset *set, uint64_t first,
                       uint64_t last);

/**
 * rangeset_clear() - empty the set
 * @set: the set
 *
 * Context: any; the owner's lock held.
 * Return:  nothing.
 */
void rangeset_clear(struct rangeset *set);

#endif
