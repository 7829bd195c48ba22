/* SPDX-License-Identifier: MIT */
/*
 * ras/poll.h - corrected errors, found by looking at the banks by the clock.
 */
#ifndef VIGIL_RAS_POLL_H
#define VIGIL_RAS_POLL_H

/**
 * ras_poll_init() - start looking
 *
 * Context: boot, timers work.
 */
void ras_poll_init(void);

#endif
