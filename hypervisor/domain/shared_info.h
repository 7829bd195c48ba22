/* SPDX-License-Identifier: MIT */
/*
 * domain/shared_info.h - the pages the hypervisor and a guest both write.
 */
#ifndef VIGIL_DOMAIN_SHARED_INFO_H
#define VIGIL_DOMAIN_SHARED_INFO_H

#include "domain/domain.h"
#include "domain/vcpu.h"

/**
 * shared_info_init() - allocate the page, share it, mask all upcalls
 * @d: domain being created
 *
 * Context: any but NMI/#MC.
 * Return:  0 or -ENOMEM
 */
int shared_info_init(struct domain *d) MUST_CHECK;

/**
 * shared_info_destroy() - give the page up
 * @d: domain no vcpu of which runs
 *
 * Context: any but NMI/#MC.
 */
void shared_info_destroy(struct domain *d);

/**
 * vcpu_info_default() - use the slot in the shared page
 * @v: vcpu; beyond the 32nd a page of the hypervisor stands in
 *
 * Context: vcpu creation.
 * Return:  0 or -ENOMEM
 */
int vcpu_info_default(struct vcpu *v) MUST_CHECK;

/**
 * vcpu_info_register() - the guest names its own place (VCPUOP 10)
 * @v:      vcpu with no registered place
 * @m:      frame, referenced and typed writable by the caller for good
 * @offset: bytes, 8-byte aligned, the structure within the page
 *
 * Copies the old contents, sets every selector bit and raises an upcall.
 * Context: hypercall.
 */
void vcpu_info_register(struct vcpu *v, mfn_t m, unsigned int offset);

#endif
