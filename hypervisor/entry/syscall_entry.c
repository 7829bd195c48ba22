/* SPDX-License-Identifier: MIT */
/*
 * entry/syscall_entry.c - SYSCALL in a guest's user mode: its own system call.
 */
#include "domain/vcpu.h"
#include "entry/trap.h"
#include "pv/bounce.h"
#include "pv/pv.h"
#include "x86/exc.h"
#include "x86/irqflags.h"

void syscall_from_user(struct cpu_regs *regs)
{
    struct vcpu *v = current;
    const struct pv_callback *cb =
        regs->cs == SEL_GUEST_CS32 ? &v->pv->syscall32 : &v->pv->syscall;

    irq_enable();
    if (cb->rip == 0) {
        regs->rip -= 2; /* the length of SYSCALL */
        pv_bounce_trap(v, EXC_UD, 0);
        return;
    }
    pv_bounce_callback(v, cb);
}
