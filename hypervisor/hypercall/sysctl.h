/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sysctl.h - the groups of HYPERVISOR_sysctl(op).
 *
 * Each takes our copy of the caller's structure and fills in its outputs; the
 * caller gets it back when the group says so.  Control domain only.
 */
#ifndef VIGIL_HYPERCALL_SYSCTL_H
#define VIGIL_HYPERCALL_SYSCTL_H

#include "hypercall/call.h"

/**
 * sysctl_host() - the machine: physinfo, topology, memory, idle time
 * @op:       our copy
 * @ret_back: set when @op is to be written back
 *
 * Context: hypercall.
 * Return:  0; -EFAULT; -ENODEV, -EOPNOTSUPP not offered; -ENOSYS not of this
 *          group
 */
int64_t sysctl_host(struct xen_sysctl *op, bool *ret_back);

/**
 * sysctl_policy() - processor features and policies
 * @op:       our copy
 * @ret_back: set when @op is to be written back, also with -ENOBUFS
 *
 * Context: hypercall.
 * Return:  0; -EINVAL no such policy; -EOPNOTSUPP one for hardware guests;
 *          -ENOBUFS too little room; -EFAULT; -ENOSYS not of this group
 */
int64_t sysctl_policy(struct xen_sysctl *op, bool *ret_back);

/**
 * sysctl_offline_pages() - take frames out of service, put back, ask
 * @p: request; status words are written to its list
 *
 * Context: hypercall.
 * Return:  0; -EINVAL bad command or range; -E2BIG range too long; -EFAULT
 */
int64_t sysctl_offline_pages(const struct xen_sysctl_page_offline_op *p);

#endif
