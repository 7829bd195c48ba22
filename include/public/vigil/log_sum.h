/* SPDX-License-Identifier: MIT */
/*
 * vigil/log_sum.h - the checksum of a cell of the log.
 *
 * XXH64 of Debian's libxxhash-dev, inline: a quarter of the instructions of a
 * CRC, and NMI handlers write cells.  Covered is what is used of a cell; behind
 * its text there may be the rest of an older one.
 */
#ifndef VIGIL_PUBLIC_LOG_SUM_H
#define VIGIL_PUBLIC_LOG_SUM_H

#include <stddef.h>

/* No vector registers, no calls for single words. */
#define XXH_INLINE_ALL
#define XXH_VECTOR 0 /* XXH_SCALAR */
#define XXH_FORCE_MEMORY_ACCESS 1
#include <xxhash.h>

#include "log.h"

/**
 * vigil_log_sum() - checksum a cell should carry
 * @cell: its @sum is zero, its @len no more than it has room for
 *
 * Context: any.
 * Return:  for @sum
 */
static inline uint32_t vigil_log_sum(const struct vigil_log_cell *cell)
{
    return (uint32_t)XXH64(
        cell, offsetof(struct vigil_log_cell, text) + cell->len, 0);
}

#endif
