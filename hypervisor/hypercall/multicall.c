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

/*
 * What the preempted entry of each pcpu is to be called with instead; taken
 * at once, for a hypercall is not interrupted by another.
 */
static struct {
    uint64_t op, args[5];
    unsigned int used;
} next_call[NR_CPUS];

void multicall_set_restart(uint64_t nr, const uint64_t args[5],
                           unsigned int used)
{
    unsigned int i, cpu = this_cpu_id();

    next_call[cpu].op = nr;
    next_call[cpu].used = MIN(used, 5U);
    for (i = 0; i < next_call[cpu].used; i++) {
        next_call[cpu].args[i] = args[i];
    }
}

#define FIELD(name) offsetof(struct multicall_entry, name)

/* Change the entry at @va as its handler has asked for. */
static int rewrite_entry(uint64_t va)
{
    unsigned int cpu = this_cpu_id();

    if (copy_to_guest(va + FIELD(op), &next_call[cpu].op, sizeof(uint64_t)) !=
        0) {
        return -EFAULT;
    }
    return copy_to_guest(va + FIELD(args), next_call[cpu].args,
                         next_call[cpu].used * sizeof(uint64_t));
}

/*
 * Run the *@left entries from *@va on, straight from the guest's memory, each
 * word read once (INV-HC-2).  Leaves early with *@left not 0 where the rest is
 * to be run later, from *@va.
 */
static int64_t run_list(struct vcpu *v, uint64_t *va, uint32_t *left)
{
    uint64_t at = *va, op, a1, a2, a3, a4, a5;
    uint32_t n = *left;
    unsigned int bad = 0;
    /* Only an iret changes it, which ends the list. */
    const hypercall_fn *calls = &hypercall_table[this_cpu()->call_base];
    int64_t rc = 0;

    *left = 0;
    if (unlikely(!guest_range_ok(at, n * sizeof(struct multicall_entry)))) {
        return -EFAULT;
    }
    at = guest_va_nospec(at);
    for (; n != 0; n--, at += sizeof(struct multicall_entry)) {
        guest_reopen();
        guest_load(op, at + FIELD(op), bad);
        guest_load(a1, at + FIELD(args[0]), bad);
        guest_load(a2, at + FIELD(args[1]), bad);
        guest_load(a3, at + FIELD(args[2]), bad);
        guest_load(a4, at + FIELD(args[3]), bad);
        guest_load(a5, at + FIELD(args[4]), bad);
        guest_close();
        if (unlikely(bad)) {
            return -EFAULT;
        }
        /* As in a register, the upper half is not part of the number. */
        rc = likely((uint32_t)op < HYPERCALL_MAX)
                 ? calls[index_nospec_mask((uint32_t)op, HYPERCALL_MAX)](
                       a1, a2, a3, a4, a5)
                 : -ENOSYS;
        if (unlikely((uint32_t)op == __HYPERVISOR_iret)) {
            return rc; /* rax of its frame */
        }
        if (unlikely(v->hypercall_preempted)) {
            v->hypercall_preempted = false;
            rc = rewrite_entry(at);
            break;
        }
        guest_reopen();
        guest_store_or(at + FIELD(result), rc, fault);
        guest_close();
        rc = 0;
        if (unlikely(hypercall_should_stop())) {
            at += sizeof(struct multicall_entry);
            n--;
            break;
        }
    }
    *va = at;
    *left = rc == 0 ? n : 0;
    return rc;

fault:
    guest_close();
    return -EFAULT;
}

int64_t do_multicall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                     uint64_t a5)
{
    struct vcpu *v = current;
    uint32_t left = (uint32_t)a2;
    int64_t rc;

    (void)a3;
    (void)a4;
    (void)a5;
    if (v->in_multicall) {
        return -EINVAL;
    }
    v->in_multicall = true;
    v->hypercall_preempted = false;
    rc = run_list(v, &a1, &left);
    v->in_multicall = false;
    if (unlikely(left != 0)) {
        return hypercall_restart(__HYPERVISOR_multicall, 2, a1, left, 0, 0, 0);
    }
    return rc;
}
