/* SPDX-License-Identifier: MIT */
/*
 * entry/asm_offsets.c - structure offsets for .S files, taken from the
 * compiler's own output (hypervisor/Makefile turns "->" lines into #defines).
 */
#include "x86/percpu.h"
#include "x86/regs.h"

void asm_offsets(void);

#define OFFSET(name, value)                                                    \
    asm volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))

void asm_offsets(void)
{
    OFFSET(REGS_SIZE, sizeof(struct cpu_regs));
    OFFSET(REGS_RAX, offsetof(struct cpu_regs, rax));
    OFFSET(REGS_VECTOR, offsetof(struct cpu_regs, entry_vector));
    OFFSET(REGS_RIP, offsetof(struct cpu_regs, rip));
    OFFSET(REGS_CS, offsetof(struct cpu_regs, cs));
    OFFSET(REGS_RFLAGS, offsetof(struct cpu_regs, rflags));
    OFFSET(REGS_RBP, offsetof(struct cpu_regs, rbp));
    OFFSET(REGS_RSP, offsetof(struct cpu_regs, rsp));
    OFFSET(CPU_DEFAULT_NR, NR_CPUS);
}
