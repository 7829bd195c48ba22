/* SPDX-License-Identifier: MIT */
/*
 * dev/pmtimer.h - the ACPI power management timer, as a reference clock.
 */
#ifndef VIGIL_DEV_PMTIMER_H
#define VIGIL_DEV_PMTIMER_H

#include "lib/compiler.h"
#include "lib/types.h"

#define PMTIMER_HZ 3579545ULL

/**
 * pmtimer_bits() - is there one, and how wide is it?
 *
 * Context: boot, after acpi_init().
 * Return:  24 or 32; 0: none
 */
unsigned int pmtimer_bits(void);

/**
 * pmtimer_read() - the counter
 *
 * Context: any, if there is one.
 * Return:  ticks, wrapping at pmtimer_bits()
 */
uint32_t pmtimer_read(void);

#endif
