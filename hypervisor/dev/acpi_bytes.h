/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_bytes.h - numbers out of firmware tables, at any alignment.
 *
 * For the files dev/acpi*.c.  Nothing here checks a length: the caller has.
 */
#ifndef VIGIL_DEV_ACPI_BYTES_H
#define VIGIL_DEV_ACPI_BYTES_H

#include "lib/string.h"
#include "lib/types.h"
#include "dev/acpi.h"

/* Physical addresses end here on every x86-64 processor (SDM 3A 4.1.4). */
#define ACPI_MADDR_END (1ULL << 52)

/**
 * get16() - two bytes, little endian
 * @p: where, any alignment
 *
 * Context: any.
 * Return:  the number
 */
static inline uint16_t get16(const void *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/**
 * get32() - four bytes, little endian
 * @p: where, any alignment
 *
 * Context: any.
 * Return:  the number
 */
static inline uint32_t get32(const void *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/**
 * get64() - eight bytes, little endian
 * @p: where, any alignment
 *
 * Context: any.
 * Return:  the number
 */
static inline uint64_t get64(const void *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/**
 * get_gas() - a generic address structure
 * @p: where, ACPI_GAS_BYTES bytes
 *
 * Context: any.
 * Return:  its fields
 */
static inline struct acpi_gas get_gas(const uint8_t *p)
{
    return (struct acpi_gas){p[0], p[1], p[2], p[3], get64(p + 4)};
}

#endif
