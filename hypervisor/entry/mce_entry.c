/* SPDX-License-Identifier: MIT */
/*
 * entry/mce_entry.c - the C side of the #MC door.
 *
 * Until ras_mce_end() has cleared MCG_STATUS.MCIP a second #MC resets the machine
 * (the banks survive that, and the next boot reads them).  After it a second one
 * may come anywhere on this one's way out, and a third on that one's.  So ist.S
 * moves the frame off this stack first: below what was interrupted, where it
 * stays until that goes on.  This stack is free again then, and the next takes
 * it.  Only a frame that is to leave by IRET stays here, since what it interrupted
 * may have had a guest's rsp; the next takes the other stack then.  That happens
 * once at a time: whatever interrupts its way out moves away.
 */
#include "cpu/lapic.h"
#include "entry/context_word.h"
#include "entry/idle.h"
#include "entry/trap.h"
#include "ras/mce.h"
#include "x86/cr.h"
#include "x86/page.h"
#include "x86/percpu.h"
#include "x86/tss.h"

/* The next #MC must not take a stack that has a frame on it. */
static NMI_SAFE void choose_next_stack(struct cpu_block *cb, bool moves_away)
{
    uint64_t block = cpu_block_of(read_rsp());
    uint64_t mine = (read_rsp() & PAGE_MASK) - block;
    uint64_t other = mine == CPU_STACK_MC_A ? CPU_STACK_MC_B : CPU_STACK_MC_A;

    cb->tss->ist[IST_MC - 1] = block + (moves_away ? mine : other) + PAGE_SIZE;
}

static NMI_SAFE int way_out(const struct cpu_block *cb,
                            const struct cpu_regs *regs)
{
    if (regs_from_guest(regs)) {
        /* It must not run again before the response has. */
        return READ_ONCE(cb->work) != 0 || !trap_iret_cannot_fault(regs) ? 2
                                                                         : 0;
    }
    return trap_leaves_by_ret(regs) ? 1 : 0;
}

NMI_SAFE int mce_entry(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint32_t context = context_enter_any(CTX_MC, regs);
    uint64_t cr2 = read_cr2();
    int way;

    ras_mce(regs);
    write_cr2(cr2);
    context_leave_any(CTX_MC, context, regs);
    if (!regs_from_guest(regs)) {
        idle_skip_hlt(regs);
        if (READ_ONCE(cb->work) != 0) {
            lapic_self_ipi(VECTOR_RESCHEDULE);
        }
    }
    way = way_out(cb, regs);
    choose_next_stack(cb, way != 0);
    return way;
}
