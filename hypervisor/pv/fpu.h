/* SPDX-License-Identifier: MIT */
/*
 * pv/fpu.h - extended state of a vcpu.
 *
 * Eager: the state is loaded when the vcpu is, and saved when it leaves.  The
 * guest's CR0.TS is kept in v->pv->ts_set and, while the vcpu is loaded, in
 * the processor's CR0, so that the guest's first FPU instruction faults.
 */
#ifndef VIGIL_PV_FPU_H
#define VIGIL_PV_FPU_H

#include "lib/compiler.h"
#include "domain/vcpu.h"

/**
 * pv_fpu_init() - area and power-on state for a new vcpu
 * @v: vcpu; v->pv exists, v->pv->fpu is NULL or from an earlier init
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ENOMEM
 */
int pv_fpu_init(struct vcpu *v) MUST_CHECK;

/**
 * pv_fpu_free() - a vcpu is being destroyed
 * @v: vcpu that is not loaded anywhere
 *
 * Context: any but NMI/#MC.
 */
void pv_fpu_free(struct vcpu *v);

/**
 * pv_fpu_save() - a vcpu leaves this CPU
 * @v: vcpu that was loaded
 *
 * Leaves CR0.TS clear.
 * Context: pv/switch.c.
 */
void pv_fpu_save(struct vcpu *v);

/**
 * pv_fpu_load() - a vcpu comes to this CPU
 * @v: vcpu being loaded
 *
 * Sets CR0.TS as the guest has it.
 * Context: pv/switch.c.
 */
void pv_fpu_load(struct vcpu *v);

/**
 * pv_fpu_set_ts() - the guest's CR0.TS
 * @v:  vcpu; the processor's CR0 follows if it is current
 * @ts: new value
 *
 * Context: any but NMI/#MC.
 */
void pv_fpu_set_ts(struct vcpu *v, bool ts);

/**
 * pv_handle_nm() - a guest took #NM
 * @v: the current vcpu
 *
 * Clears TS, as the ABI promises a handler of trap 7.
 * Context: exception path of the current vcpu.
 * Return:  true: nothing to tell the guest, resume it; false: it had set TS
 *          (cleared now): bounce #NM
 */
bool pv_handle_nm(struct vcpu *v) MUST_CHECK;

/**
 * pv_fpu_set_xcr0() - the guest's xsetbv
 * @v:     the current vcpu
 * @value: from the guest
 *
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL inconsistent or unsupported bits
 */
int pv_fpu_set_xcr0(struct vcpu *v, uint64_t value) MUST_CHECK;

/**
 * pv_fpu_get_legacy() - the 512 bytes of FXSAVE (vcpu_guest_context.fpu_ctxt)
 * @v:   vcpu, current or not running
 * @out: 512 bytes
 *
 * Context: any but NMI/#MC.
 */
void pv_fpu_get_legacy(struct vcpu *v, void *out);

/**
 * pv_fpu_set_legacy() - replace x87 and SSE state, reset the rest
 * @v:  vcpu, current or not running
 * @in: 512 bytes, hypervisor memory, contents from a toolstack
 *
 * Context: any but NMI/#MC.
 */
void pv_fpu_set_legacy(struct vcpu *v, const void *in);

/* XEN_DOMCTL_{get,set}vcpuextstate: xcr0, xcr0_accum, then the area. */
#define PV_XSTATE_HEADER_BYTES 16U

/**
 * pv_xstate_bytes() - size of a vcpu's extended state record
 *
 * Context: any.
 * Return:  bytes; 0 without XSAVE
 */
size_t pv_xstate_bytes(void);

/**
 * pv_xstate_get() - export extended state
 * @v:   vcpu, current or not running
 * @out: pv_xstate_bytes() of hypervisor memory
 *
 * Context: any but NMI/#MC.
 * Return:  0, -EOPNOTSUPP without XSAVE
 */
int pv_xstate_get(struct vcpu *v, void *out) MUST_CHECK;

/**
 * pv_xstate_set() - import extended state
 * @v:     vcpu, not running
 * @in:    record, hypervisor memory, contents from a toolstack
 * @bytes: its size; PV_XSTATE_HEADER_BYTES alone changes nothing
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL wrong size or inconsistent; -EOPNOTSUPP without XSAVE
 */
int pv_xstate_set(struct vcpu *v, const void *in, size_t bytes) MUST_CHECK;

#endif
