/* SPDX-License-Identifier: MIT */
/*
 * watched.h - the hypervisor's watchdog is on, and its NMIs come among ours.
 *
 * It sends one in each quarter of its time-out, by an HPET comparator that is not
 * ours, and says how many it has had.  So each shot waits until the next is near, and
 * that one falls into the operation, or into what follows ours.
 *
 * An NMI has no name.  One that comes while another waits becomes one with that, and
 * the hypervisor takes it for the watchdog's if that is one of the two.  So some of
 * ours may be missing.  Whether they merged nobody can tell from in here: the
 * step is named, with the numbers of the NMIs that were taken in it, for whoever has
 * QEMU's log; and done again, with the watchdog's NMI elsewhere.
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

/* Instructions by which ours may be told later, with one of the watchdog's. */
#define WATCHED_MORE 1000

/**
 * watched_step() - when the watchdog's NMI should come, for watched_meet()
 * @pass:  of the sweep
 * @step:  when ours comes
 * @again: how often this step was done already
 * @end:   of what follows it
 *
 * Each second time near ours, else anywhere from the operation's first instruction
 * to the end of what follows it; elsewhere when the step is done again.
 *
 * Context: any.
 * Return:  instructions
 */
uint32_t watched_step(unsigned int pass, unsigned int step, unsigned int again,
                      uint32_t end);

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
 * watched_nmis() - how many the watchdog has had
 *
 * Context: after watched_begin().
 * Return:  as of then, or of the last watched_met()
 */
uint64_t watched_nmis(void);

/**
 * watched_met() - what came of it
 * @due:     when ours were due, by TSC; one, or two
 * @dues:    how many
 * @missing: of ours
 *
 * When a timer of the hypervisor's came between the writes of two comparators, ours
 * are not due when they seem to be.
 *
 * Context: after the shot, when all have come.
 * Return:  instructions from the watchdog's to the nearest of ours, as it seems
 */
int32_t watched_met(const uint32_t *due, unsigned int dues, uint64_t missing);

/**
 * watched_say() - a line of what it was since the last one
 * @name: of the path
 *
 * Context: after a path.
 */
void watched_say(const char *name);

#endif /* VIGIL_STUBS_SWEEP_WATCHED_H */
