/* SPDX-License-Identifier: MIT */
/*
 * dev/pit.h - the 8254 timer, channel 2, as a reference clock.
 *
 * Channel 2 is gated by port 0x61 and does not interrupt.  Used while booting
 * only, where there is no better timer (dev/platform_timer.c); afterwards the ports are the control domain's to play with through
 * the emulated I/O.
 */
#ifndef VIGIL_DEV_PIT_H
#define VIGIL_DEV_PIT_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * pit_measure_tsc_khz() - measure the time stamp counter against the 8254
 *
 * Takes 10 ms, or up to ten times that on a machine that is often elsewhere:
 * the measurement with the best known ends counts.
 *
 * Context: boot, interrupts off.
 * Return:  kHz; 0: the 8254 does not count
 */
uint64_t pit_measure_tsc_khz(void);

#endif
