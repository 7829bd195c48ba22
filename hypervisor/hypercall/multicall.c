/* SPDX-License-Identifier: MIT */
/*
 * hypercall/multicall.c - HYPERVISOR_multicall(list, nr_calls).
 *
 * Runs the entries in order and stores each result in its entry.  An iret
 * ends the list: the guest has left, perhaps to other page tables, and what
 * comes after would run in the name of its user mode.
 * Return:  0 when all ran (their own results may be errors);
 *          -EINVAL a multicall within a multicall
 *          -EFAULT an entry cannot be read or its result written
 */
#include "hypercall/multicall.h"

#include "hypercall/call.h"
#include "x86/percpu.h"

/* The entry being run by each pcpu; hypercalls are not preempted. */
static struct multicall_entry running[NR_CPUS];

void multicall_set_restart(uint64_t nr, const uint64_t args[5],
                           unsigned int used)
{
    struct multicall_entry *e = &running[this_cpu_id()];
    unsigned int i;

    e->op = nr;
    for (i = 0; i < used && i < 5; i++) {
        e->args[i] = args[i];
    }
}

int64_t do_multicall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                     uint64_t a5)
{
    struct vcpu *v = current;
    struct multicall_entry *e = &running[this_cpu_id()];
    uint64_t list = a1;
    uint32_t count = (uint32_t)a2;
    uint32_t i;
    int64_t rc = 0;

    (void)a3;
    (void)a4;
    (void)a5;
    if (v->in_multicall) {
        return -EINVAL;
    }
    for (i = 0; i < count; i++) {
        uint64_t va = list + i * sizeof(*e);

        if (i != 0 && hypercall_should_stop()) {
            return hypercall_restart(__HYPERVISOR_multicall, 2, va, count - i,
                                     0, 0, 0);
        }
        if (copy_from_guest(e, va, sizeof(*e)) != 0) {
            return -EFAULT;
        }
        v->in_multicall = true;
        v->hypercall_preempted = false;
        rc = hypercall_dispatch(e->op, e->args[0], e->args[1], e->args[2],
                                e->args[3], e->args[4]);
        v->in_multicall = false;
        if ((uint32_t)e->op == __HYPERVISOR_iret) {
            return rc; /* rax of its frame */
        }
        if (v->hypercall_preempted) {
            v->hypercall_preempted = false;
            if (copy_to_guest(va, e, sizeof(*e)) != 0) {
                return -EFAULT;
            }
            return hypercall_restart(__HYPERVISOR_multicall, 2, va, count - i,
                                     0, 0, 0);
        }
        if (copy_to_guest(va + offsetof(struct multicall_entry, result), &rc,
                          sizeof(rc)) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}
