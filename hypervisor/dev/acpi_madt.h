/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_madt.h - processors, IO-APICs and interrupt overrides.
 */
#ifndef VIGIL_DEV_ACPI_MADT_H
#define VIGIL_DEV_ACPI_MADT_H

#include "dev/acpi.h"

#define MADT_CPUS_MAX      64
#define MADT_IOAPICS_MAX   16
#define MADT_OVERRIDES_MAX 16
#define MADT_NMIS_MAX      16

struct madt_cpu {
    uint32_t apic_id;
    uint32_t acpi_uid;
    bool is_enabled;
};

struct madt_ioapic {
    uint8_t id;
    uint32_t address;
    uint32_t gsi_base;
};

struct madt_override {
    uint8_t isa;
    uint32_t gsi;
    uint16_t flags; /* MPS INTI: bits 0-1 polarity, 2-3 trigger */
};

/* MPS INTI flags; 0 means "as the bus does it". */
#define MADT_POLARITY(flags) ((flags)&3)
#define MADT_TRIGGER(flags)  (((flags) >> 2) & 3)
#define MADT_ACTIVE_HIGH     1
#define MADT_ACTIVE_LOW      3
#define MADT_EDGE            1
#define MADT_LEVEL           3

struct madt_lapic_nmi {
    uint32_t acpi_uid; /* 0xff or 0xffffffff: every processor */
    uint8_t lint;      /* 0 or 1                              */
    uint16_t flags;
};

struct acpi_madt {
    uint64_t lapic_address;
    bool has_8259;
    unsigned int cpu_count, ioapic_count, override_count, nmi_count;
    unsigned int dropped; /* entries beyond our limits or malformed */
    struct madt_cpu cpu[MADT_CPUS_MAX];
    struct madt_ioapic ioapic[MADT_IOAPICS_MAX];
    struct madt_override override[MADT_OVERRIDES_MAX];
    struct madt_lapic_nmi nmi[MADT_NMIS_MAX];
};

/**
 * acpi_madt_parse() - read a MADT
 * @table:    table whose length and checksum were verified
 * @ret_madt: filled in
 *
 * Entries that are malformed or too many are counted and skipped.
 *
 * Pure.  Context: any.
 * Return:  true: it is long enough to be a MADT
 */
bool acpi_madt_parse(const struct acpi_header *table,
                     struct acpi_madt *ret_madt);

/**
 * acpi_madt() - this machine's
 *
 * Context: any, after acpi_init().
 * Return:  parsed table; NULL: the firmware has none
 */
const struct acpi_madt *acpi_madt(void);

#endif
