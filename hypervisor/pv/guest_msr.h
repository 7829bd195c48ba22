/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_msr.h - the MSRs a PV guest's kernel sees.
 *
 * The fs and gs bases of the current vcpu live in the processor: reads come
 * from there, writes go there and into v->pv (pv/switch.c refreshes the saved
 * copies when the vcpu leaves).  While the guest's kernel runs, GS_BASE is its
 * base and KERNEL_GS_BASE holds its user mode's; in user mode the other way.
 */
#ifndef VIGIL_PV_GUEST_MSR_H
#define VIGIL_PV_GUEST_MSR_H

#include "lib/compiler.h"
#include "lib/xen_abi.h"
#include "domain/vcpu.h"

/**
 * guest_rdmsr() - rdmsr of a guest's kernel
 * @v:         the current vcpu
 * @index:     ecx, from the guest
 * @ret_value: what it reads
 *
 * Context: any but NMI/#MC.
 * Return:  true; false: #GP
 */
bool guest_rdmsr(struct vcpu *v, uint32_t index, uint64_t *ret_value)
    MUST_CHECK;

/**
 * guest_wrmsr() - wrmsr of a guest's kernel
 * @v:     the current vcpu
 * @index: ecx, from the guest
 * @value: edx:eax, from the guest
 *
 * Context: any but NMI/#MC.
 * Return:  true; false: #GP, nothing changed
 */
bool guest_wrmsr(struct vcpu *v, uint32_t index, uint64_t value) MUST_CHECK;

#define GUEST_MSRS_SAVED_MAX 8

/**
 * guest_msrs_get() - MSRs to migrate (XEN_DOMCTL_get_vcpu_msrs)
 * @v:   vcpu that does not run
 * @out: room for GUEST_MSRS_SAVED_MAX entries
 *
 * Context: any but NMI/#MC.
 * Return:  entries stored; those with value 0 are left out
 */
unsigned int guest_msrs_get(struct vcpu *v, xen_domctl_vcpu_msr_t *out);

/**
 * guest_msrs_set() - MSRs of a migrated guest (XEN_DOMCTL_set_vcpu_msrs)
 * @v:     vcpu that does not run
 * @msrs:  entries, copied from the caller
 * @count: how many
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL an index or value that cannot be set
 */
int guest_msrs_set(struct vcpu *v, const xen_domctl_vcpu_msr_t *msrs,
                   unsigned int count) MUST_CHECK;

#endif
