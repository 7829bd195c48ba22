/* SPDX-License-Identifier: MIT */
/*
 * hypercall/memory_op.h - the groups of HYPERVISOR_memory_op(cmd, arg).
 *
 * Lists of extents can be long: the call is run again with the index of the
 * next extent above bit 6 of cmd (the guest sees the sum as the result).
 */
#ifndef VIGIL_HYPERCALL_MEMORY_OP_H
#define VIGIL_HYPERCALL_MEMORY_OP_H

#include "hypercall/call.h"

#define MEMOP_CMD_BITS 6
#define MEMOP_CMD_MASK ((1U << MEMOP_CMD_BITS) - 1)

/* Largest extents: what an ordinary guest and what the control domain (it
 * builds guests, and gives DMA buffers) may ask for. */
#define MEMOP_ORDER_GUEST   9U
#define MEMOP_ORDER_CONTROL 18U

/* The largest order the caller may name. */
static inline unsigned int memop_max_order(void)
{
    return current->domain->is_privileged ? MEMOP_ORDER_CONTROL
                                          : MEMOP_ORDER_GUEST;
}

/**
 * memop_domain() - the domain a request is about, if the caller may ask
 * @domid:      as the guest gave it; DOMID_SELF is understood
 * @ret_domain: with one more reference
 *
 * Only the control domain may name another domain than itself.
 * Context: hypercall.
 * Return:  0; -ESRCH no such domain; -EPERM
 */
int memop_domain(domid_t domid, struct domain **ret_domain) MUST_CHECK;

/**
 * memop_refused() - say in the log that an operation is not offered
 * @cmd: XENMEM_*
 *
 * As sysctl.c and domctl.c say it: tests look for the words.
 * Context: hypercall.
 */
void memop_refused(unsigned int cmd);

/**
 * memop_exchange() - XENMEM_exchange
 * @arg: va of struct xen_memory_exchange
 *
 * Restarts itself; progress is nr_exchanged in the guest's structure.
 * Context: hypercall.
 * Return:  0 all done; -EFAULT; -EINVAL malformed, or a frame is not the
 *          domain's; -EPERM order too large; -ENOMEM; -EBUSY a frame is
 *          mapped or granted; -EOPNOTSUPP for another domain
 */
int64_t memop_exchange(uint64_t arg);

/**
 * memop_map() - maps of memory and of the machine-to-phys table, resources
 * @cmd: XENMEM_* that is not about a reservation
 * @arg: va of its structure, or 0
 *
 * Context: hypercall.
 * Return:  the guest's rax; -ENOSYS no such command
 */
int64_t memop_map(unsigned int cmd, uint64_t arg);

#endif
