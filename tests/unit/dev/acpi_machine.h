/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/dev/acpi_machine.h - a machine's firmware tables, made by a test.
 *
 * Tables are allocations of their exact size, so that AddressSanitizer sees
 * each byte read too far.  machine_put() gives one an address, from which
 * iomap() hands it out; everything else there reads as all ones.
 */
#ifndef VIGIL_TESTS_ACPI_MACHINE_H
#define VIGIL_TESTS_ACPI_MACHINE_H

#include "tests/unit/unit.h"

#include "crash/reboot.h"
#include "mm/memmap.h"
#include "dev/acpi.h"

void put16(void *p, uint16_t v);
void put32(void *p, uint32_t v);
void put64(void *p, uint64_t v);

/* Make @bytes sum up to zero by changing the one at @at. */
void fix_sum(uint8_t *p, size_t bytes, size_t at);

/* A table of exactly @bytes, all zero but signature and length; free() it. */
void *table(const char *signature, uint32_t bytes);

/* A table that iasl made of acpi/<name>.asl; free() it. */
void *fixture_load(const char *name, size_t *ret_bytes);

/* Nothing in memory; machine_put()'s copies are freed. */
void machine_reset(void);

/* A copy of @bytes at machine address @a, as the firmware left it. */
void machine_put(maddr_t a, const void *p, size_t bytes);

/* What iomap() says where machine_put() put nothing: NULL, not ones. */
extern bool machine_is_full;

/* The memory map; ends with a region whose end is 0. */
extern const struct memmap_region *machine_map;

/* A machine of 40 address bits in ACPI mode: ports read as all ones. */
void machine_hardware(void);

/* What the code under test plugged into crash/reboot.h. */
extern const struct reboot_ops *machine_reboot_ops;

#endif
