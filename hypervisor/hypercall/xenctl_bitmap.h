/* SPDX-License-Identifier: MIT */
/*
 * hypercall/xenctl_bitmap.h - struct xenctl_bitmap in and out: sets of
 * processors and memory nodes.
 */
#ifndef VIGIL_HYPERCALL_XENCTL_BITMAP_H
#define VIGIL_HYPERCALL_XENCTL_BITMAP_H

#include "hypercall/call.h"

#define XENCTL_BITMAP_BITS_MAX 65536U /* no tool has larger sets */

/**
 * xenctl_bitmap_in() - read a set
 * @b:    our copy of the descriptor
 * @map:  destination; bits the caller does not give are 0
 * @bits: its size, a multiple of 64; bits beyond it are dropped
 *
 * Context: hypercall.
 * Return:  0; -EFAULT
 */
int xenctl_bitmap_in(const struct xenctl_bitmap *b, uint64_t *map,
                     unsigned int bits) MUST_CHECK;

/**
 * xenctl_bitmap_out() - write a set
 * @b:    our copy of the descriptor; its whole room is written
 * @map:  the set
 * @bits: its size, a multiple of 64
 *
 * Context: hypercall.
 * Return:  0; -EFAULT; -EINVAL room for more than XENCTL_BITMAP_BITS_MAX
 */
int xenctl_bitmap_out(const struct xenctl_bitmap *b, const uint64_t *map,
                      unsigned int bits) MUST_CHECK;

#endif
