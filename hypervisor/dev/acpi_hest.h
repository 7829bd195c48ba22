/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_hest.h - which hardware error sources the firmware offers.
 *
 * What matters to ras/ are generic sources announced by an NMI: the firmware
 * has written a status block to memory before.  The others are counted.
 */
#ifndef VIGIL_DEV_ACPI_HEST_H
#define VIGIL_DEV_ACPI_HEST_H

#include "dev/acpi.h"

#define HEST_GENERIC_MAX 32

/* Types of sources (ACPI 18.3.2). */
#define HEST_MACHINE_CHECK   0
#define HEST_CORRECTED_CHECK 1
#define HEST_NMI             2
#define HEST_PCIE_ROOT       6
#define HEST_PCIE_DEVICE     7
#define HEST_PCIE_BRIDGE     8
#define HEST_GENERIC         9
#define HEST_GENERIC_V2      10
#define HEST_DEFERRED_CHECK  11
#define HEST_TYPES           12

/* How a source makes itself heard (ACPI 18.3.2.9). */
#define HEST_BY_POLLING  0
#define HEST_BY_NMI      4
#define HEST_BY_MCE      6
#define HEST_NOTIFY_LAST 12

struct hest_generic {
    uint16_t id;
    uint8_t notify;             /* HEST_BY_* and others                    */
    bool has_ack;               /* version 2: a register says "I read it"  */
    struct acpi_gas status;     /* register that holds the block's address */
    uint32_t block_bytes;       /* most the block can have                 */
    struct acpi_gas ack;        /* with has_ack: read it, keep the bits of */
    uint64_t ack_keep, ack_set; /* ack_keep, add those of ack_set        */
};

struct acpi_hest {
    unsigned int source_count;      /* understood, enabled or not           */
    unsigned int count[HEST_TYPES]; /* enabled ones                         */
    unsigned int dropped; /* malformed, unknown, or beyond our limits       */
    unsigned int generic_count;
    struct hest_generic generic[HEST_GENERIC_MAX]; /* enabled ones          */
};

/**
 * acpi_hest_parse() - read a HEST
 * @table:    table whose length and checksum were verified
 * @ret_hest: filled in
 *
 * An entry's length follows from its type: behind the first one of a type
 * that is not known, or that does not fit, nothing is read.
 *
 * Pure.  Context: any.
 * Return:  true: it is long enough to be a HEST
 */
bool acpi_hest_parse(const struct acpi_header *table,
                     struct acpi_hest *ret_hest);

/**
 * acpi_hest_init() - read this machine's table and say what is in it
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void acpi_hest_init(void);

/**
 * acpi_hest() - this machine's
 *
 * Context: any, after acpi_init(); constant.
 * Return:  sources; all zero where the firmware has none
 */
const struct acpi_hest *acpi_hest(void);

#endif
