/* SPDX-License-Identifier: MIT */
/* lib/amount.h - amounts of memory and sets of CPUs, as people write them. */
#ifndef VIGIL_TOOLS_AMOUNT_H
#define VIGIL_TOOLS_AMOUNT_H

#include <stddef.h>
#include <stdint.h>

/* 16 TiB: more than any guest can get. */
#define AMOUNT_KIB_MAX (16ULL << 30)

/**
 * amount_parse_kib() - read an amount of memory
 * @text:    number, and b, k, m, g or t behind it; MiB without
 * @ret_kib: KiB, 1 to AMOUNT_KIB_MAX; set on success only
 *
 * Context: any; pure.
 * Return:  0, or -1 if it is none
 */
int amount_parse_kib(const char *text, uint64_t *ret_kib);

/* Adds the CPUs of a node to @map, or takes them away; 0, or -1: no such. */
typedef int cpu_node_fn(void *context, unsigned long node, int take_away,
                        uint8_t *map, size_t bytes);

/**
 * cpus_parse() - read a set of CPUs as xl.cfg spells it
 * @text:    e.g. "0-3,^1", "all,^0", "nodes:1"; blanks are allowed
 * @node:    finds the CPUs of a node; NULL: nodes are refused
 * @context: for @node
 * @map:     a bit for each CPU, cleared before; those beyond it are left out
 * @bytes:   size of @map
 *
 * Context: any; pure but for @node.
 * Return:  0, or -1 if it is none; then @map holds anything
 */
int cpus_parse(const char *text, cpu_node_fn *node, void *context, uint8_t *map,
               size_t bytes);

#endif
