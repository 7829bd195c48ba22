/* SPDX-License-Identifier: MIT */
/*
 * dev/numa.c - read the SRAT and the SLIT, answer who is near whom.
 *
 * Source: ACPI 6.4, 5.2.16 (SRAT), 5.2.17 (SLIT).
 */
#include "dev/numa.h"

#include "lib/string.h"
#include "log/printk.h"
#include "dev/acpi_bytes.h"

#define SRAT_ENTRIES   48
#define ENTRY_LAPIC    0
#define ENTRY_MEMORY   1
#define ENTRY_X2APIC   2
#define FLAG_ENABLED   1U
/* Before revision 2 a domain had 8 bits, and those behind it were reserved. */
#define REVISION_32BIT 2

#define SLIT_COUNT  36
#define SLIT_MATRIX 44

static struct numa_map map = {.node_count = 1}; /* c */

void numa_map_reset(struct numa_map *ret_map)
{
    memset(ret_map, 0, sizeof(*ret_map));
    ret_map->node_count = 1;
    for (unsigned int a = 0; a < NUMA_NODES_MAX; a++) {
        for (unsigned int b = 0; b < NUMA_NODES_MAX; b++) {
            ret_map->distance[a][b] = a == b ? NUMA_NEAR : NUMA_FAR;
        }
    }
}

/* The node of a proximity domain, a new one if need be; false: no room. */
static bool node_of_domain(struct numa_map *m, unsigned int *known,
                           uint32_t domain, unsigned int *ret_node)
{
    for (unsigned int i = 0; i < *known; i++) {
        if (m->domain[i] == domain) {
            *ret_node = i;
            return true;
        }
    }
    if (*known == NUMA_NODES_MAX) {
        return false;
    }
    m->domain[*known] = domain;
    *ret_node = (*known)++;
    return true;
}

static bool add_cpu(struct numa_map *m, unsigned int *known, uint32_t domain,
                    uint32_t apic_id)
{
    unsigned int node;

    for (unsigned int i = 0; i < m->cpu_count; i++) {
        if (m->cpu[i].apic_id == apic_id) {
            return false; /* the first is believed */
        }
    }
    if (m->cpu_count == NUMA_CPUS_MAX ||
        !node_of_domain(m, known, domain, &node)) {
        return false;
    }
    m->cpu[m->cpu_count++] = (struct numa_cpu){apic_id, node};
    return true;
}

/* false: malformed or no room; *ret_clash: another node has that memory. */
static bool add_range(struct numa_map *m, unsigned int *known, uint32_t domain,
                      maddr_t start, uint64_t bytes, bool *ret_clash)
{
    unsigned int node;

    if (bytes == 0 || start >= ACPI_MADDR_END ||
        bytes > ACPI_MADDR_END - start || m->range_count == NUMA_RANGES_MAX ||
        !node_of_domain(m, known, domain, &node)) {
        return false;
    }
    for (unsigned int i = 0; i < m->range_count; i++) {
        const struct numa_range *r = &m->range[i];

        if (start < r->end && r->start < start + bytes) {
            *ret_clash = *ret_clash || r->node != node;
            return false;
        }
    }
    m->range[m->range_count++] =
        (struct numa_range){start, start + bytes, node};
    return true;
}

/* One entry of @length bytes; false: malformed, or no room. */
static bool entry_read(struct numa_map *m, unsigned int *known,
                       const uint8_t *e, uint8_t length, bool wide,
                       bool *ret_clash)
{
    uint32_t domain;

    switch (e[0]) {
    case ENTRY_LAPIC:
        if (length < 16) {
            return false;
        }
        domain = e[2];
        if (wide) {
            domain |= (uint32_t)e[9] << 8 | (uint32_t)get16(e + 10) << 16;
        }
        return (get32(e + 4) & FLAG_ENABLED) == 0 ||
               add_cpu(m, known, domain, e[3]);
    case ENTRY_X2APIC:
        return length >= 24 && ((get32(e + 12) & FLAG_ENABLED) == 0 ||
                                add_cpu(m, known, get32(e + 4), get32(e + 8)));
    case ENTRY_MEMORY:
        if (length < 40) {
            return false;
        }
        domain = wide ? get32(e + 2) : e[2];
        return (get32(e + 28) & FLAG_ENABLED) == 0 ||
               add_range(m, known, domain, get64(e + 8), get64(e + 16),
                         ret_clash);
    default:
        return true; /* nothing we need */
    }
}

