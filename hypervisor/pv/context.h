/* SPDX-License-Identifier: MIT */
/*
 * pv/context.h - a vcpu's whole state as the toolstack and VCPUOP_initialise
 * give it: struct vcpu_guest_context.
 */
#ifndef VIGIL_PV_CONTEXT_H
#define VIGIL_PV_CONTEXT_H

#include "pv/pv.h"

/**
 * pv_vcpu_set_context() - check a context and make it the vcpu's
 * @v:           vcpu that is not running
 * @ctx:         our copy of the caller's
 * @should_stop: asked while tables are validated
 *
 * Selectors are raised to RPL 3, rflags sanitised, descriptors and the L4
 * validated and typed.  A vcpu that is initialised already must keep CR3, GDT
 * and LDT.
 * Context: hypercall.
 * Return:  0; -EINVAL malformed; -EOPNOTSUPP initialised with other tables;
 *          -EBUSY a frame is in use as another type; -ERESTART call again with
 *          the same context; -ENOMEM
 */
int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *ctx,
                        bool (*should_stop)(void)) MUST_CHECK;

/**
 * pv_vcpu_get_context() - the state of a paused vcpu
 * @v:       vcpu, not running or the current one
 * @ret_ctx: filled in completely
 *
 * Context: hypercall.
 */
void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *ret_ctx);

#endif
