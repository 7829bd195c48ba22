/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi.c - find, verify and keep the firmware's tables.
 *
 * Source: ACPI 6.4, chapters 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT).
 */
#include "dev/acpi.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "log/printk.h"
#include "cpu/features.h"
#include "mm/hvmap.h"
#include "dev/acpi_bert.h"
#include "dev/acpi_bytes.h"
#include "dev/acpi_erst.h"
#include "dev/acpi_hest.h"
#include "dev/acpi_hpet.h"
#include "dev/acpi_madt.h"
#include "dev/acpi_mcfg.h"
#include "dev/numa.h"
#include "dev/numa_memory.h"

#define TABLES_MAX 64

#define BIOS_START   0xe0000UL
#define BIOS_BYTES   0x20000UL
#define EBDA_POINTER 0x40eUL
#define EBDA_BYTES   1024UL

#define RSDP_V1_BYTES 20
#define RSDP_V2_BYTES 36

/* Entries of the root table that are nonsense: more, and it all is. */
#define BAD_ENTRIES_MAX 16

static const struct acpi_header *tables[TABLES_MAX];
static unsigned int table_count;
static struct acpi_madt madt;
static bool has_madt;
static maddr_t rsdp_maddr;

/* ---- pure ------------------------------------------------------------- */

bool acpi_checksum_ok(const void *p, size_t bytes)
{
    const uint8_t *b = p;
    uint8_t sum = 0;

    for (size_t i = 0; i < bytes; i++) {
        sum = (uint8_t)(sum + b[i]);
    }
    return sum == 0;
}

bool acpi_rsdp_parse(const void *p, size_t bytes, maddr_t *ret_root,
                     bool *ret_is_xsdt)
{
    const uint8_t *b = p;
    uint32_t length;

    if (bytes < RSDP_V1_BYTES || memcmp(b, "RSD PTR ", 8) != 0 ||
        !acpi_checksum_ok(b, RSDP_V1_BYTES)) {
        return false;
    }
    if (b[15] >= 2 && bytes >= RSDP_V2_BYTES) {
        length = get32(b + 20);
        if (length >= RSDP_V2_BYTES && length <= bytes &&
            acpi_checksum_ok(b, length) && get64(b + 24) != 0) {
            *ret_root = get64(b + 24);
            *ret_is_xsdt = true;
            return true;
        }
        /* The first part was valid: fall back on what it says. */
    }
    *ret_root = get32(b + 16);
    *ret_is_xsdt = false;
    return *ret_root != 0;
}

/* ---- finding ----------------------------------------------------------- */

void *acpi_map(maddr_t a, size_t bytes)
{
    const maddr_t end = 1ULL << MIN(cpu_features.phys_bits, 52U);

    /* Beyond what the processor can address a page table entry is malformed,
     * and to use it is a page fault. */
    if (a == 0 || bytes == 0 || bytes > end || a > end - bytes) {
        return NULL;
    }
    return iomap(a, bytes);
}

bool acpi_range_has(maddr_t start, uint64_t bytes, unsigned int types)
{
    struct memmap_region r;

    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if ((types >> r.type & 1) != 0 && r.start < start + bytes &&
            start < r.end) {
            return true;
        }
    }
    return false;
}

static bool is_printable(char c)
{
    return c > ' ' && c < 0x7f;
}

/* The signature as text, whatever the bytes are. */
static void name_of(const struct acpi_header *h, char ret_name[5])
{
    for (unsigned int i = 0; i < 4; i++) {
        ret_name[i] = is_printable(h->signature[i]) ? h->signature[i] : '?';
    }
    ret_name[4] = '\0';
}

/* Map and verify one table; NULL: nonsense, and a message says which. */
static const struct acpi_header *table_map(maddr_t a)
{
    const struct acpi_header *h = acpi_map(a, sizeof(*h));
    uint32_t length;
    char name[5];

    if (h == NULL) {
        pr_warn("dev: ACPI table at 0x%lx: no such address, ignored", a);
        return NULL;
    }
    name_of(h, name);
    length = h->length;
    if (length < sizeof(*h) || length > ACPI_TABLE_BYTES_MAX) {
        pr_warn("dev: ACPI table %s at 0x%lx: impossible length %u, ignored",
                name, a, length);
        return NULL;
    }
    if ((a & (PAGE_SIZE - 1)) + length > PAGE_SIZE) {
        h = acpi_map(a, length);
        if (h == NULL || h->length != length) {
            pr_warn("dev: ACPI table %s at 0x%lx: its %u bytes are not there, "
                    "ignored",
                    name, a, length);
            return NULL;
        }
    }
    if (!acpi_checksum_ok(h, length)) {
        pr_warn("dev: ACPI table %s at 0x%lx: wrong checksum, ignored", name,
                a);
        return NULL;
    }
    return h;
}

