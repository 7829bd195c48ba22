/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_bert.c - read the boot error record.
 *
 * Source: ACPI 6.4, 18.3.1 (BERT), 18.3.2.7.1 (status block and its data);
 * UEFI 2.9, appendix N (sections).
 */
#include "dev/acpi_bert.h"

#include "lib/string.h"
#include "log/printk.h"
#include "dev/acpi_bytes.h"

#define BERT_REGION_BYTES 36
#define BERT_REGION       40
#define BERT_BYTES        48

/* More than that is no error record, but somebody else's memory. */
#define REGION_BYTES_MAX (1U << 20)

#define BLOCK_STATUS     0
#define BLOCK_RAW_OFFSET 4
#define BLOCK_RAW_BYTES  8
#define BLOCK_DATA_BYTES 12
#define BLOCK_SEVERITY   16
#define BLOCK_HEAD_BYTES 20

#define STATUS_UNCORRECTED 1U /* valid bits; 2 and 3: more than one */
#define STATUS_CORRECTED   2U

#define DATA_SEVERITY    16
#define DATA_REVISION    20
#define DATA_BYTES       24
#define DATA_HEAD_BYTES  64
#define DATA_HEAD3_BYTES 72 /* with a time, from revision 3 on */

#define MEMORY_VALID         0
#define MEMORY_ADDRESS       16
#define MEMORY_BYTES_MIN     24
#define MEMORY_ADDRESS_VALID (1ULL << 1)

static const struct {
    uint8_t guid[16];
    const char *kind;
} kinds[] = {
    {{0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e, 0xb8, 0x63, 0x3e, 0x83,
      0xed, 0x7c, 0x83, 0xb1},
     "memory"},
    {{0xad, 0xcc, 0x76, 0x98, 0xb4, 0x47, 0xdb, 0x4b, 0xb6, 0x5e, 0x16, 0xf1,
      0x93, 0xc4, 0xf3, 0xdb},
     "processor"},
    {{0xb0, 0xa0, 0x3e, 0xdc, 0x44, 0xa1, 0x97, 0x47, 0xb9, 0x5b, 0x53, 0xfa,
      0x24, 0x2b, 0x6e, 0x1d},
     "x86 processor"},
    {{0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43, 0xad, 0x91, 0xb4, 0x4d,
      0xcb, 0x3c, 0x6f, 0x35},
     "PCI Express"},
    {{0x96, 0x2a, 0x21, 0x81, 0xed, 0x09, 0x96, 0x49, 0x94, 0x71, 0x8d, 0x72,
      0x9c, 0x8e, 0x69, 0xed},
     "firmware"},
};

#define KIND_MEMORY 0

static struct error_block last;
static bool has_last; /* c, as is what it speaks of */

static enum error_severity severity_of(uint32_t v)
{
    return v < ERROR_NONE ? (enum error_severity)v : ERROR_NONE;
}

const char *error_severity_text(enum error_severity severity)
{
    switch (severity) {
    case ERROR_RECOVERABLE:
        return "recoverable";
    case ERROR_FATAL:
        return "fatal";
    case ERROR_CORRECTED:
        return "corrected";
    case ERROR_NONE:
        break;
    }
    return "informational";
}

bool acpi_bert_parse(const struct acpi_header *table, maddr_t *ret_at,
                     uint32_t *ret_bytes)
{
    const uint8_t *b = (const void *)table;
    uint32_t bytes;
    maddr_t at;

    if (table->length < BERT_BYTES ||
        memcmp(table->signature, "BERT", 4) != 0) {
        return false;
    }
    bytes = get32(b + BERT_REGION_BYTES);
    at = get64(b + BERT_REGION);
    if (at == 0 || at >= ACPI_MADDR_END || bytes < BLOCK_HEAD_BYTES ||
        bytes > REGION_BYTES_MAX) {
        return false;
    }
    *ret_at = at;
    *ret_bytes = bytes;
    return true;
}

