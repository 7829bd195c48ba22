/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi.h - finding the firmware's tables, and the few registers of the
 * fixed hardware that the hypervisor uses itself: sleep and reset.
 *
 * Tables are input from outside: every length is bounded, every checksum
 * verified, nothing is followed before it has been.  AML is the control
 * domain's business.
 */
#ifndef VIGIL_DEV_ACPI_H
#define VIGIL_DEV_ACPI_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/types.h"
#include "mm/memmap.h"

#define ACPI_TABLE_BYTES_MAX (1U << 20)

struct acpi_header {
    char signature[4];
    uint32_t length; /* whole table, this header included */
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
} PACKED;

/**
 * acpi_init() - find the root table and remember the tables behind it
 * @rsdp:       copy of the root pointer the boot loader gave, or NULL
 * @rsdp_bytes: its length
 *
 * Without @rsdp the BIOS areas are searched; a UEFI machine has none, so there
 * the caller always gives one, be it of 0 bytes.  Finds FADT registers and plugs
 * reset into crash/reboot.h.  Failure is logged; the machine then has no
 * IO-APIC and no sleep.
 *
 * Context: boot, after hvmap_init().
 * Return:  0; -ENOENT: no valid root pointer or root table
 */
int acpi_init(const void *rsdp, size_t rsdp_bytes) MUST_CHECK;

/**
 * acpi_find_table() - a table by its signature
 * @signature: four characters
 * @instance:  0 for the first of that name
 *
 * Context: any but NMI/#MC; the pointer may be kept and read anywhere.
 * Return:  verified table, header->length bytes readable; NULL: none
 */
const struct acpi_header *acpi_find_table(const char *signature,
                                          unsigned int instance);

/**
 * acpi_map() - map what a table points to
 * @a:     machine address, any value
 * @bytes: length, any value
 *
 * Uncached and for good.
 *
 * Context: boot.
 * Return:  pointer to @a; NULL: no processor can address it, or no room
 */
void *acpi_map(maddr_t a, size_t bytes) MUST_CHECK;

/* Types of memory for acpi_range_has(). */
#define ACPI_RAM      (1U << MEMMAP_RAM | 1U << MEMMAP_KEPT)
#define ACPI_FIRMWARE (1U << MEMMAP_ACPI | 1U << MEMMAP_NVS)

/**
 * acpi_range_has() - is there memory of a kind in a range?
 * @start: machine address
 * @bytes: length; the range does not wrap
 * @types: ACPI_RAM, ACPI_FIRMWARE, or both
 *
 * Device registers do not lie in memory, whatever a table says.
 *
 * Context: boot.
 * Return:  true: by the memory map there is
 */
bool acpi_range_has(maddr_t start, uint64_t bytes, unsigned int types);

/**
 * acpi_map_table() - map and verify a table that the root does not list
 * @a:         machine address, any value
 * @signature: four characters it must have
 *
 * Context: boot.
 * Return:  verified table; NULL: nonsense, which the log names
 */
const struct acpi_header *acpi_map_table(maddr_t a, const char *signature)
    MUST_CHECK;

/**
 * acpi_rsdp_maddr() - where the root pointer lies in machine memory
 *
 * Context: any.
 * Return:  address; 0: none, or known only from the loader's copy
 */
maddr_t acpi_rsdp_maddr(void);

/**
 * acpi_checksum_ok() - do these bytes sum up to zero?
 * @p:     bytes
 * @bytes: how many
 *
 * Pure.  Context: any.
 * Return:  true: they do
 */
bool acpi_checksum_ok(const void *p, size_t bytes);

/**
 * acpi_rsdp_parse() - check a root pointer structure
 * @p:         bytes, any alignment
 * @bytes:     how many may be read
 * @ret_root:  machine address of the root table
 * @ret_is_xsdt: its entries are 8 bytes wide (else 4)
 *
 * Pure.  Context: any.
 * Return:  true: valid
 */
bool acpi_rsdp_parse(const void *p, size_t bytes, maddr_t *ret_root,
                     bool *ret_is_xsdt);

/* Address spaces of a generic address. */
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO     1
#define ACPI_SPACE_PCI    2

#define ACPI_GAS_BYTES 12

/* A generic address structure (ACPI 5.2.3.2), as it came: not checked. */
struct acpi_gas {
    uint8_t space;         /* ACPI_SPACE_*, others exist */
    uint8_t width, offset; /* bits */
    uint8_t access;
    uint64_t address;
};

struct acpi_fixed {
    uint16_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt; /* ports, 0: none  */
    uint16_t pm_timer;
    bool pm_timer_is_32bit; /* else 24 bits                             */
    bool is_reduced;        /* hardware-reduced ACPI: none of these registers */
    bool has_8042;          /* a keyboard controller, as far as is known      */
    uint16_t sci;           /* its interrupt line: GSI, or ISA with an 8259   */
    uint32_t smi_command;
    uint8_t enable_value; /* written to smi_command: into ACPI mode     */
    uint64_t dsdt;        /* machine address, 0: none                   */
    uint64_t reset_address;
    uint8_t reset_space; /* ACPI_SPACE_*                                */
    uint8_t reset_value;
    bool has_reset;
};

/**
 * acpi_fadt_parse() - pick the fixed hardware out of a FADT
 * @fadt:      table whose length and checksum were verified
 * @ret_fixed: filled in
 *
 * Pure.  Context: any.
 * Return:  true: it is a FADT and long enough to be one
 */
bool acpi_fadt_parse(const struct acpi_header *fadt,
                     struct acpi_fixed *ret_fixed);

/**
 * acpi_s5_parse() - the sleep types for "off" in a table of AML
 * @aml:       bytes of the DSDT after its header
 * @bytes:     how many
 * @ret_typ_a: value for PM1a's SLP_TYP, 0 .. 7
 * @ret_typ_b: value for PM1b's
 *
 * Looks for the package named _S5_ and reads its first two integers; does not
 * interpret AML.  Only used when the hypervisor itself must switch off.
 *
 * Pure.  Context: any.
 * Return:  true: found
 */
bool acpi_s5_parse(const uint8_t *aml, size_t bytes, uint8_t *ret_typ_a,
                   uint8_t *ret_typ_b);

/**
 * acpi_power_init() - read this machine's FADT and enter ACPI mode
 *
 * Plugs reset and power off into crash/reboot.h.
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void acpi_power_init(void);

/**
 * acpi_fixed() - the fixed hardware of this machine
 *
 * Context: any, after acpi_init().
 * Return:  its description; all zero without a FADT
 */
const struct acpi_fixed *acpi_fixed(void);

/**
 * acpi_enter_sleep() - write the sleep registers (XENPF_enter_acpi_sleep)
 * @pm1a_val: value for PM1a control, SLP_TYP as the control domain's AML says
 * @pm1b_val: value for PM1b control
 *
 * SLP_EN is set by us.  For S5 this does not return.
 *
 * Context: any but NMI/#MC; interrupts off.
 * Return:  -ENODEV no such register; -EIO still awake after a second
 */
int acpi_enter_sleep(uint16_t pm1a_val, uint16_t pm1b_val);

/**
 * acpi_reset() - reset the machine through the FADT's register
 *
 * Context: any, dying included.
 * Return:  only if there is no such register, or it does nothing
 */
void acpi_reset(void);

#endif
