/* SPDX-License-Identifier: MIT */
/*
 * pv/mmuext.h - base pointers, pins and the end of a domain's page tables.
 */
#ifndef VIGIL_PV_MMUEXT_H
#define VIGIL_PV_MMUEXT_H

#include "domain/vcpu.h"

/**
 * pv_set_base() - set a vcpu's kernel page table
 * @v:  vcpu; may be current
 * @l4: L4 of its domain; validated if it is not yet
 *
 * Loads it if @v is current.  Used by NEW_BASEPTR, setvcpucontext and the
 * Dom0 builder.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL, -EBUSY, -EPERM as pagetype_get()
 */
int pv_set_base(struct vcpu *v, mfn_t l4) MUST_CHECK;

/**
 * pv_set_user_base() - set a vcpu's user-mode page table
 * @v:  vcpu; may be current
 * @l4: L4 of its domain; INVALID_MFN or frame 0: none
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL, -EBUSY, -EPERM as pagetype_get()
 */
int pv_set_user_base(struct vcpu *v, mfn_t l4) MUST_CHECK;

/**
 * pv_set_base_stop() - pv_set_base() that can be interrupted
 * @v:           vcpu; may be current
 * @l4:          as pv_set_base()
 * @should_stop: asked in long walks
 *
 * Context: any but NMI/#MC.
 * Return:  as pv_set_base(); -ERESTART call again
 */
int pv_set_base_stop(struct vcpu *v, mfn_t l4, bool (*should_stop)(void))
    MUST_CHECK;

/**
 * pv_set_user_base_stop() - pv_set_user_base() that can be interrupted
 * @v:           vcpu; may be current
 * @l4:          as pv_set_user_base()
 * @should_stop: asked in long walks
 *
 * Context: any but NMI/#MC.
 * Return:  as pv_set_user_base(); -ERESTART call again
 */
int pv_set_user_base_stop(struct vcpu *v, mfn_t l4, bool (*should_stop)(void))
    MUST_CHECK;

/**
 * pv_drop_bases() - a vcpu gives up both tables
 * @v:           vcpu whose tables are not loaded
 * @should_stop: NULL: to the end
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ERESTART call again
 */
int pv_drop_bases(struct vcpu *v, bool (*should_stop)(void)) MUST_CHECK;

/**
 * pv_mm_teardown() - all type counts of a dying domain's tables go to zero
 * @d:           domain; none of its vcpus is loaded
 * @should_stop: NULL: to the end
 *
 * Drops bases, pins and interrupted walks.  GDT, LDT and grant references are
 * the caller's to drop, before or after.
 * Context: any but NMI/#MC.
 * Return:  0 done; -ERESTART call again
 */
int pv_mm_teardown(struct domain *d, bool (*should_stop)(void)) MUST_CHECK;

/**
 * mmuext_run() - perform one decoded operation of mmuext_op
 * @v:           current vcpu
 * @op:          our copy of the guest's request
 * @pg_owner:    domain the operation is about
 * @should_stop: asked in long walks
 *
 * Context: hypercall.
 * Return:  0; -EINVAL, -EPERM, -EBUSY, -EFAULT, -EACCES, -ENOSYS, -EOPNOTSUPP;
 *          -ERESTART again with the same arguments
 */
int mmuext_run(struct vcpu *v, const struct mmuext_op *op,
               struct domain *pg_owner, bool (*should_stop)(void)) MUST_CHECK;

/**
 * mmu_flush_others() - flush all CPUs that have tables of this domain, but ours
 * @d: domain
 *
 * Context: hypercall.
 */
void mmu_flush_others(const struct domain *d);

/**
 * mmu_flush_bitmap() - flush other CPUs for some vcpus of the caller's domain
 * @d:  domain
 * @va: guest address of a bitmap of vcpus
 *
 * A vcpu that does not run is not waited for: its next start will flush.
 * Context: hypercall.
 * Return:  0 or -EFAULT
 */
int mmu_flush_bitmap(const struct domain *d, uint64_t va) MUST_CHECK;

#endif
