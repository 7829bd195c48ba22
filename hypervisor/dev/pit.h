/* SPDX-License-Identifier: MIT */
/*
 * dev/pit.h - the 8254 timer: channel 2 as a reference clock, channel 0 as a
 * source of NMIs.
 *
 * Channel 2 is gated by port 0x61 and does not interrupt.  Used while booting
 * only, where there is no better timer (dev/platform_timer.c); afterwards it is
 * the control domain's to play with through the emulated I/O.  Channel 0 is
 * ours: its output is ISA interrupt 0 (dev/nmi_timer.h).
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

/* How often channel 0 ticks, nanoseconds. */
#define PIT_TICK_NS 54925493ULL

/**
 * pit_tick_start() - channel 0 sends an edge every PIT_TICK_NS
 *
 * Context: boot; any but NMI/#MC, nobody else using the 8254.
 * Return:  nothing.
 */
void pit_tick_start(void);

/**
 * pit_tick_stop() - channel 0 is silent, whatever the firmware had it do
 *
 * An edge may come while this runs, none after it.
 *
 * Context: as above.
 * Return:  nothing.
 */
void pit_tick_stop(void);

#endif
