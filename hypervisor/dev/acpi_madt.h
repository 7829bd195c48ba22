/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_madt.h - processors, IO-APICs and interrupt overrides.
 */
#ifndef VIGIL_DEV_ACPI_MADT_H
#define VIGIL_DEV_ACPI_MADT_H

#include "dev/acpi.h"

#define MADT_CPUS_MAX        64
#define MADT_IOAPICS_MAX     16
#define MADT_OVERRIDES_MAX   16
#define MADT_NMIS_MAX        (MADT_CPUS_MAX * 2) /* two pins each */
#define MADT_NMI_SOURCES_MAX 8

/*
 * In the firmware's order.  No two enabled ones have the same APIC ID.  Both
 * kinds of entries are here, those with 8-bit and those with 32-bit APIC IDs.
 */
struct madt_cpu {
    uint32_t apic_id;
    uint32_t acpi_uid;      /* the name AML and Dom0 know it by */
    bool is_enabled;        /* there, to be started                      */
    bool is_online_capable; /* not enabled, but may be added later  */
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

#define MADT_UID_ALL 0xffffffffU

struct madt_lapic_nmi {
    uint32_t acpi_uid; /* MADT_UID_ALL: every processor */
    uint8_t lint;      /* 0 or 1                        */
    uint16_t flags;
};

/* A line of an IO-APIC that the board wires to deliver NMIs. */
struct madt_nmi_source {
    uint32_t gsi;
    uint16_t flags;
};

struct acpi_madt {
    uint64_t lapic_address; /* page aligned, below 2^52 */
    bool has_8259;
    unsigned int cpu_count, ioapic_count, override_count, nmi_count;
    unsigned int dropped; /* entries beyond our limits or malformed */
    struct madt_cpu cpu[MADT_CPUS_MAX];
    struct madt_ioapic ioapic[MADT_IOAPICS_MAX];
    struct madt_override override[MADT_OVERRIDES_MAX];
    struct madt_lapic_nmi nmi[MADT_NMIS_MAX];
    unsigned int nmi_source_count;
    struct madt_nmi_source nmi_source[MADT_NMI_SOURCES_MAX];
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

/**
 * madt_nmi_pin() - is this pin of this processor wired to NMI?
 * @m:         parsed table
 * @acpi_uid:  the processor, madt_cpu.acpi_uid
 * @lint:      0 or 1
 * @ret_flags: polarity and trigger; set when true is returned
 *
 * Pure.  Context: any.
 * Return:  true: the firmware says so
 */
bool madt_nmi_pin(const struct acpi_madt *m, uint32_t acpi_uid,
                  unsigned int lint, uint16_t *ret_flags);

#endif