const struct acpi_header *acpi_map_table(maddr_t a, const char *signature)
{
    const struct acpi_header *h = a == 0 ? NULL : table_map(a);

    if (h != NULL && memcmp(h->signature, signature, 4) != 0) {
        pr_warn("dev: ACPI: no %s at 0x%lx", signature, a);
        return NULL;
    }
    return h;
}

static bool rsdp_search(maddr_t start, size_t bytes, maddr_t *ret_root,
                        bool *ret_is_xsdt)
{
    const uint8_t *p = iomap(start, bytes);

    for (size_t i = 0; p != NULL && i + RSDP_V1_BYTES <= bytes; i += 16) {
        if (acpi_rsdp_parse(p + i, bytes - i, ret_root, ret_is_xsdt)) {
            rsdp_maddr = start + i;
            return true;
        }
    }
    return false;
}

static bool rsdp_find(const void *rsdp, size_t rsdp_bytes, maddr_t *ret_root,
                      bool *ret_is_xsdt)
{
    const void *low;
    maddr_t ebda = 0;

    if (rsdp != NULL) {
        return acpi_rsdp_parse(rsdp, rsdp_bytes, ret_root, ret_is_xsdt);
    }
    low = iomap(EBDA_POINTER, sizeof(uint16_t));
    if (low != NULL) {
        ebda = (maddr_t)get16(low) << 4;
    }
    if (ebda >= 0x80000 && ebda < 0xa0000 &&
        rsdp_search(ebda, EBDA_BYTES, ret_root, ret_is_xsdt)) {
        return true;
    }
    return rsdp_search(BIOS_START, BIOS_BYTES, ret_root, ret_is_xsdt);
}

const struct acpi_header *acpi_find_table(const char *signature,
                                          unsigned int instance)
{
    for (unsigned int i = 0; i < table_count; i++) {
        if (memcmp(tables[i]->signature, signature, 4) == 0 &&
            instance-- == 0) {
            return tables[i];
        }
    }
    return NULL;
}

maddr_t acpi_rsdp_maddr(void)
{
    return rsdp_maddr;
}

const struct acpi_madt *acpi_madt(void)
{
    return has_madt ? &madt : NULL;
}

/* Remember each valid table that the root lists. */
static void read_root(const struct acpi_header *root, bool is_xsdt)
{
    const size_t width = is_xsdt ? 8 : 4;
    const size_t count = (root->length - sizeof(*root)) / width;
    unsigned int bad = 0;

    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = (const uint8_t *)(root + 1) + i * width;
        const struct acpi_header *h =
            table_map(is_xsdt ? get64(entry) : get32(entry));

        if (h == NULL) {
            if (++bad == BAD_ENTRIES_MAX) {
                pr_warn("dev: ACPI root table: %u bad entries, rest ignored",
                        bad);
                return;
            }
        } else if (table_count == TABLES_MAX) {
            pr_warn("dev: more than %d ACPI tables, rest ignored", TABLES_MAX);
            return;
        } else {
            tables[table_count++] = h;
        }
    }
}

static void read_madt(void)
{
    const struct acpi_header *h = acpi_find_table("APIC", 0);

    has_madt = h != NULL && acpi_madt_parse(h, &madt);
    if (!has_madt) {
        memset(&madt, 0, sizeof(madt));
        pr_warn("dev: the firmware has no valid MADT");
    } else if (madt.dropped != 0) {
        pr_warn("dev: ACPI MADT: %u entries make no sense or are too many, "
                "ignored",
                madt.dropped);
    }
}

int acpi_init(const void *rsdp, size_t rsdp_bytes)
{
    const struct acpi_header *root;
    bool is_xsdt;
    maddr_t at;

    table_count = 0;
    rsdp_maddr = 0;
    if (!rsdp_find(rsdp, rsdp_bytes, &at, &is_xsdt)) {
        pr_warn("dev: the firmware has no ACPI root pointer");
        return -ENOENT;
    }
    root = acpi_map_table(at, is_xsdt ? "XSDT" : "RSDT");
    if (root == NULL) {
        pr_warn("dev: no valid ACPI root table at 0x%lx", at);
        return -ENOENT;
    }
    read_root(root, is_xsdt);
    acpi_power_init();
    read_madt();
    acpi_mcfg_init();
    acpi_hpet_init();
    numa_init();
    numa_memory_init();
    acpi_hest_init();
    acpi_erst_init();
    acpi_bert_init();
    pr_info("dev: ACPI: %u tables, %u IO-APICs, %u processors", table_count,
            madt.ioapic_count, madt.cpu_count);
    return 0;
}
