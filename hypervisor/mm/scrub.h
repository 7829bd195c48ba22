/* SPDX-License-Identifier: MIT */
/*
 * mm/scrub.h - zero dirty free frames while there is nothing else to do.
 */
#ifndef VIGIL_MM_SCRUB_H
#define VIGIL_MM_SCRUB_H

#include "lib/compiler.h"
#include "lib/frames.h"

/**
 * scrub_page() - zero one frame through the direct map
 * @m: RAM frame that nobody uses
 *
 * Context: any.
 */
void scrub_page(mfn_t m);

/**
 * scrub_use_vectors() - may scrub_page() use the vector registers?
 * @use: true only while no guest owns them and this CPU alone is running
 *
 * Context: boot.  They have no value to keep before or after.
 */
void scrub_use_vectors(bool use);

/**
 * scrub_idle_step() - zero a few dirty free frames
 *
 * At most 16 frames (about 10 us), so an interrupt's work never waits long.
 * Context: idle loop, interrupts on; takes the heap lock (rank 40).
 * Return:  true if dirty frames remain
 */
bool scrub_idle_step(void);

#endif
