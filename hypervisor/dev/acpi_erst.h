/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_erst.h - the firmware's store for error records: is there one, and
 * is its table sound?  Nothing uses the store yet (docs/known-limits.md, 4).
 */
#ifndef VIGIL_DEV_ACPI_ERST_H
#define VIGIL_DEV_ACPI_ERST_H

#include "dev/acpi.h"

#define ERST_ACTIONS 17 /* numbers below that are known */

struct acpi_erst {
    unsigned int instruction_count;
    unsigned int count[ERST_ACTIONS]; /* instructions of each action        */
};

/**
 * acpi_erst_parse() - read an ERST
 * @table:    table whose length and checksum were verified
 * @ret_erst: filled in
 * @ret_why:  set when false is returned: what is wrong, in words
 *
 * An instruction that is malformed makes the whole table worthless: a program
 * with a hole in it is another program.
 *
 * Pure.  Context: any.
 * Return:  true: records can be written, read and cleared by it
 */
bool acpi_erst_parse(const struct acpi_header *table,
                     struct acpi_erst *ret_erst, const char **ret_why);

/**
 * acpi_erst_init() - read this machine's table and say what is in it
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void acpi_erst_init(void);

#endif
