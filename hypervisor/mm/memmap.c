/* SPDX-License-Identifier: MIT */
/*
 * mm/memmap.c - the machine's memory map, made trustworthy.
 *
 * The input (firmware's entries and our own claims) is kept as it came.  Both
 * views, the page-aligned regions for us and the byte-exact e820 for dom0,
 * are computed from it: cut the address line at every start and end, give
 * each piece the least usable type that covers it, merge equal neighbours.
 */
#include "mm/memmap.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "x86/layout.h"
#include "log/printk.h"

#define RAW_MAX    256
#define CLAIM_MAX  64
#define CUT_MAX    (2 * (RAW_MAX + CLAIM_MAX))
#define REGION_MAX CUT_MAX

/* Machine addresses beyond the direct map are of no use. */
#define MADDR_LIMIT (DIRECTMAP_VA_END - DIRECTMAP_VA)
/* BIOS data, video memory and ROMs: never ours, dom0 may map it. */
#define FIRST_MIB   0x100000UL

struct claim {
    maddr_t start, end;
    bool is_hidden;
};

static struct memmap_region raw[RAW_MAX] INIT_DATA;
static unsigned int raw_count;
static struct claim claims[CLAIM_MAX] INIT_DATA;
static unsigned int claim_count;
static maddr_t cuts[CUT_MAX] INIT_DATA;

static struct memmap_region regions[REGION_MAX];
static unsigned int region_count;
static struct memmap_region e820[REGION_MAX];
static unsigned int e820_count;
static bool is_frozen;

/* How strongly a type wins where entries overlap; 0: nothing there. */
static unsigned int type_weight(enum memmap_type type)
{
    switch (type) {
    case MEMMAP_RAM:
        return 1;
    case MEMMAP_KEPT:
        return 2;
    case MEMMAP_ACPI:
        return 3;
    case MEMMAP_NVS:
        return 4;
    case MEMMAP_RESERVED:
        return 5;
    case MEMMAP_UNUSABLE:
        return 6;
    }
    return 5;
}

/* The range of raw[idx] as the wanted view counts it; false: nothing left. */
static INIT_TEXT bool raw_range(unsigned int idx, bool whole_pages,
                                maddr_t *ret_start, maddr_t *ret_end)
{
    maddr_t start = raw[idx].start, end = raw[idx].end;

    if (whole_pages) {
        if (raw[idx].type == MEMMAP_RAM) {
            start = ALIGN_UP(start, PAGE_SIZE);
            end = ALIGN_DOWN(end, PAGE_SIZE);
        } else {
            start = ALIGN_DOWN(start, PAGE_SIZE);
            end = ALIGN_UP(end, PAGE_SIZE);
        }
    }
    *ret_start = start;
    *ret_end = end;
    return start < end;
}

static INIT_TEXT unsigned int collect_cuts(bool whole_pages)
{
    unsigned int count = 0;
    maddr_t start, end;

    for (unsigned int i = 0; i < raw_count; i++) {
        if (raw_range(i, whole_pages, &start, &end)) {
            cuts[count++] = start;
            cuts[count++] = end;
        }
    }
    for (unsigned int i = 0; i < claim_count; i++) {
        cuts[count++] = claims[i].start;
        cuts[count++] = claims[i].end;
    }
    /* Insertion sort: a few hundred numbers, nearly in order. */
    for (unsigned int i = 1; i < count; i++) {
        maddr_t a = cuts[i];
        unsigned int j = i;

        while (j > 0 && cuts[j - 1] > a) {
            cuts[j] = cuts[j - 1];
            j--;
        }
        cuts[j] = a;
    }
    return count;
}

/* The type of the piece [start, end), which no cut divides; 0: none. */
static INIT_TEXT unsigned int piece_type(maddr_t start, maddr_t end,
                                         bool whole_pages)
{
    unsigned int best = 0, type = 0;
    maddr_t from, to;

    for (unsigned int i = 0; i < raw_count; i++) {
        if (raw_range(i, whole_pages, &from, &to) && from <= start &&
            end <= to && type_weight(raw[i].type) > best) {
            best = type_weight(raw[i].type);
            type = raw[i].type;
        }
    }
    if (type != MEMMAP_RAM) {
        return type;
    }
    for (unsigned int i = 0; i < claim_count; i++) {
        if (claims[i].start <= start && end <= claims[i].end) {
            if (whole_pages) {
                return MEMMAP_KEPT;
            }
            if (claims[i].is_hidden) {
                return MEMMAP_RESERVED;
            }
        }
    }
    return type;
}

