/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/ras_fakes.h - what the floors below ras/ do, for its tests.
 */
#ifndef VIGIL_RAS_FAKES_H
#define VIGIL_RAS_FAKES_H

#include <stdbool.h>
#include <stdint.h>

extern bool fake_dying;           /* what crash_in_progress() answers     */
extern bool fake_stop_requested, fake_stop_began;  /* what crash_stop_requested() answers  */
extern unsigned int fake_parked;  /* calls of crash_stop_park()           */
extern uint64_t fake_now_ns;

#endif
