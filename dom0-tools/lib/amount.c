/* SPDX-License-Identifier: MIT */
/* lib/amount.c - amounts of memory and sets of CPUs, as people write them. */
#include "lib/amount.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than any machine has, and few enough to walk through. */
#define CPU_NUMBER_MAX 65535UL

int amount_parse_kib(const char *text, uint64_t *ret_kib)
{
    unsigned int shift = 20;
    unsigned long long number;
    char *end;

    if (!isdigit((unsigned char)*text)) {
        return -1; /* strtoull() takes signs and blanks */
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    if (*end) {
        static const char units[] = "bkmgt";
        const char *unit = strchr(units, tolower((unsigned char)*end));

        if (!unit || end[1]) {
            return -1;
        }
        shift = (unsigned int)(unit - units) * 10;
    }
    /* In bytes it would not fit: b is the only unit below KiB. */
    number = shift ? number : number >> 10;
    shift = shift ? shift - 10 : 0;
    if (errno || number == 0 || number > AMOUNT_KIB_MAX >> shift) {
        return -1;
    }
    *ret_kib = number << shift;
    return 0;
}

static void set_cpus(uint8_t *map, size_t bytes, unsigned long from,
                     unsigned long to, int take_away)
{
    for (unsigned long cpu = from; cpu <= to && cpu / 8 < bytes; cpu++) {
        uint8_t bit = (uint8_t)(1U << cpu % 8);

        map[cpu / 8] =
            (uint8_t)(take_away ? map[cpu / 8] & ~bit : map[cpu / 8] | bit);
    }
}

/* "N" or "N-M" up to the end of @text. */
static int parse_range(const char *text, unsigned long *from, unsigned long *to)
{
    char *end;

    if (!isdigit((unsigned char)*text)) {
        return -1;
    }
    *from = strtoul(text, &end, 10);
    *to = *from;
    if (*end == '-') {
        text = end + 1;
        if (!isdigit((unsigned char)*text)) {
            return -1;
        }
        *to = strtoul(text, &end, 10);
    }
    return *end || *to < *from || *to > CPU_NUMBER_MAX ? -1 : 0;
}

static int parse_item(const char *item, cpu_node_fn *node, void *context,
                      uint8_t *map, size_t bytes)
{
    int take_away = *item == '^';
    unsigned long from;
    unsigned long to;
    int of_node = 0;

    item += take_away;
    if (strncmp(item, "nodes:", 6) == 0 || strncmp(item, "node:", 5) == 0) {
        of_node = 1;
        item = strchr(item, ':') + 1;
    }
    if (strcmp(item, "all") == 0) {
        memset(map, 0xff, bytes);
        return take_away ? -1 : 0;
    }
    if (parse_range(item, &from, &to)) {
        return -1;
    }
    if (!of_node) {
        set_cpus(map, bytes, from, to, take_away);
        return 0;
    }
    for (; from <= to; from++) {
        if (!node || node(context, from, take_away, map, bytes)) {
            return -1;
        }
    }
    return 0;
}

int cpus_parse(const char *text, cpu_node_fn *node, void *context, uint8_t *map,
               size_t bytes)
{
    char item[64];

    memset(map, 0, bytes);
    for (;;) {
        size_t len = strcspn(text, ",");
        size_t used = 0;

        for (size_t i = 0; i < len; i++) {
            if (text[i] == ' ' || text[i] == '\t') {
                continue;
            }
            if (used == sizeof(item) - 1) {
                return -1;
            }
            item[used++] = text[i];
        }
        item[used] = '\0';
        if (parse_item(item, node, context, map, bytes)) {
            return -1;
        }
        if (text[len] == '\0') {
            return 0;
        }
        text += len + 1;
    }
}
