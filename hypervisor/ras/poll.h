/* SPDX-License-Identifier: MIT */
/*
 * ras/poll.h - corrected errors, found by looking at the banks by the clock.
 *
 * Every 2 to 16 seconds: twice as often after a find, half as often after
 * none.  A machine check may come while the poller has a bank in hand;
 * poll_owns() keeps the two from recording the same error twice.
 */
#ifndef VIGIL_RAS_POLL_H
#define VIGIL_RAS_POLL_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * ras_poll_init() - plug in what looks
 *
 * Context: boot, once.
 */
void ras_poll_init(void);

/**
 * ras_poll_cpu_init() - start looking at the banks of this CPU
 *
 * Context: boot, on each CPU; timers work.
 */
void ras_poll_cpu_init(void);

/**
 * ras_poll_cpu_down() - look no more at the banks of this CPU
 *
 * Context: idle, on a CPU that stops; ras_poll_cpu_init() begins anew.
 */
void ras_poll_cpu_down(void);

/**
 * ras_poll_now() - look at the banks now
 *
 * Context: main stack, interrupts on.
 * Return:  errors found
 */
unsigned int ras_poll_now(void);

/**
 * ras_poll_harvest() - record what the banks kept from before the reset
 *
 * Context: boot.
 * Return:  errors found
 */
unsigned int ras_poll_harvest(void);

/**
 * poll_owns() - is the poller about to record this very error?
 * @bank:   bank number
 * @status: its status register
 *
 * Context: #MC.
 * Return:  true: leave it to the poller
 */
NMI_SAFE bool poll_owns(unsigned int bank, uint64_t status);

#endif
