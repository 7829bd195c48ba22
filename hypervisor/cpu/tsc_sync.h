/* SPDX-License-Identifier: MIT */
/*
 * cpu/tsc_sync.h - do two CPUs' time stamp counters agree?
 */
#ifndef VIGIL_CPU_TSC_SYNC_H
#define VIGIL_CPU_TSC_SYNC_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * tsc_sync_check() - compare this CPU's TSC with another's
 * @cpu: online, not this one
 *
 * Both read theirs in turns, some hundred times: one that shows less than the
 * other showed before is behind.  System time is the TSC's, so a guest's time
 * would go backwards when it moves there: that is logged.
 * Context: boot and hypercalls, interrupts on, no lock held.
 * Return:  cycles by which one was seen behind the other; 0: none
 */
uint64_t tsc_sync_check(cpu_t cpu);

#endif
