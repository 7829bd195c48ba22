/* SPDX-License-Identifier: MIT */
/*
 * dev/platform_timer.h - the clock whose rate is known: HPET, ACPI PM timer or
 * 8254.  The TSC, which all time comes from, is measured against it at boot,
 * and compared with it as long as the machine runs.
 */
#ifndef VIGIL_DEV_PLATFORM_TIMER_H
#define VIGIL_DEV_PLATFORM_TIMER_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * platform_timer_option() - the option clocksource=
 * @value: hpet, acpi or pit: that one, if it is there; tsc: do not compare
 *         the TSC with anything after boot
 *
 * Context: boot.
 * Return:  0, -EINVAL
 */
int platform_timer_option(const char *value) MUST_CHECK;

/**
 * platform_timer_init() - choose one and measure the TSC against it
 *
 * The first of HPET, ACPI PM timer and 8254 that counts, unless the option
 * names another.  Takes 10 ms, or up to ten times that on a machine that is
 * often elsewhere.
 *
 * Context: boot, after acpi_init(), interrupts off.
 * Return:  frequency of the TSC in kHz; 0: nothing counts
 */
uint64_t platform_timer_init(void);

/**
 * platform_timer_watch() - begin to compare the TSC with the platform timer
 *
 * Every few seconds.  A TSC that changes its rate or stops while idle is named
 * in the log, once.  The 8254 cannot be compared with.
 *
 * Context: boot, on the first CPU, when timers run.
 * Return:  nothing.
 */
void platform_timer_watch(void);

#endif
