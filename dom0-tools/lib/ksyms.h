/* SPDX-License-Identifier: MIT */
/*
 * lib/ksyms.h - names for addresses of a Linux kernel: out of its own memory
 * (kallsyms, as its vmcoreinfo note says where) or from a System.map.
 *
 * The memory is a guest's: whatever it says may be nonsense, costs a bounded
 * amount of work and memory, and at worst gives wrong names.
 */
#ifndef VIGIL_TOOLS_KSYMS_H
#define VIGIL_TOOLS_KSYMS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"

/* Read @len bytes at a kernel virtual address; 0, or -1: not all are there. */
typedef int ksyms_read(void *who, uint64_t address, void *buf, size_t len);

struct ksym {
    uint64_t address;
    uint32_t name; /* offset in names; the first character is the type */
};

struct ksyms {
    struct ksym *symbols; /* ascending addresses */
    size_t count;
    char *names; /* one after the other, NUL-terminated */
    size_t names_len;
};

/**
 * ksyms_from_kernel() - decode the table a kernel carries
 * @note:    its vmcoreinfo, text, NUL-terminated
 * @read:    how to read its memory
 * @who:     given to @read
 * @ret_syms: filled in; release with ksyms_free()
 * @fault:   says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int ksyms_from_kernel(const char *note, ksyms_read *read, void *who,
                      struct ksyms *ret_syms, struct fault *fault);

/**
 * ksyms_from_file() - read a System.map
 * @path:     file
 * @ret_syms: filled in; release with ksyms_free()
 * @fault:    says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int ksyms_from_file(const char *path, struct ksyms *ret_syms,
                    struct fault *fault);

/**
 * ksyms_find() - the function an address lies in
 * @syms:       filled in, or zeroed: it knows none
 * @address:    any
 * @ret_offset: distance from its start; set only if a name is returned
 *
 * Context: any.
 * Return:  name; NULL: not in the kernel's code
 */
const char *ksyms_find(const struct ksyms *syms, uint64_t address,
                       uint64_t *ret_offset);

/**
 * ksyms_free() - release the tables
 * @syms: filled in, or zeroed
 *
 * Context: any.
 */
void ksyms_free(struct ksyms *syms);

#endif
