/* SPDX-License-Identifier: MIT */
/*
 * watched.h - the hypervisor's watchdog is on, and its NMIs come among ours.
 *
 * It sends one in each quarter of its time-out, by an HPET comparator that is not
 * ours, and says how many it has had.  So each shot waits until the next is near, and
 * that one falls into the operation, or into what follows ours.
 *
 * An NMI has no name.  Of two that come at once, or while a third is handled, the
 * processor makes one, and the hypervisor takes it for the watchdog's.  So one of ours
 * may be missing, but only where the watchdog's came so near.
 */
#ifndef VIGIL_STUBS_SWEEP_WATCHED_H
#define VIGIL_STUBS_SWEEP_WATCHED_H

#include "shot.h"

/**
 * watched_begin() - find the watchdog's comparator
 *
 * Says how many NMIs it has had, as watched_say() does.
 * Context: once, before the first shot.
 * Return:  false: a failure was reported
 */
bool watched_begin(void);

/**
 * watched_meet() - wait until the watchdog's next NMI is near
 * @after: so many instructions after the next shot has begun it comes
 *
 * Exactly, when what is done until the shot takes as long as it did the last time.
 *
 * Context: before a shot is prepared.
 */
void watched_meet(uint32_t after);

/**
 * watched_met() - what came of it
 * @due:     when ours were due, by TSC; one, or two
 * @dues:    how many
 * @missing: of ours
 *
 * Context: after the shot, when all have come.
 * Return:  of those that miss, how many the watchdog's explains
 */
unsigned int watched_met(const uint32_t *due, unsigned int dues,
                         uint64_t missing);

/**
 * watched_say() - a line of what it was since the last one
 * @name: of the path
 *
 * Context: after a path.
 */
void watched_say(const char *name);

#endif /* VIGIL_STUBS_SWEEP_WATCHED_H */
