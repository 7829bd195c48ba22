/* SPDX-License-Identifier: MIT */
/*
 * entry/double_fault.c - #DF: usually the main stack ran into its guard page.
 */
#include "crash/panic.h"
#include "entry/trap.h"
#include "x86/cr.h"
#include "x86/percpu.h"

void double_fault(struct cpu_regs *regs)
{
    uint64_t block = cpu_block_of(read_rsp());
    uint64_t cr2 = read_cr2();

    if (cr2 >= block + CPU_GUARD_MAIN && cr2 < block + CPU_STACK_MAIN) {
        panic_regs(regs, "double fault: the hypervisor's stack overflowed, "
                         "address 0x%lx",
                   (unsigned long)cr2);
    }
    panic_regs(regs, "double fault in the hypervisor: rsp 0x%lx, cr2 0x%lx",
               (unsigned long)regs->rsp, (unsigned long)cr2);
}
