/* SPDX-License-Identifier: MIT */
/*
 * pv/bzimage.h - find the kernel inside the file the loader gave us.
 *
 * Accepted: a bzImage (boot protocol 2.08 or later) whose payload is an xz
 * stream or a plain ELF file, and a plain ELF file.  Pure, hostile input.
 */
#ifndef VIGIL_PV_BZIMAGE_H
#define VIGIL_PV_BZIMAGE_H

#include "lib/compiler.h"
#include "lib/types.h"

struct kernel_payload {
    const uint8_t *data;
    uint64_t bytes;
    bool is_xz;              /* else a plain ELF file            */
    uint64_t unpacked_bytes; /* xz: size of the ELF file, claimed */
};

/**
 * bzimage_find() - locate the payload
 * @file:        contents of the module
 * @bytes:       its length
 * @ret_payload: filled in when 0 is returned; points into @file
 * @ret_why:     one phrase, static, when it cannot be used
 *
 * Context: any.
 * Return:  0, -EINVAL
 */
int bzimage_find(const void *file, uint64_t bytes,
                 struct kernel_payload *ret_payload, const char **ret_why)
    MUST_CHECK;

#endif
