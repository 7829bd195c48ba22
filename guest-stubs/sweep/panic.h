/* SPDX-License-Identifier: MIT */
/*
 * panic.h - the hypervisor's own end, with NMIs.
 */
#ifndef VIGIL_STUBS_SWEEP_PANIC_H
#define VIGIL_STUBS_SWEEP_PANIC_H

#include "stub.h"

/**
 * panic_once() - ask for a panic
 * @step:    instructions to the one NMI, or SHOT_NONE
 * @every:   ticks of 10 ns from one NMI to the next, all through it, all one
 *           instruction later for each @step; 0: only one
 * @with_mc: a machine check in the place of the one
 *
 * Context: after shot_init(), and mc_init() for machine checks.
 * Return:  only if it goes on, which is a failure, and reported.
 */
void panic_once(unsigned int step, unsigned int every, bool with_mc);

#endif /* VIGIL_STUBS_SWEEP_PANIC_H */
