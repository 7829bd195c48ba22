/* SPDX-License-Identifier: MIT */
/*
 * entry/double_fault.c - #DF: usually a stack ran into its guard page.
 */
#include "crash/panic.h"
#include "entry/trap.h"
#include "x86/cr.h"
#include "x86/page.h"
#include "x86/percpu.h"

static const char *stack_above(uint64_t guard)
{
    switch (guard + PAGE_SIZE) {
    case CPU_STACK_MAIN:
        return "main";
    case CPU_STACK_NMI_A:
    case CPU_STACK_NMI_B:
        return "NMI";
    case CPU_STACK_MC_A:
    case CPU_STACK_MC_B:
        return "#MC";
    case CPU_STACK_DB:
        return "#DB";
    default:
        return "unknown";
    }
}

void double_fault(struct cpu_regs *regs)
{
    uint64_t block = cpu_block_of(read_rsp());
    uint64_t cr2 = read_cr2();

    if (cr2 - block < CPU_BLOCK_BYTES && cpu_block_is_guard(cr2 - block)) {
        panic_regs(regs,
                   "double fault: the hypervisor's %s stack overflowed, "
                   "address 0x%lx",
                   stack_above((cr2 - block) & PAGE_MASK),
                   (unsigned long)cr2);
    }
    panic_regs(regs, "double fault in the hypervisor: rsp 0x%lx, cr2 0x%lx",
               (unsigned long)regs->rsp, (unsigned long)cr2);
}
