/* SPDX-License-Identifier: MIT */
/*
 * entry/mce_entry.c - the C side of the #MC door.
 *
 * ras_mce() clears MCG_STATUS.MCIP last of all; until then a second #MC
 * resets the machine (the banks survive that, and the next boot reads them).
 * After it a second #MC takes the other stack.
 */
#include "cpu/lapic.h"
#include "entry/trap.h"
#include "ras/mce.h"
#include "x86/cr.h"
#include "x86/percpu.h"
#include "x86/tss.h"

NMI_SAFE int mce_entry(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint64_t block = cpu_block_of(read_rsp());
    uint64_t other = cb->mc_depth++ == 0 ? CPU_STACK_MC_B : CPU_STACK_MC_A;
    uint64_t before = cb->tss->ist[IST_MC - 1];
    uint32_t context = cb->context;
    uint64_t cr2 = read_cr2();

    cb->tss->ist[IST_MC - 1] = block + other + PAGE_SIZE;
    cb->context = context | CTX_MC;
    ras_mce(regs);
    write_cr2(cr2);
    cb->context = context;
    cb->tss->ist[IST_MC - 1] = before;
    cb->mc_depth--;
    if (regs_from_guest(regs)) {
        /* It must not run again before the response has. */
        return READ_ONCE(cb->work) != 0 ? 2 : 0;
    }
    if (READ_ONCE(cb->work) != 0) {
        lapic_self_ipi(VECTOR_RESCHEDULE);
    }
    return trap_leaves_by_ret(regs) ? 1 : 0;
}
