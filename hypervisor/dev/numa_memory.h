/* SPDX-License-Identifier: MIT */
/*
 * dev/numa_memory.h - how much memory each node has, and how much is free.
 */
#ifndef VIGIL_DEV_NUMA_MEMORY_H
#define VIGIL_DEV_NUMA_MEMORY_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * numa_memory_init() - count by node from now on
 *
 * With one node nothing is counted: it has all there is.
 *
 * Context: boot, after the frame allocator is up and the SRAT is read, before
 * a second CPU runs; acpi_init() calls it.
 * Return:  nothing.
 */
void numa_memory_init(void);

/**
 * numa_memory() - a node's memory
 * @node:      below numa_node_count()
 * @ret_total: frames of RAM
 * @ret_free:  frames free now, clean or dirty
 *
 * Context: any but NMI/#MC.
 */
void numa_memory(unsigned int node, uint64_t *ret_total, uint64_t *ret_free);

#endif
