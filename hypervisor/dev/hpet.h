/* SPDX-License-Identifier: MIT */
/*
 * dev/hpet.h - the high precision event timer: its counter, as a reference
 * clock.  Its comparators are left masked, for whoever needs one.
 */
#ifndef VIGIL_DEV_HPET_H
#define VIGIL_DEV_HPET_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * hpet_init() - map the registers, start the counter, mask all comparators
 *
 * The firmware may have routed two of them to the lines of the 8254 and the
 * CMOS clock; those get their lines back.
 *
 * Context: boot, after acpi_init().
 * Return:  frequency in Hz, 10 MHz to 10 GHz; 0: there is none, or it says
 *          what no HPET can say
 */
uint64_t hpet_init(void);

/**
 * hpet_read() - the low 32 bits of the counter
 *
 * Context: any, after hpet_init() found one.
 * Return:  ticks, wrapping
 */
uint32_t hpet_read(void);

/**
 * hpet_comparators() - how many comparators there are
 *
 * Context: any.
 * Return:  1 .. 24; 0: no HPET
 */
unsigned int hpet_comparators(void);

#endif
