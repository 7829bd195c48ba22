/* SPDX-License-Identifier: MIT */
/*
 * dev/efi.h - what UEFI firmware left behind: its memory map and its tables.
 *
 * The boot loader has ended the boot services.  What remains is read once at
 * boot, copied and bounded: all of it is input from outside.
 *
 *   efi_map_load()   before mm/memmap, from the loader's memory
 *   efi_init()       after hvmap_init(): the system table
 *
 * Who uses it: boot/ (memory map), hypercall/efi_op.c (what Dom0 asks).  One
 * CPU, boot; read-only afterwards.
 */
#ifndef VIGIL_DEV_EFI_H
#define VIGIL_DEV_EFI_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/types.h"

/* UEFI 2.10, 7.2.1, EFI_MEMORY_TYPE */
enum efi_memory_type {
    EFI_RESERVED = 0,
    EFI_LOADER_CODE = 1,
    EFI_LOADER_DATA = 2,
    EFI_BOOT_CODE = 3,
    EFI_BOOT_DATA = 4,
    EFI_RUNTIME_CODE = 5,
    EFI_RUNTIME_DATA = 6,
    EFI_CONVENTIONAL = 7,
    EFI_UNUSABLE = 8,
    EFI_ACPI_RECLAIM = 9,
    EFI_ACPI_NVS = 10,
    EFI_MMIO = 11,
    EFI_MMIO_PORTS = 12,
};

/* Attributes of memory (7.2.3). */
#define EFI_ATTR_UC      0x0000000000000001ULL
#define EFI_ATTR_WC      0x0000000000000002ULL
#define EFI_ATTR_WT      0x0000000000000004ULL
#define EFI_ATTR_WB      0x0000000000000008ULL
#define EFI_ATTR_SP      0x0000000000040000ULL /* for a special purpose */
#define EFI_ATTR_RUNTIME 0x8000000000000000ULL

#define EFI_VENDOR_CHARS 100

struct efi_region {
    maddr_t start; /* page aligned */
    uint64_t bytes;
    uint64_t attr;
    uint32_t type; /* enum efi_memory_type, or any other number */
};

/* The system table, as far as somebody asks for it. */
struct efi_system {
    uint32_t revision; /* of UEFI: 2.70 is 0x00020046 */
    uint32_t vendor_revision;
    uint16_t vendor[EFI_VENDOR_CHARS]; /* UCS-2, ends with 0 */
    maddr_t config;                    /* array of the configuration table */
    uint32_t config_count;
    maddr_t runtime; /* table of the runtime services */
};

/**
 * efi_map_load() - copy the firmware's memory map
 * @map:        descriptors; need not be aligned
 * @bytes:      of all of them
 * @desc_bytes: of one: firmware may use more than the specification names
 *
 * Neighbours of one kind become one region.  An entry that is empty, wraps or
 * is beyond 52 bits is left out; what finds no room is counted and named in
 * the log.
 * Context: boot, once, before mm/memmap is filled.
 * Return:  0; -EINVAL: no descriptor can have this size, or none is there
 */
int efi_map_load(const void *map, size_t bytes, size_t desc_bytes) MUST_CHECK;

/**
 * efi_map_region() - the n-th region of the firmware's memory map
 * @idx:        from 0
 * @ret_region: filled in
 *
 * Context: any, after efi_map_load().
 * Return:  true, or false past the last one
 */
bool efi_map_region(unsigned int idx, struct efi_region *ret_region);

/**
 * efi_map_find() - the region that holds an address
 * @a:          machine address
 * @ret_region: filled in
 *
 * Context: any, after efi_map_load().
 * Return:  true, or false: the firmware's map does not name it
 */
bool efi_map_find(maddr_t a, struct efi_region *ret_region);

/**
 * efi_map_e820() - what a region is once the boot services have ended
 * @r: a region
 *
 * Context: any.
 * Return:  type for memmap_add() (enum memmap_type)
 */
uint32_t efi_map_e820(const struct efi_region *r);

/**
 * efi_init() - read the system table
 * @systab: its machine address, as the loader said
 *
 * What is wrong with it is logged; efi_system() then answers NULL.
 * Context: boot, after hvmap_init() and efi_map_load().
 * Return:  nothing.
 */
void efi_init(maddr_t systab);

/**
 * efi_system() - the firmware's description of itself
 *
 * Context: any, after efi_init().
 * Return:  it, for good; NULL: not started by UEFI, or its table is unusable
 */
const struct efi_system *efi_system(void);

#endif
