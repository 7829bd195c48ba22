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

#endif
