/* SPDX-License-Identifier: MIT */
/*
 * pv/runstate.h - the copies of run times and time parameters a guest asked
 * for at addresses of its own.
 */
#ifndef VIGIL_PV_RUNSTATE_H
#define VIGIL_PV_RUNSTATE_H

#include "pv/pv.h"

/**
 * pv_runstate_publish() - write the current vcpu's runstate area
 * @v: current vcpu, its page tables loaded
 *
 * Does nothing when none is registered or it cannot be written now.
 * Context: switch path and hypercalls.
 */
void pv_runstate_publish(struct vcpu *v);

/**
 * pv_runstate_publish_wait() - the same for one that has lost its CPU
 * @v: as before
 *
 * So that its siblings see that it waits, and do not spin for it.  One that
 * sleeps is told nothing: whoever waits for it would not do so by spinning.
 * Context: switch path, the vcpu still current.
 */
void pv_runstate_publish_wait(struct vcpu *v);

#endif
