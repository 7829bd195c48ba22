/* SPDX-License-Identifier: MIT */
/*
 * pv/elf.h - read a 64-bit ELF executable that may be anything.
 *
 * The file is a loader module or what came out of a decompressor: hostile.
 * elf_open() checks every offset and size once; after it succeeds the other
 * functions stay inside the file.  The file must not change meanwhile.
 * Pure: no allocation, no log.
 */
#ifndef VIGIL_PV_ELF_H
#define VIGIL_PV_ELF_H

#include "lib/compiler.h"
#include "lib/types.h"

#define ELF_PT_LOAD 1
#define ELF_PT_NOTE 4

struct elf_file {
    const uint8_t *data;
    uint64_t bytes;
    uint64_t entry; /* e_entry, not checked: any value */
    uint64_t ph_offset;
    unsigned int ph_count;
};

struct elf_segment {
    uint32_t type; /* ELF_PT_* or another */
    uint64_t vaddr, paddr;
    const uint8_t *data; /* file_bytes of them are there            */
    uint64_t file_bytes; /* not above mem_bytes for a loadable one  */
    uint64_t mem_bytes;  /* paddr + mem_bytes does not wrap         */
};

/**
 * elf_open() - is this a sane x86-64 executable?
 * @data:    file contents, kept by the caller
 * @bytes:   its length
 * @ret_elf: filled in when 0 is returned
 * @ret_why: one phrase, static, when it is not
 *
 * Context: any.
 * Return:  0, -EINVAL
 */
int elf_open(const void *data, uint64_t bytes, struct elf_file *ret_elf,
             const char **ret_why) MUST_CHECK;

/**
 * elf_segment() - the n-th program header
 * @elf:         opened file
 * @idx:         from 0
 * @ret_segment: filled in
 *
 * Context: any.
 * Return:  true, or false past the last one
 */
bool elf_segment(const struct elf_file *elf, unsigned int idx,
                 struct elf_segment *ret_segment);

/**
 * elf_load_range() - physical addresses the loadable segments cover
 * @elf:       opened file
 * @ret_start: lowest paddr
 * @ret_end:   first address after the highest
 *
 * Context: any.
 * Return:  true, or false when nothing is to be loaded
 */
bool elf_load_range(const struct elf_file *elf, uint64_t *ret_start,
                    uint64_t *ret_end);

#endif
