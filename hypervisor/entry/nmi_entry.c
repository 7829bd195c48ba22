/* SPDX-License-Identifier: MIT */
/*
 * entry/nmi_entry.c - the C side of the NMI door.
 *
 * States of a CPU: idle -> running -> idle.  The RET rule keeps a second NMI
 * out while the first runs.  Should one come all the same it finds the other
 * stack, latches itself and leaves; the outer one goes round once more.  The
 * latch is binary, like the processor's.
 *
 * The two stacks take turns: on its way out the handler still needs its frame, so
 * the stack it is on is not offered again before the next NMI has come.
 *
 * Each of the two is enough for a machine check in the handler, and is tried alone
 * (CONFIG_NMI_RET_RULE, CONFIG_NMI_LATCH of Config.mk).
 */
#include "cpu/lapic.h"
#include "entry/context_word.h"
#include "entry/idle.h"
#include "entry/trap.h"
#include "ras/nmi.h"
#include "x86/cr.h"
#include "x86/percpu.h"
#include "x86/tss.h"

/* The next one takes the stack that this one is not on: the same bits of a block
 * that is aligned to its size tell the two apart. */
static NMI_SAFE void turn_stacks(struct cpu_block *cb)
{
    uint64_t mine = read_rsp() & PAGE_MASK;
    uint64_t other = mine ^ CPU_STACK_NMI_A ^ CPU_STACK_NMI_B;

    cb->tss->ist[IST_NMI - 1] = other + PAGE_SIZE;
}

static ALWAYS_INLINE void handle(struct cpu_block *cb, struct cpu_regs *regs)
{
    WRITE_ONCE(cb->nmi_depth, 1);
    if (CONFIG_NMI_LATCH) {
        turn_stacks(cb);
    }
    cb->nmi_count++;
    ras_nmi(regs);
    /* From here on one that comes is handled by itself, not latched. */
    WRITE_ONCE(cb->nmi_depth, 0);
}

/* Further rounds, for one that was latched: rare, so out of line. */
static NOINLINE NMI_SAFE void go_round(struct cpu_block *cb,
                                       struct cpu_regs *regs)
{
    do {
        WRITE_ONCE(cb->nmi_latched, 0);
        handle(cb, regs);
    } while (READ_ONCE(cb->nmi_latched) != 0);
}

NMI_SAFE int nmi_entry(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint64_t cr2;
    uint32_t context;

    if (CONFIG_NMI_LATCH && cb->nmi_depth != 0) {
        cb->nmi_latched = 1;
        return 0;
    }
    context = context_enter(CTX_NMI, regs);
    cr2 = read_cr2();
    handle(cb, regs);
    if (unlikely(READ_ONCE(cb->nmi_latched) != 0)) {
        go_round(cb, regs);
    }
    write_cr2(cr2);
    context_leave(CTX_NMI, context, regs);
    /*
     * What the handler deferred needs a trip through the exit path: from a
     * guest at once, from the hypervisor in case it is past its last check
     * or about to halt.
     */
    if (READ_ONCE(cb->work) != 0) {
        lapic_self_ipi(VECTOR_RESCHEDULE);
    }
    if (!regs_from_guest(regs)) {
        idle_skip_hlt(regs);
        return 0;
    }
    /* NMIs stay blocked until the IRET at the end of the other way. */
    return trap_iret_cannot_fault(regs) ? 0 : 1;
}
