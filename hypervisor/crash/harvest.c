/* SPDX-License-Identifier: MIT */
/*
 * crash/harvest.c - the copy of what the previous boot left.
 *
 * Set once at boot, cleared once by the control domain; one writer at a time,
 * so that no lock is needed.
 */
#include "crash/harvest.h"

#include "lib/errno.h"

static const void *harvest_copy;
static size_t harvest_bytes;
static void (*harvest_drop)(const void *copy, size_t bytes);

void harvest_set(const void *copy, size_t bytes,
                 void (*drop)(const void *copy, size_t bytes))
{
    harvest_copy = copy;
    harvest_bytes = bytes;
    harvest_drop = drop;
}

const void *harvest_get(size_t *ret_bytes)
{
    if (harvest_copy != NULL) {
        *ret_bytes = harvest_bytes;
    }
    return harvest_copy;
}

int harvest_ack(void)
{
    const void *copy = harvest_copy;

    if (copy == NULL) {
        return -ENOENT;
    }
    harvest_copy = NULL;
    if (harvest_drop != NULL) {
        harvest_drop(copy, harvest_bytes);
    }
    return 0;
}
