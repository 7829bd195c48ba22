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

#endif
