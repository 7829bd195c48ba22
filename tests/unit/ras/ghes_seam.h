/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/ghes_seam.h - the test is told of each word of a block that
 * ras/ghes.c has read, before that acts on it.
 */
#ifndef VIGIL_UNIT_GHES_SEAM_H
#define VIGIL_UNIT_GHES_SEAM_H

#include "dev/acpi_bytes.h"

void ghes_has_read(const void *p);

static inline uint32_t ghes_get32(const void *p)
{
    uint32_t v = get32(p);

    ghes_has_read(p);
    return v;
}

#define get32 ghes_get32

#endif
