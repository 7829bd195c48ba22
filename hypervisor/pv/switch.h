/* SPDX-License-Identifier: MIT */
/*
 * pv/switch.h - load and save one vcpu's machine state on this pcpu.
 */
#ifndef VIGIL_PV_SWITCH_H
#define VIGIL_PV_SWITCH_H

#include "cpu/tlb.h"
#include "pv/pv.h"
#include "x86/cr.h"
#include "x86/percpu.h"

/**
 * pv_switch_to() - leave the current vcpu, take up another
 * @next: vcpu to run, or NULL to idle
 *
 * Saves the guest frame, segments, bases, debug registers and FPU of the
 * current vcpu; loads those of @next and its page tables.  While idle the
 * tables of who ran last stay loaded, and so does its GDT (cpu/tlb.h): when it
 * comes back they need not be loaded.
 * Context: exit path of the main stack, interrupts off.
 */
void pv_switch_to(struct vcpu *next);

/**
 * pv_load_cr3() - load the page tables a vcpu is to run on now
 * @v: the current vcpu (does nothing for any other)
 *
 * Kernel mode: guest_table; user mode: guest_table_user.
 * Context: any but NMI/#MC.
 */
void pv_load_cr3(struct vcpu *v);

/* Load the L4 table @l4, which is the current vcpu's, into the processor. */
static inline void pv_load_table(mfn_t l4)
{
    tlb_load(mfn_to_maddr(l4));
}

/**
 * pv_flush_vcpu() - whom to interrupt so that a vcpu flushes its TLB
 * @v: not the current one
 *
 * Context: any but NMI/#MC.
 * Return:  the CPU it runs on, for tlb_flush_cpus(); 0: it does not run, and
 *          will flush when it does
 */
cpumask_t pv_flush_vcpu(const struct vcpu *v);

/* What SYSCALL means while a kernel of @d runs: entry/syscall.S. */
static inline uint32_t pv_call_base(const struct domain *d)
{
    return d->is_privileged ? CALL_BASE_CONTROL : CALL_BASE_GUEST;
}

/**
 * pv_borrow_kernel_tables() - reach memory only the guest's kernel maps
 * @v: the current vcpu
 *
 * Its I/O bitmap and its runstate area need not be in the tables of its user
 * mode.  Undo with pv_return_tables(); not nested.
 * Context: any but NMI/#MC.
 * Return:  true: the kernel's were loaded; false: they were already
 */
bool pv_borrow_kernel_tables(struct vcpu *v) MUST_CHECK;

/**
 * pv_return_tables() - undo pv_borrow_kernel_tables()
 * @v:        the current vcpu
 * @borrowed: what that one returned
 *
 * Context: any but NMI/#MC.
 */
void pv_return_tables(struct vcpu *v, bool borrowed);

/**
 * pv_save_segments() - refresh v->pv's selectors and bases from the processor
 * @v: vcpu; does nothing unless it is current
 *
 * Context: any but NMI/#MC.
 */
void pv_save_segments(struct vcpu *v);

#endif
