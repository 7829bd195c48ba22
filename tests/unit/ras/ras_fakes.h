/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/ras_fakes.h - what the floors below ras/ do, for its tests.
 */
#ifndef VIGIL_RAS_FAKES_H
#define VIGIL_RAS_FAKES_H

#include <stdbool.h>
#include <stdint.h>

#include <vigil/mce.h>

#define FAKE_BOX_RECORDS 48

extern bool fake_dying;           /* what crash_in_progress() answers     */
extern bool fake_stop_requested, fake_stop_began;  /* what crash_stop_requested() answers  */
extern unsigned int fake_parked;  /* calls of crash_stop_park()           */
extern uint64_t fake_now_ns;
/* Where the black box keeps machine checks; how often it was told of one. */
extern struct vigil_mce_record fake_box[FAKE_BOX_RECORDS];
extern bool fake_box_is_there;
extern unsigned int fake_box_written;

#endif