static INIT_TEXT unsigned int resolve(struct memmap_region *out,
                                      bool whole_pages)
{
    unsigned int cut_count = collect_cuts(whole_pages);
    unsigned int count = 0;

    for (unsigned int i = 0; i + 1 < cut_count; i++) {
        maddr_t start = cuts[i], end = cuts[i + 1];
        unsigned int type;

        if (start == end) {
            continue;
        }
        type = piece_type(start, end, whole_pages);
        if (type == 0) {
            continue;
        }
        if (count > 0 && out[count - 1].end == start &&
            out[count - 1].type == type) {
            out[count - 1].end = end;
        } else {
            out[count].start = start;
            out[count].end = end;
            out[count].type = type;
            count++;
        }
    }
    return count;
}

static INIT_TEXT void rebuild(void)
{
    region_count = resolve(regions, true);
    e820_count = resolve(e820, false);
}

INIT_TEXT void memmap_add(maddr_t start, uint64_t bytes, uint32_t type)
{
    maddr_t end = start + bytes;

    if (bytes == 0 || end < start) {
        return;
    }
    if (raw_count == RAW_MAX) {
        pr_warn("memory map entry %#lx+%#lx dropped: more than %d entries",
                start, bytes, RAW_MAX);
        return;
    }
    if (type < MEMMAP_RAM || type > MEMMAP_UNUSABLE) {
        type = MEMMAP_RESERVED;
    }
    if (type == MEMMAP_RAM && end > MADDR_LIMIT) {
        pr_warn("RAM at %#lx+%#lx is beyond what can be mapped", start, bytes);
        end = MADDR_LIMIT;
        if (start >= end) {
            return;
        }
    }
    raw[raw_count].start = start;
    raw[raw_count].end = end;
    raw[raw_count].type = type;
    raw_count++;
}

static INIT_TEXT void claim(maddr_t start, uint64_t bytes, bool is_hidden)
{
    if (is_frozen) {
        panic("memory at %#lx reserved too late", start);
    }
    if (bytes == 0) {
        return;
    }
    if (claim_count == CLAIM_MAX) {
        panic("more than %d boot-time memory reservations", CLAIM_MAX);
    }
    claims[claim_count].start = ALIGN_DOWN(start, PAGE_SIZE);
    claims[claim_count].end = ALIGN_UP(start + bytes, PAGE_SIZE);
    claims[claim_count].is_hidden = is_hidden;
    claim_count++;
    rebuild();
}

INIT_TEXT void memmap_finish(void)
{
    claim(0, FIRST_MIB, false);
}

INIT_TEXT void memmap_reserve(maddr_t start, uint64_t bytes)
{
    claim(start, bytes, false);
}

INIT_TEXT void memmap_hide(maddr_t start, uint64_t bytes)
{
    claim(start, bytes, true);
}

INIT_TEXT void memmap_freeze(void)
{
    is_frozen = true;
}

bool memmap_region(unsigned int idx, struct memmap_region *ret_region)
{
    if (idx >= region_count) {
        return false;
    }
    *ret_region = regions[idx];
    return true;
}

enum memmap_type memmap_type_at(maddr_t a)
{
    for (unsigned int i = 0; i < region_count; i++) {
        if (a >= regions[i].start && a < regions[i].end) {
            return regions[i].type;
        }
    }
    return MEMMAP_RESERVED;
}

static bool is_ram(const struct memmap_region *r)
{
    return r->type == MEMMAP_RAM || r->type == MEMMAP_KEPT;
}

uint64_t memmap_top_frame(void)
{
    for (unsigned int i = region_count; i > 0; i--) {
        if (is_ram(&regions[i - 1])) {
            return regions[i - 1].end >> PAGE_SHIFT;
        }
    }
    return 0;
}

uint64_t memmap_ram_frames(void)
{
    uint64_t frames = 0;

    for (unsigned int i = 0; i < region_count; i++) {
        if (is_ram(&regions[i])) {
            frames += (regions[i].end - regions[i].start) >> PAGE_SHIFT;
        }
    }
    return frames;
}

bool memmap_machine_e820(unsigned int idx, struct e820entry *ret_entry)
{
    if (idx >= e820_count) {
        return false;
    }
    ret_entry->addr = e820[idx].start;
    ret_entry->size = e820[idx].end - e820[idx].start;
    ret_entry->type = e820[idx].type;
    return true;
}