bool numa_srat_parse(const struct acpi_header *table, struct numa_map *ret_map,
                     const char **ret_why)
{
    const uint8_t *b = (const void *)table;
    const bool wide = table->revision >= REVISION_32BIT;
    size_t at = SRAT_ENTRIES, end = table->length;
    unsigned int known = 0;
    bool clash = false;

    numa_map_reset(ret_map);
    if (end < SRAT_ENTRIES || memcmp(table->signature, "SRAT", 4) != 0) {
        *ret_why = "too short";
        return false;
    }
    while (end - at >= 2) {
        uint8_t length = b[at + 1];

        if (length < 2 || length > end - at) {
            ret_map->dropped++; /* nothing behind it can be believed */
            break;
        }
        if (!entry_read(ret_map, &known, b + at, length, wide, &clash)) {
            ret_map->dropped++;
        }
        at += length;
    }
    if (clash) {
        *ret_why = "two nodes claim the same memory";
    } else if (ret_map->range_count == 0) {
        *ret_why = "no memory in it";
    } else {
        ret_map->node_count = known;
        return true;
    }
    numa_map_reset(ret_map);
    return false;
}

bool numa_slit_parse(const struct acpi_header *table, struct numa_map *m,
                     const char **ret_why)
{
    const uint8_t *b = (const void *)table;
    uint64_t n;

    if (table->length < SLIT_MATRIX ||
        memcmp(table->signature, "SLIT", 4) != 0) {
        *ret_why = "too short";
        return false;
    }
    n = get64(b + SLIT_COUNT);
    /* A table has at most 1 MiB: 1024 localities are more than fit. */
    if (n == 0 || n > 1024 || n * n > table->length - SLIT_MATRIX) {
        *ret_why = "it does not hold its matrix";
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        for (uint64_t j = 0; j < n; j++) {
            uint8_t v = b[SLIT_MATRIX + i * n + j];

            if (i == j ? v != NUMA_NEAR : v <= NUMA_NEAR) {
                *ret_why = "a distance makes no sense";
                return false;
            }
        }
    }
    for (unsigned int i = 0; i < m->node_count; i++) {
        for (unsigned int j = 0; j < m->node_count; j++) {
            if (m->domain[i] < n && m->domain[j] < n) {
                m->distance[i][j] =
                    b[SLIT_MATRIX + m->domain[i] * n + m->domain[j]];
            }
        }
    }
    return true;
}

void numa_init(void)
{
    const struct acpi_header *h = acpi_find_table("SRAT", 0);
    const char *why;

    map.node_count = 1;
    map.range_count = map.cpu_count = 0;
    if (h == NULL) {
        return;
    }
    if (!numa_srat_parse(h, &map, &why)) {
        pr_warn("dev: ACPI SRAT: %s, ignored: all memory is one node", why);
        return;
    }
    if (map.dropped != 0) {
        pr_warn("dev: ACPI SRAT: %u entries make no sense or are too many, "
                "ignored",
                map.dropped);
    }
    h = acpi_find_table("SLIT", 0);
    if (h != NULL && !numa_slit_parse(h, &map, &why)) {
        pr_warn("dev: ACPI SLIT: %s, ignored", why);
    }
    pr_info("dev: NUMA: %u nodes, %u ranges of memory, %u processors",
            map.node_count, map.range_count, map.cpu_count);
}

unsigned int numa_node_count(void)
{
    return map.node_count;
}

unsigned int numa_node_of(maddr_t a)
{
    for (unsigned int i = 0; i < map.range_count; i++) {
        if (a >= map.range[i].start && a < map.range[i].end) {
            return map.range[i].node;
        }
    }
    return 0;
}

bool numa_range(unsigned int idx, struct numa_range *ret_range)
{
    if (idx >= map.range_count) {
        return false;
    }
    *ret_range = map.range[idx];
    return true;
}

unsigned int numa_node_of_apic(uint32_t apic_id)
{
    for (unsigned int i = 0; i < map.cpu_count; i++) {
        if (map.cpu[i].apic_id == apic_id) {
            return map.cpu[i].node;
        }
    }
    return 0;
}

bool numa_node_of_domain(uint32_t domain, unsigned int *ret_node)
{
    /* Without a table there is a node all the same, but no domain. */
    for (unsigned int i = 0; map.range_count != 0 && i < map.node_count; i++) {
        if (map.domain[i] == domain) {
            *ret_node = i;
            return true;
        }
    }
    return false;
}

uint8_t numa_distance(unsigned int a, unsigned int b)
{
    if (a >= map.node_count || b >= map.node_count) {
        return NUMA_UNREACHABLE;
    }
    return a == b ? NUMA_NEAR : map.distance[a][b];
}
