/* SPDX-License-Identifier: MIT */
/*
 * cpu/pmu.h - a counter of this CPU's cycles that sends it an NMI now and then.
 *
 * One general counter of those the architecture promises (Intel: SDM 3B 20.2,
 * versions 1 and later; AMD: APM 2 13.2, counter 0 of the first four).  It stands
 * while the CPU sleeps, so a CPU that has nothing to do gets none.  Unlike the
 * other sources of NMIs it can be asked whether it has sent this one.
 */
#ifndef VIGIL_CPU_PMU_H
#define VIGIL_CPU_PMU_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * pmu_find() - is there a counter that may be used?
 *
 * One that does not keep what is written to it is not there: emulators accept
 * writes for registers they do not have.
 * Context: boot, any CPU.
 * Return:  0; -ENODEV; -EBUSY: the firmware counts with it
 */
int pmu_find(void) MUST_CHECK;

/**
 * pmu_start() - let this CPU's counter send it NMIs
 * @first:  after so many cycles
 * @period: and then always after so many; both are cut to what the counter holds
 *
 * Context: pmu_find() was 0; any but NMI/#MC.
 */
void pmu_start(uint64_t first, uint64_t period);

/**
 * pmu_stop() - no more of them
 *
 * Context: any but NMI/#MC; not started: nothing happens.
 */
void pmu_stop(void);

/**
 * pmu_take() - has this CPU's counter sent this NMI?  Then it counts on
 *
 * Context: NMI.
 * Return:  true: it has
 */
bool pmu_take(void);

#endif
