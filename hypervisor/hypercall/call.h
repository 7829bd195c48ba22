/* SPDX-License-Identifier: MIT */
/*
 * hypercall/call.h - the shape of a hypercall.
 *
 * A handler decodes, checks, authorises, calls one verb of a lower floor and
 * copies out.  It runs on the current vcpu, with interrupts on.
 */
#ifndef VIGIL_HYPERCALL_CALL_H
#define VIGIL_HYPERCALL_CALL_H

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "lib/errno.h"
#include "pv/guest_access.h"

typedef int64_t (*hypercall_fn)(uint64_t a1, uint64_t a2, uint64_t a3,
                                uint64_t a4, uint64_t a5);

#define HYPERCALL_MAX 64

/* Sets of HYPERCALL_MAX handlers, at CALL_BASE_* of x86/percpu.h. */
extern const hypercall_fn hypercall_table[3 * HYPERCALL_MAX];

/**
 * hypercall_should_stop() - has a long operation run long enough?
 *
 * Context: hypercall.
 * Return:  true when a softirq or work bit is pending on this pcpu
 */
bool hypercall_should_stop(void);

/**
 * hypercall_restart() - leave now, run this hypercall again with new arguments
 * @nr:   number
 * @args: how many of a1.. to set
 * @a1:   first argument
 * @a2:   second
 * @a3:   third
 * @a4:   fourth
 * @a5:   fifth
 *
 * Progress must be in the arguments or in the object.  The handler returns
 * this function's result unchanged.  Works inside a multicall.
 * Context: hypercall.
 * Return:  value for the handler to return
 */
int64_t hypercall_restart(uint64_t nr, unsigned int args, uint64_t a1,
                          uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

/**
 * hypercall_domain() - the domain a domid argument means
 * @domid: real domid or DOMID_SELF
 *
 * Context: hypercall.
 * Return:  domain with one more reference (domain_put()), or NULL
 */
struct domain *hypercall_domain(domid_t domid) MUST_CHECK;

/* Handlers: do_<name>() in hypercall/<file>.c, all of type hypercall_fn. */
#define DECLARE_HYPERCALL(name)                                                \
    int64_t do_##name(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,      \
                      uint64_t a5)

DECLARE_HYPERCALL(set_trap_table);
DECLARE_HYPERCALL(mmu_update);
DECLARE_HYPERCALL(set_gdt);
DECLARE_HYPERCALL(stack_switch);
DECLARE_HYPERCALL(fpu_taskswitch);
DECLARE_HYPERCALL(platform_op);
DECLARE_HYPERCALL(set_debugreg);
DECLARE_HYPERCALL(get_debugreg);
DECLARE_HYPERCALL(update_descriptor);
DECLARE_HYPERCALL(memory_op);
DECLARE_HYPERCALL(multicall);
DECLARE_HYPERCALL(update_va_mapping);
DECLARE_HYPERCALL(set_timer_op);
DECLARE_HYPERCALL(xen_version);
DECLARE_HYPERCALL(console_io);
DECLARE_HYPERCALL(grant_table_op);
DECLARE_HYPERCALL(vm_assist);
DECLARE_HYPERCALL(update_va_mapping_otherdomain);
DECLARE_HYPERCALL(iret);
DECLARE_HYPERCALL(vcpu_op);
DECLARE_HYPERCALL(set_segment_base);
DECLARE_HYPERCALL(mmuext_op);
DECLARE_HYPERCALL(sched_op);
DECLARE_HYPERCALL(callback_op);
DECLARE_HYPERCALL(nmi_op);
DECLARE_HYPERCALL(event_channel_op);
DECLARE_HYPERCALL(physdev_op);
DECLARE_HYPERCALL(sysctl);
DECLARE_HYPERCALL(domctl);
DECLARE_HYPERCALL(kexec_op);
DECLARE_HYPERCALL(hypfs_op);
DECLARE_HYPERCALL(mca);
DECLARE_HYPERCALL(vigil_op);

#endif
