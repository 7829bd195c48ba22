/* SPDX-License-Identifier: MIT */
/*
 * moves.h - our vcpu moves to another processor and back.  For the table of paths.
 */
#ifndef VIGIL_STUBS_SWEEP_MOVES_H
#define VIGIL_STUBS_SWEEP_MOVES_H

#include "paths.h"

/* An NMI goes to the one or to the other of the two processors. */
#define MOVES_CPUS 2U

/**
 * moves_begin() - from CPU 0 to CPU 1 and back
 *
 * Context: once, before the shots.
 * Return:  false: a failure was reported
 */
bool moves_begin(void);

/**
 * moves_begin_there() - from CPU 1 to CPU 0 and back
 *
 * Context: once, before the shots.
 * Return:  false: a failure was reported
 */
bool moves_begin_there(void);

/**
 * moves_prepare() - registers of the move, and whom the NMI goes to
 * @in: of the shot
 *
 * Context: before a shot.
 * Return:  nothing
 */
void moves_prepare(struct shot_regs *in);

/**
 * moves_check() - it was there, and is back
 *
 * Context: after a shot.
 * Return:  NULL, or what is wrong
 */
const char *moves_check(void);

/**
 * moves_end() - home to CPU 0; say how many were told on the other processor
 *
 * Context: after the shots.
 * Return:  nothing
 */
void moves_end(void);

#endif /* VIGIL_STUBS_SWEEP_MOVES_H */
