/* SPDX-License-Identifier: MIT */
/*
 * crash/symbols.h - from address to name.
 *
 * The table is made at build time by hypervisor/tools/mksyms.py from the
 * output of nm, and linked in: offsets from __image_start, sorted, and one
 * string of NUL-terminated names.  A first link uses an empty table, a second
 * one of the true size, behind which the boot code has its true place.
 */
#ifndef VIGIL_CRASH_SYMBOLS_H
#define VIGIL_CRASH_SYMBOLS_H

#include "lib/compiler.h"
#include "lib/types.h"

struct symbol_entry {
    uint32_t offset; /* address - start of the image                     */
    uint32_t name;   /* byte offset into symbol_names                    */
};

/* Generated (mksyms.py); read-only. */
extern const uint32_t symbol_count;
extern const struct symbol_entry symbol_table[];
extern const char symbol_names[];

/**
 * symbol_lookup() - find the function an address lies in
 * @addr:       any address
 * @ret_offset: distance from its start; set only if a name is returned
 * @ret_size:   size of the function, up to the next symbol; likewise
 *
 * Context: any.
 * Return:  name; NULL: not in the image's code, or no table
 */
const char *symbol_lookup(uint64_t addr, uint64_t *ret_offset,
                          uint64_t *ret_size);

/**
 * symbol_format() - write "name+0x12/0x80" or the bare address
 * @buf:  destination, NUL-terminated afterwards
 * @size: its size, not 0
 * @addr: any address
 *
 * Context: any.
 * Return:  bytes stored before the NUL
 */
size_t symbol_format(char *buf, size_t size, uint64_t addr);

/**
 * symbol_format_return() - symbol_format() for an address a call returns to
 * @buf:  destination, NUL-terminated afterwards
 * @size: its size, not 0
 * @addr: any address
 *
 * Behind a call that does not return there may be another function already.
 * Context: any.
 * Return:  bytes stored before the NUL
 */
size_t symbol_format_return(char *buf, size_t size, uint64_t addr);

#endif
