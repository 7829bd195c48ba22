/* SPDX-License-Identifier: MIT */
/*
 * boot/loader.h - what the boot loader told us, in one shape for all loaders.
 *
 * All of it is input from outside: copied and bounded here, believed nowhere.
 */
#ifndef VIGIL_BOOT_LOADER_H
#define VIGIL_BOOT_LOADER_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "dev/fbcon.h"

#define LOADER_CMDLINE_BYTES 2048
#define LOADER_MODULES 8
#define LOADER_MMAP_ENTRIES 256
#define LOADER_RSDP_BYTES 64

struct loader_module {
    maddr_t start;
    uint64_t bytes;
    char cmdline[LOADER_CMDLINE_BYTES];
};

struct loader_range {
    maddr_t start;
    uint64_t bytes;
    uint32_t type;
};

struct loader_info {
    bool is_multiboot1; /* command lines start with a file name */
    char cmdline[LOADER_CMDLINE_BYTES];
    char name[64];
    unsigned int modules;
    struct loader_module module[LOADER_MODULES];
    unsigned int ranges;
    struct loader_range range[LOADER_MMAP_ENTRIES];
    size_t rsdp_bytes; /* 0: none given */
    uint8_t rsdp[LOADER_RSDP_BYTES];
    struct fbcon_mode screen; /* FBCON_NONE: nothing said */
    maddr_t efi_systab; /* 0: not started by UEFI */
    /* In the loader's memory: gone once the allocator stands. */
    const void *efi_map;
    size_t efi_map_bytes, efi_desc_bytes; /* 0: no map given */
    maddr_t info_start; /* where the loader's own data lies */
    uint64_t info_bytes;
};

extern struct loader_info loader_info;

/**
 * loader_read() - copy everything out of the loader's structures
 * @magic: what eax held at entry
 * @info:  what ebx held: machine address below 4 GiB
 *
 * Context: boot, first 4 GiB mapped at DIRECTMAP_VA.
 * Return:  0, -EINVAL: not multiboot 1 or 2, or impossible sizes
 */
int loader_read(uint32_t magic, uint32_t info) MUST_CHECK;

/**
 * multiboot1_parse() - the structure of multiboot 1
 * @info:    its start
 * @at:      pointer to a machine address (first 4 GiB)
 * @ret_out: filled in
 *
 * Context: boot.
 * Return:  0 or -EINVAL
 */
int multiboot1_parse(const void *info, const void *(*at)(uint32_t maddr),
                     struct loader_info *ret_out) MUST_CHECK;

/**
 * multiboot2_parse() - the tags of multiboot 2
 * @info:    its start, 8-byte aligned
 * @ret_out: filled in
 *
 * Context: any; pure.
 * Return:  0 or -EINVAL
 */
int multiboot2_parse(const void *info, struct loader_info *ret_out) MUST_CHECK;

#endif
