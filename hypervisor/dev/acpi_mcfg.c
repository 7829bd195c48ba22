/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_mcfg.c - read the memory-mapped configuration table.
 *
 * Source: PCI Firmware Specification 3.2, 4.1.2.
 */
#include "dev/acpi_mcfg.h"

#include "lib/string.h"
#include "log/printk.h"
#include "dev/acpi_bytes.h"

#define MCFG_ENTRIES 44 /* header and eight reserved bytes */
#define ENTRY_BYTES  16

static struct acpi_mcfg mcfg; /* c */

static maddr_t window_start(const struct mcfg_window *w)
{
    return w->base + ((maddr_t)w->bus_first << MCFG_BUS_SHIFT);
}

static maddr_t window_end(const struct mcfg_window *w)
{
    return w->base + ((maddr_t)(w->bus_last + 1U) << MCFG_BUS_SHIFT);
}

static bool windows_clash(const struct mcfg_window *a,
                          const struct mcfg_window *b)
{
    if (a->segment == b->segment && a->bus_first <= b->bus_last &&
        b->bus_first <= a->bus_last) {
        return true;
    }
    return window_start(a) < window_end(b) && window_start(b) < window_end(a);
}

static bool window_add(struct acpi_mcfg *m, const struct mcfg_window *w)
{
    /* 255 MiB behind an aligned base below the limit cannot wrap. */
    if (w->base == 0 || (w->base & (MCFG_BUS_BYTES - 1)) != 0 ||
        w->base >= ACPI_MADDR_END || w->bus_first > w->bus_last ||
        window_end(w) > ACPI_MADDR_END || m->count == MCFG_WINDOWS_MAX) {
        return false;
    }
    for (unsigned int i = 0; i < m->count; i++) {
        if (windows_clash(&m->window[i], w)) {
            return false;
        }
    }
    m->window[m->count++] = *w;
    return true;
}

bool acpi_mcfg_parse(const struct acpi_header *table,
                     struct acpi_mcfg *ret_mcfg)
{
    const uint8_t *b = (const void *)table;
    size_t end = table->length;

    memset(ret_mcfg, 0, sizeof(*ret_mcfg));
    if (end < MCFG_ENTRIES || memcmp(table->signature, "MCFG", 4) != 0) {
        return false;
    }
    for (size_t at = MCFG_ENTRIES; end - at >= ENTRY_BYTES; at += ENTRY_BYTES) {
        const struct mcfg_window w = {
            .base = get64(b + at),
            .segment = get16(b + at + 8),
            .bus_first = b[at + 10],
            .bus_last = b[at + 11],
        };

        if (!window_add(ret_mcfg, &w)) {
            ret_mcfg->dropped++;
        }
    }
    if ((end - MCFG_ENTRIES) % ENTRY_BYTES != 0) {
        ret_mcfg->dropped++; /* half an entry */
    }
    return true;
}

void acpi_mcfg_init(void)
{
    const struct acpi_header *h = acpi_find_table("MCFG", 0);
    unsigned int kept = 0;

    mcfg.count = 0;
    if (h == NULL) {
        return;
    }
    if (!acpi_mcfg_parse(h, &mcfg)) {
        pr_warn("dev: ACPI MCFG of %u bytes is too short, ignored", h->length);
        return;
    }
    if (mcfg.dropped != 0) {
        pr_warn("dev: ACPI MCFG: %u windows make no sense, ignored",
                mcfg.dropped);
    }
    for (unsigned int i = 0; i < mcfg.count; i++) {
        const struct mcfg_window *w = &mcfg.window[i];

        if (acpi_range_has(window_start(w), window_end(w) - window_start(w),
                           ACPI_RAM | ACPI_FIRMWARE)) {
            pr_warn("dev: ACPI MCFG: window at 0x%lx has memory in it, ignored",
                    window_start(w));
            continue;
        }
        pr_info("dev: PCI segment %u buses %u-%u: configuration at 0x%lx",
                w->segment, w->bus_first, w->bus_last, window_start(w));
        mcfg.window[kept++] = *w;
    }
    mcfg.count = kept;
}

const struct acpi_mcfg *acpi_mcfg(void)
{
    return &mcfg;
}

maddr_t mcfg_base(uint16_t segment, uint8_t bus)
{
    for (unsigned int i = 0; i < mcfg.count; i++) {
        const struct mcfg_window *w = &mcfg.window[i];

        if (w->segment == segment && bus >= w->bus_first &&
            bus <= w->bus_last) {
            return w->base + ((maddr_t)bus << MCFG_BUS_SHIFT);
        }
    }
    return 0;
}
