/* SPDX-License-Identifier: MIT */
/*
 * guest.h - the path `visit`: a hostile guest runs, and Dom0 sleeps.
 */
#ifndef VIGIL_STUBS_SWEEP_GUEST_H
#define VIGIL_STUBS_SWEEP_GUEST_H

#include "paths.h"

#define GUEST_ACTS 22U

/* The operation: send to it, sleep until it answers or is dead. */
extern const char op_visit[];

/**
 * guest_begin() - ports
 *
 * Context: once, before the shots.
 * Return:  false: a failure was reported
 */
bool guest_begin(void);

/**
 * guest_prepare() - tell the guest its act; make one if there is none alive
 * @in: of the shot
 *
 * Context: before a shot; path_variant says which act.
 * Return:  nothing
 */
void guest_prepare(struct shot_regs *in);

/**
 * guest_check() - is it alive and whole, or dead by its own act?
 *
 * Context: after the shot.
 * Return:  NULL, or what is wrong
 */
const char *guest_check(void);

#endif /* VIGIL_STUBS_SWEEP_GUEST_H */