static void add_section(struct error_block *block, const uint8_t *e,
                        const uint8_t *data, size_t bytes)
{
    struct error_section s = {
        .kind = "unknown",
        .severity = severity_of(get32(e + DATA_SEVERITY)),
    };

    if (block->section_count == ERROR_SECTIONS_MAX) {
        block->dropped++;
        return;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (memcmp(e, kinds[i].guid, sizeof(kinds[i].guid)) != 0) {
            continue;
        }
        s.kind = kinds[i].kind;
        if (i == KIND_MEMORY && bytes >= MEMORY_BYTES_MIN &&
            (get64(data + MEMORY_VALID) & MEMORY_ADDRESS_VALID) != 0) {
            s.address = get64(data + MEMORY_ADDRESS);
            s.has_address = s.address < ACPI_MADDR_END;
        }
    }
    block->section[block->section_count++] = s;
}

bool error_block_parse(const uint8_t *block, size_t bytes,
                       struct error_block *ret_block)
{
    struct error_block r = {0};
    size_t at = BLOCK_HEAD_BYTES, end;
    uint32_t data_bytes;

    if (bytes < BLOCK_HEAD_BYTES ||
        (get32(block + BLOCK_STATUS) &
         (STATUS_UNCORRECTED | STATUS_CORRECTED)) == 0) {
        return false;
    }
    data_bytes = get32(block + BLOCK_DATA_BYTES);
    if (data_bytes > bytes - BLOCK_HEAD_BYTES) {
        data_bytes = (uint32_t)(bytes - BLOCK_HEAD_BYTES);
        r.dropped++; /* cut off */
    }
    end = at + data_bytes;
    r.severity = severity_of(get32(block + BLOCK_SEVERITY));
    while (end - at >= DATA_HEAD_BYTES) {
        const uint8_t *e = block + at;
        size_t head = get16(e + DATA_REVISION) >= 0x300 ? DATA_HEAD3_BYTES
                                                        : DATA_HEAD_BYTES;
        uint32_t n = get32(e + DATA_BYTES);

        if (head > end - at || n > end - at - head) {
            r.dropped++;
            break;
        }
        add_section(&r, e, e + head, n);
        at += head + n;
    }
    *ret_block = r;
    return true;
}

static void report(void)
{
    pr_err("dev: the previous boot ended with a hardware error, %s (BERT)",
           error_severity_text(last.severity));
    for (unsigned int i = 0; i < last.section_count; i++) {
        const struct error_section *s = &last.section[i];

        if (s->has_address) {
            pr_err("dev: BERT: %s: %s error at 0x%lx",
                   error_severity_text(s->severity), s->kind, s->address);
        } else {
            pr_err("dev: BERT: %s: %s error", error_severity_text(s->severity),
                   s->kind);
        }
    }
    if (last.dropped != 0) {
        pr_warn("dev: BERT: %u sections cut off, malformed or too many",
                last.dropped);
    }
}

void acpi_bert_init(void)
{
    const struct acpi_header *h = acpi_find_table("BERT", 0);
    const uint8_t *block;
    uint32_t bytes;
    maddr_t at;

    has_last = false;
    if (h == NULL) {
        return;
    }
    if (!acpi_bert_parse(h, &at, &bytes)) {
        pr_warn("dev: ACPI BERT names no error region, ignored");
        return;
    }
    /* The last boot's guests could have written an "error" into memory. */
    if (acpi_range_has(at, bytes, ACPI_RAM)) {
        pr_warn("dev: ACPI BERT: its region at 0x%lx is ordinary memory, "
                "ignored",
                at);
        return;
    }
    block = acpi_map(at, bytes);
    if (block == NULL) {
        pr_warn("dev: ACPI BERT: nothing can be at 0x%lx, ignored", at);
        return;
    }
    has_last = error_block_parse(block, bytes, &last);
    if (has_last) {
        report();
    }
}

const struct error_block *acpi_bert(void)
{
    return has_last ? &last : NULL;
}
