/* SPDX-License-Identifier: MIT */
/*
 * dev/numa.h - which memory and which processors are near each other.
 *
 * From the SRAT (who belongs to which proximity domain) and the SLIT (how far
 * domains are from one another).  Nodes are numbered from 0 in the order in
 * which the SRAT first names their domains.  There is always at least node 0;
 * what no table names belongs to it.
 *
 * All of it is constant after acpi_init().
 */
#ifndef VIGIL_DEV_NUMA_H
#define VIGIL_DEV_NUMA_H

#include "dev/acpi.h"

#define NUMA_NODES_MAX  64
#define NUMA_RANGES_MAX 128
#define NUMA_CPUS_MAX   128

#define NUMA_NEAR 10 /* a node to itself, as the SLIT has it         */
#define NUMA_FAR  20 /* to any other one, where there is no SLIT     */

#define NUMA_UNREACHABLE 255

struct numa_range {
    maddr_t start, end; /* end: first address after it */
    unsigned int node;
};

struct numa_cpu {
    uint32_t apic_id;
    unsigned int node;
};

/* What the tables say, checked. */
struct numa_map {
    unsigned int node_count; /* at least 1 */
    unsigned int range_count, cpu_count;
    unsigned int dropped; /* entries beyond our limits or malformed */
    uint32_t domain[NUMA_NODES_MAX]; /* proximity domain of each node */
    struct numa_range range[NUMA_RANGES_MAX]; /* no overlaps, in no order */
    struct numa_cpu cpu[NUMA_CPUS_MAX];
    uint8_t distance[NUMA_NODES_MAX][NUMA_NODES_MAX];
};

/**
 * numa_map_reset() - the map of a machine whose firmware says nothing
 * @ret_map: one node
 *
 * Pure.  Context: any.
 */
void numa_map_reset(struct numa_map *ret_map);

/**
 * numa_srat_parse() - read an SRAT
 * @table:   table whose length and checksum were verified
 * @ret_map: filled in, distances as without a SLIT; changed in any case, on
 *           false to numa_map_reset()
 * @ret_why: set when false is returned: what is wrong, in words
 *
 * Two nodes that claim the same memory make the whole table worthless.
 *
 * Pure.  Context: any.
 * Return:  true: at least one node
 */
bool numa_srat_parse(const struct acpi_header *table, struct numa_map *ret_map,
                     const char **ret_why);

/**
 * numa_slit_parse() - read a SLIT
 * @table:   table whose length and checksum were verified
 * @map:     its distances are set when true is returned
 * @ret_why: set when false is returned: what is wrong, in words
 *
 * Pure.  Context: any.
 * Return:  true: a matrix of sensible distances
 */
bool numa_slit_parse(const struct acpi_header *table, struct numa_map *map,
                     const char **ret_why);

/**
 * numa_init() - read this machine's tables
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void numa_init(void);

/**
 * numa_node_count() - how many nodes there are
 *
 * Context: any.
 * Return:  1 .. NUMA_NODES_MAX
 */
unsigned int numa_node_count(void);

/**
 * numa_node_of() - the node that memory belongs to
 * @a: machine address, any value
 *
 * Context: any.
 * Return:  node, 0 .. numa_node_count() - 1
 */
unsigned int numa_node_of(maddr_t a);

/**
 * numa_range() - the n-th range of memory that belongs to a node
 * @idx:       from 0
 * @ret_range: filled in
 *
 * Ranges do not overlap and are in no order; memory in none of them is node
 * 0's.
 *
 * Context: any.
 * Return:  true, or false past the last one
 */
bool numa_range(unsigned int idx, struct numa_range *ret_range);

/**
 * numa_node_of_apic() - the node that a processor belongs to
 * @apic_id: its APIC ID
 *
 * Context: any.
 * Return:  node, 0 .. numa_node_count() - 1
 */
unsigned int numa_node_of_apic(uint32_t apic_id);

/**
 * numa_node_of_domain() - the node that a proximity domain has become
 * @domain:   as the firmware numbers them
 * @ret_node: set when true is returned
 *
 * Context: any.
 * Return:  false: no table has named it
 */
bool numa_node_of_domain(uint32_t domain, unsigned int *ret_node) MUST_CHECK;

/**
 * numa_distance() - how far apart two nodes are
 * @a: node
 * @b: node
 *
 * Context: any.
 * Return:  NUMA_NEAR for a == b, more else; NUMA_UNREACHABLE: no way, or no
 *          such node
 */
uint8_t numa_distance(unsigned int a, unsigned int b);

#endif
