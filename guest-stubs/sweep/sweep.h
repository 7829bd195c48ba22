/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - of main.c, for those who draw their shots at random: one operation,
 * and what has become of it.
 */
#ifndef VIGIL_STUBS_SWEEP_SWEEP_H
#define VIGIL_STUBS_SWEEP_SWEEP_H

#include "paths.h"

#include <vigil/vigil_op.h>

/**
 * sweep_fill() - registers and stack of the next shot
 * @p:    what it does
 * @pass: with which flags, and which words
 *
 * Context: before shot_fire().
 * Return:  nothing
 */
void sweep_fill(const struct path *p, unsigned int pass);

/**
 * sweep_reference() - the operation without an event; its end is kept
 * @p:    what it does
 * @pass: as for sweep_fill()
 *
 * Context: before the shots of that path and pass.
 * Return:  instructions it takes
 */
uint32_t sweep_reference(const struct path *p, unsigned int pass);

/**
 * sweep_damage() - compare the end of a shot with the reference
 * @p:    what it did
 * @pass: as for sweep_fill()
 *
 * Context: after the shot; says more about registers and frame if they differ.
 * Return:  NULL, or what is damaged
 */
const char *sweep_damage(const struct path *p, unsigned int pass);

/**
 * sweep_count() - ask the hypervisor for its counters
 *
 * Context: any.
 * Return:  NULL: a failure was reported
 */
const struct vigil_op_counters *sweep_count(void);

#endif /* VIGIL_STUBS_SWEEP_SWEEP_H */
