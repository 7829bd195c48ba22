/* SPDX-License-Identifier: MIT */
/*
 * random.h - nestings drawn at random: two events in one operation, and what the
 * driver adds to them.
 */
#ifndef VIGIL_STUBS_SWEEP_RANDOM_H
#define VIGIL_STUBS_SWEEP_RANDOM_H

/**
 * random_announce() - say where the driver finds what it is to add
 *
 * Context: before mc_init(), behind which the driver begins.
 * Return:  nothing
 */
void random_announce(void);

/**
 * random_run() - `seeds=` shots, from `seed=` on
 *
 * Context: all else is there.
 * Return:  nothing; failures were reported
 */
void random_run(void);

#endif /* VIGIL_STUBS_SWEEP_RANDOM_H */
