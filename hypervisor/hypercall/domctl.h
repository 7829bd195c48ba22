/* SPDX-License-Identifier: MIT */
/*
 * hypercall/domctl.h - the groups of HYPERVISOR_domctl(op).
 *
 * Each takes the domain and our copy of the caller's structure and fills in
 * its outputs; the caller gets it back when the group says so.  Control
 * domain only.
 */
#ifndef VIGIL_HYPERCALL_DOMCTL_H
#define VIGIL_HYPERCALL_DOMCTL_H

#include "hypercall/call.h"

/* What a group answers when the operation is another group's; never seen by
 * guests. */
#define DOMCTL_NOT_MINE 1

/**
 * domctl_life() - create, destroy, pause, resume, limits, name
 * @d:        domain; NULL for createdomain
 * @op:       our copy
 * @ret_back: set when @op is to be written back
 *
 * Context: hypercall.
 * Return:  0; -EINVAL malformed, or the caller itself where that cannot be;
 *          -EEXIST; -ENOMEM; -ERESTART run again; DOMCTL_NOT_MINE
 */
int64_t domctl_life(struct domain *d, struct xen_domctl *op, bool *ret_back);

/**
 * domctl_vcpu() - context, affinity, state of vcpus
 * @d:        domain
 * @op:       our copy
 * @ret_back: set when @op is to be written back
 *
 * Context: hypercall.
 * Return:  0; -ESRCH no such vcpu; -ENODATA it has no state yet; -EINVAL;
 *          -ENOBUFS; -EFAULT; -ENOMEM; -EOPNOTSUPP; DOMCTL_NOT_MINE
 */
int64_t domctl_vcpu(struct domain *d, struct xen_domctl *op, bool *ret_back);

/**
 * domctl_setup() - what a builder, a restorer or a passthrough sets up
 * @d:        domain
 * @op:       our copy
 * @ret_back: set when @op is to be written back
 *
 * Context: hypercall.
 * Return:  0; -EINVAL; -EPERM the caller has not got that right itself;
 *          -EEXIST it runs already; -ENOBUFS; -E2BIG; -EFAULT; -ENOMEM;
 *          -EOPNOTSUPP; DOMCTL_NOT_MINE
 */
int64_t domctl_setup(struct domain *d, struct xen_domctl *op, bool *ret_back);

/**
 * domctl_info() - what getdomaininfo and getdomaininfolist tell
 * @d:        domain
 * @ret_info: filled in completely
 *
 * Context: hypercall.
 */
void domctl_info(const struct domain *d,
                 struct xen_domctl_getdomaininfo *ret_info);

#endif
