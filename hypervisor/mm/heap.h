/* SPDX-License-Identifier: MIT */
/*
 * mm/heap.h - small objects of the hypervisor, always zeroed.
 */
#ifndef VIGIL_MM_HEAP_H
#define VIGIL_MM_HEAP_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * heap_alloc() - a zeroed object, aligned to 16 bytes (pages from 4 KiB on)
 * @bytes: size; up to 4 MiB
 *
 * Context: any but NMI/#MC, interrupts on or off.
 * Return:  pointer or NULL
 */
void *heap_alloc(size_t bytes) MUST_CHECK;

/**
 * heap_free() - give an object back
 * @p: from heap_alloc(), or NULL
 *
 * Context: any but NMI/#MC.
 */
void heap_free(void *p);

struct heap_stats {
    uint64_t objects; /* handed out                                */
    uint64_t bytes;   /* of their slots, or pages                  */
    uint64_t frames;  /* taken for them, with what is free in them */
};

/**
 * heap_get_stats() - what is in use
 * @ret_stats: filled in
 *
 * Context: any but NMI/#MC.
 */
void heap_get_stats(struct heap_stats *ret_stats);

#endif
