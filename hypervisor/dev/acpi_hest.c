/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_hest.c - read the hardware error source table.
 *
 * Source: ACPI 6.4, 18.3.2.
 */
#include "dev/acpi_hest.h"

#include "lib/string.h"
#include "log/printk.h"
#include "dev/acpi_bytes.h"

#define HEST_COUNT   36
#define HEST_ENTRIES 40

#define ENTRY_ID      2
#define ENTRY_ENABLED 7
#define BANK_BYTES    28

#define MCE_BYTES 40
#define MCE_BANKS 32
#define CMC_BYTES 48
#define CMC_BANKS 44

#define GENERIC_STATUS      20
#define GENERIC_NOTIFY      32
#define GENERIC_BLOCK       60
#define GENERIC_BYTES       64
#define GENERIC_ACK         64
#define GENERIC_ACK_KEEP    76
#define GENERIC_ACK_SET     84
#define GENERIC_V2_BYTES    92
#define NOTIFY_STRUCT_BYTES 28

/* A status block's head; a source that offers less offers nothing. */
#define BLOCK_BYTES_MIN 20
#define BLOCK_BYTES_MAX (1U << 20)

static struct acpi_hest hest; /* c */

/* Bytes of the source at @e; 0: not known, or it does not fit in @left. */
static size_t source_bytes(const uint8_t *e, size_t left)
{
    size_t bytes = 0;

    if (left < 2) {
        return 0;
    }
    switch (get16(e)) {
    case HEST_MACHINE_CHECK:
        bytes = MCE_BYTES;
        if (left >= bytes) {
            bytes += (size_t)e[MCE_BANKS] * BANK_BYTES;
        }
        break;
    case HEST_CORRECTED_CHECK:
    case HEST_DEFERRED_CHECK:
        bytes = CMC_BYTES;
        if (left >= bytes) {
            bytes += (size_t)e[CMC_BANKS] * BANK_BYTES;
        }
        break;
    case HEST_NMI:
        bytes = 20;
        break;
    case HEST_PCIE_ROOT:
        bytes = 48;
        break;
    case HEST_PCIE_DEVICE:
        bytes = 44;
        break;
    case HEST_PCIE_BRIDGE:
        bytes = 56;
        break;
    case HEST_GENERIC:
        bytes = GENERIC_BYTES;
        break;
    case HEST_GENERIC_V2:
        bytes = GENERIC_V2_BYTES;
        break;
    default:
        break;
    }
    return bytes <= left ? bytes : 0;
}

static bool gas_is_usable(const struct acpi_gas *g)
{
    return g->address != 0 &&
           ((g->space == ACPI_SPACE_MEMORY && g->address < ACPI_MADDR_END) ||
            (g->space == ACPI_SPACE_IO && g->address <= 0xffff));
}

static bool add_generic(struct acpi_hest *h, const uint8_t *e)
{
    struct hest_generic g = {
        .id = get16(e + ENTRY_ID),
        .notify = e[GENERIC_NOTIFY],
        .status = get_gas(e + GENERIC_STATUS),
        .block_bytes = get32(e + GENERIC_BLOCK),
    };

    if (!gas_is_usable(&g.status) || g.notify > HEST_NOTIFY_LAST ||
        e[GENERIC_NOTIFY + 1] < NOTIFY_STRUCT_BYTES ||
        g.block_bytes < BLOCK_BYTES_MIN || g.block_bytes > BLOCK_BYTES_MAX ||
        h->generic_count == HEST_GENERIC_MAX) {
        return false;
    }
    if (get16(e) == HEST_GENERIC_V2) {
        g.has_ack = true;
        g.ack = get_gas(e + GENERIC_ACK);
        g.ack_keep = get64(e + GENERIC_ACK_KEEP);
        g.ack_set = get64(e + GENERIC_ACK_SET);
        if (!gas_is_usable(&g.ack)) {
            return false;
        }
    }
    h->generic[h->generic_count++] = g;
    return true;
}

bool acpi_hest_parse(const struct acpi_header *table,
                     struct acpi_hest *ret_hest)
{
    const uint8_t *b = (const void *)table;
    size_t at = HEST_ENTRIES, end = table->length;
    uint32_t count;

    memset(ret_hest, 0, sizeof(*ret_hest));
    if (end < HEST_ENTRIES || memcmp(table->signature, "HEST", 4) != 0) {
        return false;
    }
    count = get32(b + HEST_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *e = b + at;
        size_t bytes = source_bytes(e, end - at);
        uint16_t type;

        if (bytes == 0) {
            ret_hest->dropped += count - i;
            break;
        }
        type = get16(e);
        /* The NMI source has no such flag. */
        if (type == HEST_NMI || e[ENTRY_ENABLED] != 0) {
            if ((type == HEST_GENERIC || type == HEST_GENERIC_V2) &&
                !add_generic(ret_hest, e)) {
                ret_hest->dropped++;
            } else {
                ret_hest->count[type]++;
                ret_hest->source_count++;
            }
        } else {
            ret_hest->source_count++;
        }
        at += bytes;
    }
    return true;
}

static unsigned int generic_by(uint8_t notify)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < hest.generic_count; i++) {
        n += hest.generic[i].notify == notify;
    }
    return n;
}

void acpi_hest_init(void)
{
    const struct acpi_header *h = acpi_find_table("HEST", 0);
    unsigned int by_nmi, by_polling;

    memset(&hest, 0, sizeof(hest));
    if (h == NULL) {
        return;
    }
    if (!acpi_hest_parse(h, &hest)) {
        pr_warn("dev: ACPI HEST of %u bytes is too short, ignored", h->length);
        return;
    }
    if (hest.dropped != 0) {
        pr_warn("dev: ACPI HEST: %u error sources make no sense or are not "
                "known, ignored",
                hest.dropped);
    }
    by_nmi = generic_by(HEST_BY_NMI);
    by_polling = generic_by(HEST_BY_POLLING);
    pr_info("dev: ACPI error sources: machine check %u, corrected %u, deferred "
            "%u, NMI %u, PCIe %u, generic by NMI %u, polled %u, others %u",
            hest.count[HEST_MACHINE_CHECK], hest.count[HEST_CORRECTED_CHECK],
            hest.count[HEST_DEFERRED_CHECK], hest.count[HEST_NMI],
            hest.count[HEST_PCIE_ROOT] + hest.count[HEST_PCIE_DEVICE] +
                hest.count[HEST_PCIE_BRIDGE],
            by_nmi, by_polling, hest.generic_count - by_nmi - by_polling);
}

const struct acpi_hest *acpi_hest(void)
{
    return &hest;
}
