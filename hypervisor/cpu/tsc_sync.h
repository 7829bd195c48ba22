/* SPDX-License-Identifier: MIT */
/*
 * cpu/tsc_sync.h - the CPUs' time stamp counters agree
 */
#ifndef VIGIL_CPU_TSC_SYNC_H
#define VIGIL_CPU_TSC_SYNC_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * tsc_sync() - make another CPU's TSC agree with this one's
 * @cpu: online, not this one; no guest has run on it yet
 *
 * Both read theirs in turns, some hundred times: one that shows less than the
 * other showed before is behind.  System time is the TSC's, so a guest's time
 * would go backwards when it moves there: the other's is written, IA32_TSC_ADJUST
 * where there is one.  One that differs still (that does not take it, or runs at
 * another rate) is logged.
 * Context: boot and hypercalls, interrupts on, no lock held.
 * Return:  cycles by which one was seen behind the other in the end; 0: none
 */
uint64_t tsc_sync(cpu_t cpu);

#endif
