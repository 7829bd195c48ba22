/* SPDX-License-Identifier: MIT */
/*
 * entry/syscall_entry.c - SYSCALL: a hypercall from a guest's kernel, the
 * guest's own system call from its user mode.
 */
#include "domain/vcpu.h"
#include "entry/trap.h"
#include "hypercall/call.h"
#include "pv/bounce.h"
#include "pv/pv.h"
#include "x86/exc.h"
#include "x86/irqflags.h"

void syscall_entry(struct cpu_regs *regs)
{
    struct vcpu *v = current;
    const struct pv_callback *cb;
    int64_t rc;

    irq_enable();
    if (v->pv->guest_kernel) {
        rc = hypercall_dispatch(regs->rax, regs->rdi, regs->rsi, regs->rdx,
                                regs->r10, regs->r8);
        regs->rax = (uint64_t)rc;
        return;
    }
    cb = regs->cs == SEL_GUEST_CS32 ? &v->pv->syscall32 : &v->pv->syscall;
    if (cb->rip == 0) {
        regs->rip -= 2; /* the length of SYSCALL */
        pv_bounce_trap(v, EXC_UD, 0);
        return;
    }
    pv_bounce_callback(v, cb);
}
