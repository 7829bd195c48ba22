/* SPDX-License-Identifier: MIT */
/*
 * crash/harvest.h - the copy of what the previous boot left.
 *
 * boot/ finds the old box before anything allocates, copies it, and gives the
 * copy to harvest_set().  The control domain reads it through vigil_op and
 * acknowledges it, after which it is gone.
 */
#ifndef VIGIL_CRASH_HARVEST_H
#define VIGIL_CRASH_HARVEST_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * harvest_set() - there is something from the previous boot
 * @copy:  the copy, mapped for good; starts with struct vigil_box_header
 * @bytes: its size
 * @drop:  called with @copy and @bytes when it was acknowledged; may be NULL
 *
 * Context: boot.
 */
void harvest_set(const void *copy, size_t bytes,
                 void (*drop)(const void *copy, size_t bytes));

/**
 * harvest_get() - the copy, while there is one
 * @ret_bytes: its size; set only when not NULL is returned
 *
 * Context: any but NMI/#MC.
 * Return:  the copy, or NULL: nothing, or acknowledged
 */
const void *harvest_get(size_t *ret_bytes);

/**
 * harvest_ack() - the control domain has stored it: forget it
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ENOENT there is none
 */
int harvest_ack(void) MUST_CHECK;

#endif
