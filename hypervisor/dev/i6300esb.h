/* SPDX-License-Identifier: MIT */
/*
 * dev/i6300esb.h - a watchdog in hardware: the timer of Intel's 6300ESB, which
 * QEMU has, too.  Not fed for so long, it resets the machine.
 *
 * The control domain does not see it while it is ours (ADR 0032).
 */
#ifndef VIGIL_DEV_I6300ESB_H
#define VIGIL_DEV_I6300ESB_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/types.h"

/**
 * esb_find() - look for one, and take it
 *
 * Says in the log if the reset before this boot was its doing.
 * Context: boot, before the control domain is built.
 * Return:  true: there is one; it is hidden from the control domain, and off
 */
bool esb_find(void) MUST_CHECK;

/**
 * esb_start() - reset the machine unless it is fed
 * @timeout_ms: for so long; what it cannot count is cut
 *
 * Context: any but NMI/#MC, after esb_find() found one.
 */
void esb_start(uint64_t timeout_ms);

/**
 * esb_feed() - once more from the beginning
 *
 * Context: any, after esb_start(), on one CPU at a time.
 */
void esb_feed(void);

/**
 * esb_stop() - no reset: the machine shall stand
 *
 * Takes no lock.
 * Context: any, dying included; nothing happens if it was not started.
 */
void esb_stop(void);

/**
 * esb_page() - where its registers are, which are not the control domain's
 *
 * Context: any.
 * Return:  machine address of the page; 0: none
 */
maddr_t esb_page(void);

#endif
