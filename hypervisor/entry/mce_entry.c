/* SPDX-License-Identifier: MIT */
/*
 * entry/mce_entry.c - the C side of the #MC door.
 *
 * ras_mce() clears MCG_STATUS.MCIP last of all; until then a second #MC
 * resets the machine (the banks survive that, and the next boot reads them).
 * After it a second #MC takes the other stack, also on this one's way out:
 * ist.S still reads the frame then, so the two take turns and the stack of a
 * handler is not offered again when it ends.  One that interrupted the other
 * handler offers its own: the other's frame lives longer.
 */
#include "cpu/lapic.h"
#include "entry/idle.h"
#include "entry/trap.h"
#include "ras/mce.h"
#include "x86/cr.h"
#include "x86/page.h"
#include "x86/percpu.h"
#include "x86/tss.h"

/* Which of the two stacks the next #MC is to take. */
static NMI_SAFE uint64_t next_stack(const struct cpu_regs *regs,
                                    uint64_t block)
{
    uint64_t mine = (read_rsp() & PAGE_MASK) - block;
    uint64_t other = mine == CPU_STACK_MC_A ? CPU_STACK_MC_B : CPU_STACK_MC_A;
    uint64_t below = (regs->rsp - 1) & PAGE_MASK;

    if (trap_leaves_by_ret(regs) && below == block + other) {
        other = mine;
    }
    return block + other + PAGE_SIZE;
}

NMI_SAFE int mce_entry(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint64_t block = cpu_block_of(read_rsp());
    uint32_t context = cb->context;
    uint64_t cr2 = read_cr2();

    cb->tss->ist[IST_MC - 1] = next_stack(regs, block);
    cb->context = context | CTX_MC;
    ras_mce(regs);
    write_cr2(cr2);
    cb->context = context;
    if (regs_from_guest(regs)) {
        /* It must not run again before the response has. */
        return READ_ONCE(cb->work) != 0 || !trap_iret_cannot_fault(regs) ? 2
                                                                         : 0;
    }
    idle_skip_hlt(regs);
    if (READ_ONCE(cb->work) != 0) {
        lapic_self_ipi(VECTOR_RESCHEDULE);
    }
    return trap_leaves_by_ret(regs) ? 1 : 0;
}
