/* SPDX-License-Identifier: MIT */
/*
 * entry/nmi_entry.c - the C side of the NMI door.
 *
 * States of a CPU: idle -> running -> idle.  The RET rule keeps a second NMI
 * out while the first runs.  Should one come all the same it finds the other
 * stack, latches itself and leaves; the outer one goes round once more.  The
 * latch is binary, like the processor's.
 */
#include "cpu/lapic.h"
#include "entry/idle.h"
#include "entry/trap.h"
#include "ras/nmi.h"
#include "x86/cr.h"
#include "x86/percpu.h"
#include "x86/tss.h"

NMI_SAFE int nmi_entry(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint64_t block = cpu_block_of(read_rsp());
    uint64_t cr2;
    uint32_t context;

    if (cb->nmi_depth != 0) {
        cb->nmi_latched = 1;
        return 0;
    }
    cb->nmi_depth = 1;
    cb->tss->ist[IST_NMI - 1] = block + CPU_STACK_NMI_B + PAGE_SIZE;
    context = cb->context;
    cb->context = context | CTX_NMI;
    cr2 = read_cr2();
    do {
        cb->nmi_latched = 0;
        cb->nmi_count++;
        ras_nmi(regs);
    } while (READ_ONCE(cb->nmi_latched) != 0);
    write_cr2(cr2);
    cb->context = context;
    cb->tss->ist[IST_NMI - 1] = block + CPU_STACK_NMI_A + PAGE_SIZE;
    cb->nmi_depth = 0;
    idle_skip_hlt(regs);
    /*
     * What the handler deferred needs a trip through the exit path: from a
     * guest at once, from the hypervisor in case it is past its last check
     * or about to halt.
     */
    if (READ_ONCE(cb->work) != 0) {
        lapic_self_ipi(VECTOR_RESCHEDULE);
    }
    /* NMIs stay blocked until the IRET at the end of the other way. */
    return regs_from_guest(regs) && !trap_iret_cannot_fault(regs) ? 1 : 0;
}
