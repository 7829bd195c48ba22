/* SPDX-License-Identifier: MIT */
/*
 * lib/idset.h - a set of small numbers in which the next one, or the next
 * free one, is found in a few steps however many there are: a bit for each
 * number, and a bit for each word of those.
 */
#ifndef VIGIL_LIB_IDSET_H
#define VIGIL_LIB_IDSET_H

#include "lib/types.h"

#define IDSET_MAX   32768U /* numbers 0 .. IDSET_MAX - 1 */
#define IDSET_NONE  ~0U
#define IDSET_WORDS (IDSET_MAX / 64)

/* All zero: empty. */
struct idset {
    uint64_t word[IDSET_WORDS];
    uint64_t some[IDSET_WORDS / 64]; /* bit per word that is not zero */
    uint64_t full[IDSET_WORDS / 64]; /* bit per word with every bit   */
};

/**
 * idset_add() - put a number in
 * @s:  the set
 * @id: below IDSET_MAX
 *
 * Context: any; the owner's lock held.
 * Return:  nothing.
 */
void idset_add(struct idset *s, unsigned int id);

/**
 * idset_remove() - take a number out
 * @s:  the set
 * @id: below IDSET_MAX
 *
 * Context: any; the owner's lock held.
 * Return:  nothing.
 */
void idset_remove(struct idset *s, unsigned int id);

/**
 * idset_next() - the smallest number of the set that is not below another
 * @s:    the set
 * @from: any
 *
 * Context: any; the owner's lock held.
 * Return:  the number, or IDSET_NONE
 */
unsigned int idset_next(const struct idset *s, unsigned int from);

/**
 * idset_next_free() - the smallest not in the set and not below another
 * @s:    the set
 * @from: any
 *
 * Context: any; the owner's lock held.
 * Return:  the number, or IDSET_NONE
 */
unsigned int idset_next_free(const struct idset *s, unsigned int from);

#endif
