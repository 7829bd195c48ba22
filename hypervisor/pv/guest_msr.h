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

#endif
