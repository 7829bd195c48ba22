/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_hpet.h - where the high precision event timer is.
 */
#ifndef VIGIL_DEV_ACPI_HPET_H
#define VIGIL_DEV_ACPI_HPET_H

#include "dev/acpi.h"

#define HPET_BYTES 1024 /* of registers */

struct acpi_hpet {
    maddr_t base; /* of HPET_BYTES registers, aligned to their size; 0: none */
    uint8_t number;
    uint16_t min_tick; /* of a periodic comparator, in ticks; a hint         */
};

/**
 * acpi_hpet_parse() - read an HPET table
 * @table:    table whose length and checksum were verified
 * @ret_hpet: filled in
 *
 * Pure.  Context: any.
 * Return:  true: it names registers in memory
 */
bool acpi_hpet_parse(const struct acpi_header *table,
                     struct acpi_hpet *ret_hpet);

/**
 * acpi_hpet_init() - read this machine's first table
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void acpi_hpet_init(void);

/**
 * acpi_hpet() - this machine's
 *
 * Context: any, after acpi_init(); constant.
 * Return:  description; its base is 0 where there is none
 */
const struct acpi_hpet *acpi_hpet(void);

#endif
