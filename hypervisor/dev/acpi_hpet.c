/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_hpet.c - read the HPET description table.
 *
 * Source: IA-PC HPET Specification 1.0a, 3.2.4.
 */
#include "dev/acpi_hpet.h"

#include "lib/string.h"
#include "log/printk.h"
#include "dev/acpi_bytes.h"

#define HPET_ADDRESS   40
#define HPET_NUMBER    52
#define HPET_MIN_TICK  53
#define HPET_BYTES_MIN 56

static struct acpi_hpet hpet; /* c */

bool acpi_hpet_parse(const struct acpi_header *table,
                     struct acpi_hpet *ret_hpet)
{
    const uint8_t *b = (const void *)table;
    struct acpi_gas g;

    if (table->length < HPET_BYTES_MIN ||
        memcmp(table->signature, "HPET", 4) != 0) {
        return false;
    }
    g = get_gas(b + HPET_ADDRESS);
    if (g.space != ACPI_SPACE_MEMORY || g.address == 0 ||
        g.address >= ACPI_MADDR_END || (g.address & (HPET_BYTES - 1)) != 0) {
        return false;
    }
    *ret_hpet = (struct acpi_hpet){
        .base = g.address,
        .number = b[HPET_NUMBER],
        .min_tick = get16(b + HPET_MIN_TICK),
    };
    return true;
}

void acpi_hpet_init(void)
{
    const struct acpi_header *h = acpi_find_table("HPET", 0);

    hpet.base = 0;
    if (h == NULL) {
        return;
    }
    if (!acpi_hpet_parse(h, &hpet)) {
        pr_warn("dev: ACPI HPET names no registers, ignored");
    } else if (acpi_range_has(hpet.base, HPET_BYTES,
                              ACPI_RAM | ACPI_FIRMWARE)) {
        pr_warn("dev: ACPI HPET: registers at 0x%lx would be memory, ignored",
                hpet.base);
        hpet.base = 0;
    }
}

const struct acpi_hpet *acpi_hpet(void)
{
    return &hpet;
}
