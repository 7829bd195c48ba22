/* SPDX-License-Identifier: MIT */
/*
 * pv/vmca.h - the machine-check banks a guest sees.
 *
 * Each vcpu has two banks and an MCG_STATUS of its own.  response/vmce.c
 * fills a bank and raises trap 18; the guest's handler reads the bank by
 * rdmsr, writes zero to it, and clears MCIP.  Nothing here touches hardware.
 *
 * MCi_CTL reads all ones; MCi_STATUS, ADDR and MISC accept only 0.
 *
 * Intel guests are shown SER (software recovery): action-optional and
 * action-required errors as in SDM 3B 16.6.  AMD guests are shown SUCCOR and
 * MCAOVERFLOWRECOV (APM 2 9.3): an uncorrected error without PCC may be
 * recovered from, but AMD kernels panic when it hit their kernel mode; what
 * is only action-optional belongs there as a deferred error (status bit 44,
 * UC clear).
 */
#ifndef VIGIL_PV_VMCA_H
#define VIGIL_PV_VMCA_H

#include "lib/compiler.h"
#include "domain/vcpu.h"

/* Bits of MCG_STATUS (SDM 3B 16.3.1.2). */
#define VMCA_MCG_RIPV  0x1UL
#define VMCA_MCG_EIPV  0x2UL
#define VMCA_MCG_MCIP  0x4UL
#define VMCA_MCG_LMCES 0x8UL

/* Of MCG_CAP: how many banks; the rest are abilities. */
#define VMCA_CAP_COUNT 0xffUL

struct vmca_error; /* pv/pv.h */

/**
 * vmca_vcpu_init() - empty banks for a new vcpu
 * @v: vcpu; v->pv exists
 *
 * Context: any but NMI/#MC.
 */
void vmca_vcpu_init(struct vcpu *v);

/**
 * vmca_inject() - put an error into the banks and raise a virtual #MC
 * @v: vcpu of any domain
 * @e: the error, addresses in the guest's terms
 *
 * One vcpu at a time: response/ decides who gets the data and who only
 * hears RIPV|MCIP (status without VAL).  Kernels leave a deferred error in its
 * bank until they look by the clock: if the bank is occupied, another takes
 * it; if all are, OVER is set in the one that was named.
 * Context: any but NMI/#MC.
 * Return:  0        pending; the guest takes trap 18 on its way in
 *          -ENOENT  no handler for vector 18
 *          -EBUSY   one is pending, or MCIP is still set
 *          -EINVAL  no such bank
 */
int vmca_inject(struct vcpu *v, const struct vmca_error *e) MUST_CHECK;

/**
 * vmca_raise() - vmca_inject(), or keep it until the handler has returned
 * @v: vcpu of any domain
 * @e: the error, addresses in the guest's terms
 *
 * Waits only behind one that is pending or being handled; a guest that has
 * returned from its handler and left MCIP set will not acknowledge any more.
 * Of those that a guest can do without (EIPV clear) only the first few wait;
 * of the others it learns by OVER in the last of these.
 * Context: any but NMI/#MC.
 * Return:  0        pending, or waiting
 *          -ENOENT  no handler for vector 18
 *          -EBUSY   MCIP is still set; or too many wait, and it has EIPV
 *          -ENOSPC  too many wait: lost, but for OVER
 *          -EINVAL  no such bank
 */
int vmca_raise(struct vcpu *v, const struct vmca_error *e) MUST_CHECK;

/**
 * vmca_handler_done() - the #MC handler has returned: the next one, please
 * @v: current vcpu
 *
 * Context: hypercall; pv/iret.c.
 * Return:  0        the next is pending, or there is none
 *          -EBUSY   one waits, but MCIP is still set
 *          -ENOENT  one waits, but there is no handler any more
 */
int vmca_handler_done(struct vcpu *v) MUST_CHECK;

enum vmca_access {
    VMCA_NOT_MINE, /* not a machine-check MSR          */
    VMCA_DONE,
    VMCA_FAULT, /* #GP                              */
};

/**
 * vmca_rdmsr() - the MSR view, reading
 * @v:         vcpu
 * @index:     MSR number, from the guest
 * @ret_value: set with VMCA_DONE
 *
 * Context: any but NMI/#MC.
 * Return:  see enum vmca_access
 */
enum vmca_access vmca_rdmsr(const struct vcpu *v, uint32_t index,
                            uint64_t *ret_value) MUST_CHECK;

/**
 * vmca_wrmsr() - the MSR view, writing
 * @v:     vcpu
 * @index: MSR number, from the guest
 * @value: from the guest
 *
 * Context: any but NMI/#MC.
 * Return:  see enum vmca_access
 */
enum vmca_access vmca_wrmsr(struct vcpu *v, uint32_t index, uint64_t value)
    MUST_CHECK;

/**
 * vmca_cap() - MCG_CAP as guests see it; also what migration transports
 *
 * Context: any.
 * Return:  value of the register
 */
uint64_t vmca_cap(void);

#endif
