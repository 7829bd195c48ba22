/* SPDX-License-Identifier: MIT */
/*
 * pv/debugreg.h - debug registers of a guest.
 *
 * The guest cannot read or write them itself, so v->pv->dr[], dr6 and dr7 are
 * always true; the processor holds a copy while the vcpu is loaded and has
 * breakpoints enabled.  I/O breakpoints never reach the processor, whose I/O
 * we perform for the guest: their enable bits are kept in v->pv->dr7_emul and
 * pv/privop_io.c looks there.
 */
#ifndef VIGIL_PV_DEBUGREG_H
#define VIGIL_PV_DEBUGREG_H

#include "lib/compiler.h"
#include "domain/vcpu.h"

/**
 * debugreg_set() - write a debug register for a guest
 * @v:     vcpu, current or not running
 * @reg:   0 .. 7
 * @value: from the guest
 *
 * Context: any but NMI/#MC.
 * Return:  0
 *          -EPERM   breakpoint address in the hypervisor's hole
 *          -EINVAL  no such register; dr6/dr7 beyond 32 bits
 *          -ENODEV  dr4/dr5 with CR4.DE set
 */
int debugreg_set(struct vcpu *v, unsigned int reg, uint64_t value) MUST_CHECK;

/**
 * debugreg_get() - read a debug register for a guest
 * @v:         vcpu
 * @reg:       0 .. 7
 * @ret_value: its value
 *
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL no such register, -ENODEV dr4/dr5 with CR4.DE set
 */
int debugreg_get(const struct vcpu *v, unsigned int reg, uint64_t *ret_value)
    MUST_CHECK;

/**
 * pv_debugreg_init() - reset values for a new vcpu
 * @v: vcpu; v->pv exists
 *
 * Context: any but NMI/#MC.
 */
void pv_debugreg_init(struct vcpu *v);

/**
 * pv_debugreg_save() - a vcpu leaves this CPU
 * @v: vcpu that was loaded
 *
 * Disarms the processor's breakpoints.
 * Context: pv/switch.c.
 */
void pv_debugreg_save(struct vcpu *v);

/**
 * pv_debugreg_load() - a vcpu comes to this CPU
 * @v: vcpu being loaded; the processor's breakpoints are disarmed
 *
 * Context: pv/switch.c.
 */
void pv_debugreg_load(struct vcpu *v);

/**
 * debugreg_take_db() - a #DB came from the guest: move DR6 to its copy
 * @v: the current vcpu
 *
 * Call before bouncing #DB.  Resets the processor's DR6.
 * Context: exception path of the current vcpu.
 */
void debugreg_take_db(struct vcpu *v);

/**
 * debugreg_io_hits() - which I/O breakpoints a port access trips
 * @v:     vcpu
 * @port:  first port
 * @bytes: 1, 2 or 4
 *
 * Source: SDM 3B 17.2.4, 17.2.5 (length 2 and 4 ignore low address bits).
 * Context: any.
 * Return:  bits for DR6; 0 when no enabled breakpoint matches
 */
uint64_t debugreg_io_hits(const struct vcpu *v, uint16_t port,
                          unsigned int bytes);

#endif
