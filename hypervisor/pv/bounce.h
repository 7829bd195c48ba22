/* SPDX-License-Identifier: MIT */
/*
 * pv/bounce.h - build a frame on the guest's stack and divert it there
 * (frame layout: see bounce.c).
 */
#ifndef VIGIL_PV_BOUNCE_H
#define VIGIL_PV_BOUNCE_H

#include "pv/pv.h"

/**
 * pv_bounce_trap() - deliver an exception to the current vcpu's handler
 * @v:          current vcpu
 * @vector:     0 .. 255
 * @error_code: pushed when the vector has one
 *
 * No handler: the domain is crashed (VIGIL_DEATH_NO_TRAP_HANDLER).
 * Context: main stack, on the way out.
 */
void pv_bounce_trap(struct vcpu *v, unsigned int vector, uint32_t error_code);

/**
 * pv_bounce_page_fault() - deliver #PF with its address
 * @v:          current vcpu
 * @addr:       faulting address; also stored in vcpu_info
 * @error_code: as the processor gave it; the user bit is recomputed
 *
 * Context: main stack, on the way out.
 */
void pv_bounce_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code);

/**
 * pv_bounce_callback() - enter one of the registered callbacks
 * @v:  current vcpu
 * @cb: event, syscall, syscall32 or sysenter
 *
 * Context: main stack, on the way out.
 */
void pv_bounce_callback(struct vcpu *v, const struct pv_callback *cb);

/**
 * pv_bounce_failsafe() - the state the guest asked for cannot be loaded
 * @v:  current vcpu
 *
 * Context: main stack, on the way out.
 */
void pv_bounce_failsafe(struct vcpu *v);

/**
 * pv_deliver_event() - the event upcall
 * @v: current vcpu, for which an event is pending that is not masked
 *
 * Masks further ones, as the guest's own handler expects.
 * Context: main stack, on the way out; interrupts on or off.  On only if it
 * ended the domain, when they were off.
 */
void pv_deliver_event(struct vcpu *v);

/**
 * pv_deliver_pending() - virtual #MC, virtual NMI, then an event upcall
 * @v: current vcpu
 *
 * Context: main stack, last thing before the guest.
 */
void pv_deliver_pending(struct vcpu *v);

/*
 * Socket: response/ follows the NMIs of a vcpu.  @taken is called just before
 * the frame of a virtual NMI is built, @done when its handler has returned.
 */
struct pv_nmi_hooks {
    void (*taken)(struct vcpu *v);
    void (*done)(struct vcpu *v);
};

/**
 * pv_plug_nmi_hooks() - set them
 * @hooks: static storage
 *
 * Context: boot, once.
 */
void pv_plug_nmi_hooks(const struct pv_nmi_hooks *hooks);

/**
 * pv_nmi_done() - the handler of a virtual NMI has returned
 * @v: current vcpu
 *
 * Context: hypercall; pv/iret.c.
 */
void pv_nmi_done(struct vcpu *v);

/**
 * pv_iret() - the iret hypercall of the current vcpu
 *
 * Context: hypercall.
 * Return:  value for the guest's rax
 */
int64_t pv_iret(void);

#endif
