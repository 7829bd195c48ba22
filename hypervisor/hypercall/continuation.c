/* SPDX-License-Identifier: MIT */
/*
 * hypercall/continuation.c - stop in the middle, resume later, lose nothing.
 *
 * The guest's registers are set up so that it makes the call again: rip goes
 * back over SYSCALL (2 bytes), rax is the number, the arguments say where to
 * go on.  Within a multicall the entry's own arguments are changed instead
 * and multicall.c restarts itself from that entry.
 */
#include "cpu/softirq.h"
#include "hypercall/call.h"
#include "hypercall/multicall.h"
#include "x86/percpu.h"

#define SYSCALL_BYTES 2

bool hypercall_should_stop(void)
{
    const struct cpu_block *cb = this_cpu();

    return READ_ONCE(cb->softirq) != 0 || READ_ONCE(cb->work) != 0;
}

int64_t hypercall_restart(uint64_t nr, unsigned int args, uint64_t a1,
                          uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    const uint64_t arg[5] = {a1, a2, a3, a4, a5};
    struct cpu_regs *regs = guest_regs();
    uint64_t *slot[5] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10,
                         &regs->r8};
    unsigned int i;

    current->hypercall_preempted = true;
    if (current->in_multicall) {
        multicall_set_restart(nr, arg, args);
        return 0;
    }
    for (i = 0; i < args && i < 5; i++) {
        *slot[i] = arg[i];
    }
    regs->rip -= SYSCALL_BYTES;
    return (int64_t)nr;
}

struct domain *hypercall_domain(domid_t domid)
{
    struct domain *own = current->domain;

    if (domid == DOMID_SELF || domid == own->domid) {
        domain_hold(own); /* it runs: no need to look for it */
        return own;
    }
    return domain_get(domid);
}
