/* SPDX-License-Identifier: MIT */
/*
 * dev/efi.c - the firmware's memory map and its system table.
 *
 * Source: UEFI 2.10, chapters 4.3 (system table), 7.2.3 (memory map).
 */
#include "dev/efi.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "log/printk.h"
#include "mm/hvmap.h"
#include "mm/memmap.h"

#define MAP_MAX   512
#define ADDR_BITS 52

struct efi_descriptor {
    uint32_t type, pad;
    uint64_t start, virt, pages, attr;
};

#define TABLE_SIGNATURE 0x5453595320494249ULL /* "IBI SYST" */
#define TABLE_BYTES_MAX 4096
#define CONFIG_MAX      1024
#define CONFIG_BYTES    24 /* a GUID and a pointer */

struct efi_table_header {
    uint64_t signature;
    uint32_t revision, bytes, crc32, reserved;
};

struct efi_system_table {
    struct efi_table_header head;
    uint64_t vendor;
    uint32_t vendor_revision, pad;
    uint64_t handles[6]; /* consoles: gone with the boot services */
    uint64_t runtime, boot;
    uint64_t config_count, config;
};

STATIC_ASSERT(sizeof(struct efi_descriptor) == 40, "UEFI 7.2.3");
STATIC_ASSERT(sizeof(struct efi_system_table) == 120, "UEFI 4.3");

/* c: after efi_map_load() and efi_init() */
static struct efi_region map[MAP_MAX];
static unsigned int map_count;
static struct efi_system sys;
static bool has_sys;

/* ---- the memory map ----------------------------------------------------- */

static INIT_TEXT bool map_add(const struct efi_descriptor *d)
{
    struct efi_region *last = map_count > 0 ? &map[map_count - 1] : NULL;
    struct efi_region r = {
        .start = d->start,
        .bytes = d->pages << PAGE_SHIFT,
        .attr = d->attr,
        .type = d->type,
    };

    if (d->pages == 0 || d->pages >> (ADDR_BITS - PAGE_SHIFT) != 0 ||
        d->start >> ADDR_BITS != 0 || !IS_ALIGNED(d->start, PAGE_SIZE)) {
        return true;
    }
    if (last != NULL && last->start + last->bytes == r.start &&
        last->type == r.type && last->attr == r.attr) {
        last->bytes += r.bytes;
        return true;
    }
    if (map_count == MAP_MAX) {
        return false;
    }
    map[map_count++] = r;
    return true;
}

INIT_TEXT int efi_map_load(const void *from, size_t bytes, size_t desc_bytes)
{
    unsigned int lost = 0;

    if (desc_bytes < sizeof(struct efi_descriptor) || bytes < desc_bytes) {
        return -EINVAL;
    }
    map_count = 0;
    for (size_t at = 0; bytes - at >= desc_bytes; at += desc_bytes) {
        struct efi_descriptor d;

        memcpy(&d, (const uint8_t *)from + at, sizeof(d));
        if (!map_add(&d)) {
            lost++;
        }
    }
    if (lost != 0) {
        pr_warn("dev: %u entries of the EFI memory map dropped: more than %d",
                lost, MAP_MAX);
    }
    return map_count != 0 ? 0 : -EINVAL;
}

bool efi_map_region(unsigned int idx, struct efi_region *ret_region)
{
    if (idx >= map_count) {
        return false;
    }
    *ret_region = map[idx];
    return true;
}

bool efi_map_find(maddr_t a, struct efi_region *ret_region)
{
    for (unsigned int i = 0; i < map_count; i++) {
        if (a >= map[i].start && a - map[i].start < map[i].bytes) {
            *ret_region = map[i];
            return true;
        }
    }
    return false;
}

uint32_t efi_map_e820(const struct efi_region *r)
{
    switch (r->type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_CODE:
    case EFI_BOOT_DATA:
    case EFI_CONVENTIONAL:
        /* Memory that cannot be cached, or that the firmware keeps, is not
         * RAM for us. */
        return (r->attr & EFI_ATTR_WB) != 0 &&
                       (r->attr & (EFI_ATTR_SP | EFI_ATTR_RUNTIME)) == 0
                   ? MEMMAP_RAM
                   : MEMMAP_RESERVED;
    case EFI_ACPI_RECLAIM:
        return MEMMAP_ACPI;
    case EFI_ACPI_NVS:
        return MEMMAP_NVS;
    case EFI_UNUSABLE:
        return MEMMAP_UNUSABLE;
    default:
        return MEMMAP_RESERVED;
    }
}

/* ---- the system table --------------------------------------------------- */

static INIT_TEXT void read_vendor(maddr_t a)
{
    struct efi_region r;
    const uint16_t *text = NULL;
    size_t room = 0;

    /* Not beyond the region it lies in: what follows may be a device. */
    if (IS_ALIGNED(a, sizeof(uint16_t)) && efi_map_find(a, &r)) {
        room = MIN((r.start + r.bytes - a) / sizeof(uint16_t),
                   (size_t)EFI_VENDOR_CHARS - 1);
        text = iomap(a, room * sizeof(uint16_t));
    }
    for (size_t i = 0; text != NULL && i < room && text[i] != 0; i++) {
        sys.vendor[i] = text[i];
    }
}

/* The vendor's name for the log: what is not ASCII becomes '?'. */
static INIT_TEXT void vendor_text(char *to, size_t size)
{
    size_t i;

    for (i = 0; i + 1 < size && sys.vendor[i] != 0; i++) {
        uint16_t c = sys.vendor[i];

        to[i] = c >= ' ' && c < 0x7f ? (char)c : '?';
    }
    to[i] = '\0';
}

static INIT_TEXT bool table_is_possible(const struct efi_system_table *t)
{
    return t->head.signature == TABLE_SIGNATURE &&
           t->head.bytes >= sizeof(*t) && t->head.bytes <= TABLE_BYTES_MAX;
}

INIT_TEXT void efi_init(maddr_t systab)
{
    const struct efi_system_table *at = NULL;
    struct efi_system_table t;
    struct efi_region r;
    char vendor[EFI_VENDOR_CHARS];

    if (efi_map_find(systab, &r) && r.start + r.bytes - systab >= sizeof(*at)) {
        at = iomap(systab, sizeof(*at));
    }
    if (at == NULL) {
        pr_warn("dev: the EFI system table at %#lx is not in EFI's memory map",
                systab);
        return;
    }
    memcpy(&t, at, sizeof(t));
    if (!table_is_possible(&t)) {
        pr_warn("dev: what the loader calls the EFI system table is none");
        return;
    }
    sys.revision = t.head.revision;
    sys.vendor_revision = t.vendor_revision;
    read_vendor(t.vendor);
    if (t.config_count <= CONFIG_MAX && efi_map_find(t.config, &r) &&
        r.start + r.bytes - t.config >= t.config_count * CONFIG_BYTES) {
        sys.config = t.config;
        sys.config_count = (uint32_t)t.config_count;
    } else {
        pr_warn("dev: EFI's configuration table is not usable");
    }
    sys.runtime = t.runtime;
    has_sys = true;
    vendor_text(vendor, sizeof(vendor));
    pr_info("dev: EFI v%u.%02u by %s, %u regions, %u tables",
            sys.revision >> 16, sys.revision & 0xffff, vendor, map_count,
            sys.config_count);
}

const struct efi_system *efi_system(void)
{
    return has_sys ? &sys : NULL;
}
