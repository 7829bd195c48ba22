/* SPDX-License-Identifier: MIT */
/*
 * lib/hosted/stdlib.h - what libraries want of <stdlib.h>; pv/xz.c has it, and
 * says that nothing is allocated.
 */
#ifndef VIGIL_LIB_HOSTED_STDLIB_H
#define VIGIL_LIB_HOSTED_STDLIB_H

#include "lib/types.h"

/**
 * malloc() - never has memory
 * @bytes: wanted
 *
 * Context: any; a library that calls it in spite of its allocator fails.
 * Return:  NULL
 */
void *malloc(size_t bytes);

/**
 * calloc() - never has memory
 * @count: of things
 * @bytes: of each
 *
 * Context: as malloc().
 * Return:  NULL
 */
void *calloc(size_t count, size_t bytes);

/**
 * free() - does nothing
 * @p: NULL
 *
 * Context: any.
 */
void free(void *p);

#endif
