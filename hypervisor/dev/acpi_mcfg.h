/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_mcfg.h - where PCI configuration space lies in memory (ECAM).
 *
 * Each window serves a range of buses of one segment; a bus has 1 MiB:
 * device << 15 | function << 12 | register.
 *
 * What is kept has been checked: windows lie in machine address space, do not
 * overlap one another and, for this machine's table, no memory of the map.
 */
#ifndef VIGIL_DEV_ACPI_MCFG_H
#define VIGIL_DEV_ACPI_MCFG_H

#include "dev/acpi.h"

#define MCFG_WINDOWS_MAX 32
#define MCFG_BUS_SHIFT   20 /* 1 MiB for each bus */
#define MCFG_BUS_BYTES   (1ULL << MCFG_BUS_SHIFT)

struct mcfg_window {
    maddr_t base; /* where bus 0 of the segment is, or would be */
    uint16_t segment;
    uint8_t bus_first, bus_last; /* both included */
};

struct acpi_mcfg {
    unsigned int count;
    unsigned int dropped; /* malformed, overlapping, or no room for them */
    struct mcfg_window window[MCFG_WINDOWS_MAX];
};

/**
 * acpi_mcfg_parse() - read an MCFG table
 * @table:    table whose length and checksum were verified
 * @ret_mcfg: filled in
 *
 * Pure.  Context: any.
 * Return:  true: it is long enough to be an MCFG
 */
bool acpi_mcfg_parse(const struct acpi_header *table,
                     struct acpi_mcfg *ret_mcfg);

/**
 * acpi_mcfg_init() - read this machine's table
 *
 * A window with memory in it is left out, with a message.
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void acpi_mcfg_init(void);

/**
 * acpi_mcfg() - this machine's windows
 *
 * Context: any, after acpi_init(); constant.
 * Return:  windows; count is 0 where the firmware has none
 */
const struct acpi_mcfg *acpi_mcfg(void);

/**
 * mcfg_base() - the configuration space of one bus
 * @segment: PCI segment group
 * @bus:     bus number
 *
 * Context: any, after acpi_init().
 * Return:  machine address of MCFG_BUS_BYTES bytes; 0: not in any window
 */
maddr_t mcfg_base(uint16_t segment, uint8_t bus);

#endif
