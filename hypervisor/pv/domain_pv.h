/* SPDX-License-Identifier: MIT */
/*
 * pv/domain_pv.h - create and destroy a PV domain: the orchestrator above
 * domain/ and the page-type code.
 */
#ifndef VIGIL_PV_DOMAIN_PV_H
#define VIGIL_PV_DOMAIN_PV_H

#include "pv/pv.h"

/**
 * pv_init() - plug the PV part into the sockets of lower floors
 *
 * Context: boot, once.
 */
void pv_init(void);

/**
 * pv_domain_create() - a PV domain with no vcpu and no memory
 * @domid:      wanted, or DOMID_INVALID for the next free one
 * @config:     checked by the caller
 * @privileged: control domain
 * @ret_domain: BUILDING; listed
 *
 * Context: any but NMI/#MC.
 * Return:  0, -EEXIST, -ENOMEM, -EINVAL
 */
int pv_domain_create(domid_t domid,
                     const struct xen_domctl_createdomain *config,
                     bool privileged, struct domain **ret_domain) MUST_CHECK;

/**
 * pv_vcpu_create() - add a vcpu, down and uninitialised
 * @d:        domain
 * @vcpu_id:  0 .. max_vcpus - 1
 * @ret_vcpu: the vcpu
 *
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL, -ENOMEM
 */
int pv_vcpu_create(struct domain *d, unsigned int vcpu_id,
                   struct vcpu **ret_vcpu) MUST_CHECK;

/**
 * pv_domain_destroy() - take a domain down, a bounded step at a time
 * @d:           not the current domain, not the control domain
 * @should_stop: asked between pieces of work
 *
 * Context: hypercall.
 * Return:  0 done, -ERESTART call again, -EINVAL
 */
int pv_domain_destroy(struct domain *d, bool (*should_stop)(void)) MUST_CHECK;

#endif
