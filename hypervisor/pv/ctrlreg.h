/* SPDX-License-Identifier: MIT */
/*
 * pv/ctrlreg.h - control registers as a PV guest sees them.
 *
 * CR0: only TS is the guest's.  CR4: TSD, DE, FSGSBASE and OSXSAVE are the
 * guest's; PAE, MCE, OSFXSR and OSXMMEXCPT are shown as they are; the rest
 * reads 0 and writes to it are dropped.  v->pv->cr4 holds the guest's bits.
 * TSD is set behind its back where its TSC is emulated (domain/vtsc.h).
 */
#ifndef VIGIL_PV_CTRLREG_H
#define VIGIL_PV_CTRLREG_H

#include "lib/compiler.h"
#include "x86/cr.h"
#include "pv/pv.h"

#define PV_CR4_GUEST (CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE)
#define PV_CR4_SHOWN (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

/**
 * pv_cr4_set() - a vcpu's CR4, as far as it is the guest's to choose
 * @v:     vcpu; if it is loaded, pv_cr4_load() comes next
 * @value: from the guest or a toolstack
 *
 * Context: any.
 */
void pv_cr4_set(struct vcpu *v, uint64_t value);

/**
 * pv_cr4_update() - what pv_cr4_hardware() depends on has changed
 * @v: vcpu that is not loaded
 *
 * Context: any.
 */
void pv_cr4_update(struct vcpu *v);

/**
 * pv_cr4_read() - what the guest reads
 * @v: vcpu
 *
 * Context: any.
 * Return:  value
 */
uint64_t pv_cr4_read(const struct vcpu *v);

/**
 * pv_cr4_hardware() - CR4 while this vcpu is loaded
 * @v: vcpu
 *
 * Context: any.
 * Return:  value for the processor
 */
uint64_t pv_cr4_hardware(const struct vcpu *v);

/**
 * pv_cr4_load() - bring the processor's CR4 in line with a vcpu
 * @v: vcpu being loaded, or current
 *
 * Context: any but NMI/#MC.
 */
void pv_cr4_load(const struct vcpu *v);

/**
 * pv_cr_read() - mov from CRn of a guest's kernel
 * @v:         the current vcpu
 * @reg:       0 .. 15
 * @ret_value: what it reads
 *
 * Context: any but NMI/#MC.
 * Return:  true; false: #GP
 */
bool pv_cr_read(struct vcpu *v, unsigned int reg, uint64_t *ret_value)
    MUST_CHECK;

/**
 * pv_cr_write() - mov to CRn of a guest's kernel
 * @v:     the current vcpu
 * @reg:   0 .. 15
 * @value: from the guest
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL: #GP, nothing changed; -ERESTART: nothing changed yet,
 *          let the guest execute it again
 */
int pv_cr_write(struct vcpu *v, unsigned int reg, uint64_t value) MUST_CHECK;

#endif
