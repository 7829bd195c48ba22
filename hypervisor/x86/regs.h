/* SPDX-License-Identifier: MIT */
/*
 * x86/regs.h - the registers of an interrupted context, as entry/ pushes them.
 *
 * A guest's frame always lies at the very top of the CPU's main stack, right
 * below struct cpu_block (guest_regs()).  The order of the fields is that of
 * the public struct cpu_user_regs up to ss.
 */
#ifndef VIGIL_X86_REGS_H
#define VIGIL_X86_REGS_H

#include "lib/types.h"

struct cpu_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint32_t error_code;
    uint16_t entry_vector, entry_flags; /* ENTRY_*                     */
    uint64_t rip;
    uint16_t cs, cs_pad[3];
    uint64_t rflags;
    uint64_t rsp;
    uint16_t ss, ss_pad[3];
};

/* entry_vector of entries that are not exceptions or interrupts. */
#define ENTRY_SYSCALL 0x100
#define ENTRY_SYSENTER 0x101

/* entry_flags: came with, and goes back to, the isolated tables (mm/pti.h). */
#define ENTRY_ISOLATED 1

#define RFLAGS_CF (1UL << 0)
#define RFLAGS_FIXED (1UL << 1)
#define RFLAGS_PF (1UL << 2)
#define RFLAGS_ZF (1UL << 6)
#define RFLAGS_TF (1UL << 8)
#define RFLAGS_IF (1UL << 9)
#define RFLAGS_DF (1UL << 10)
#define RFLAGS_IOPL (3UL << 12)
#define RFLAGS_NT (1UL << 14)
#define RFLAGS_RF (1UL << 16)
#define RFLAGS_VM (1UL << 17)
#define RFLAGS_AC (1UL << 18)
#define RFLAGS_VIF (1UL << 19)
#define RFLAGS_VIP (1UL << 20)
#define RFLAGS_ID (1UL << 21)

/* Did @regs interrupt a guest (as opposed to the hypervisor)?  ist.S asks so, too. */
static inline bool regs_from_guest(const struct cpu_regs *regs)
{
    return (regs->cs & 3) != 0;
}

/* A general register by the number instructions give it (SDM 2, table 2-2). */
static inline uint64_t *regs_gpr(struct cpu_regs *regs, unsigned int number)
{
#define GPR(name) (uint8_t)(offsetof(struct cpu_regs, name) / sizeof(uint64_t))
    static const uint8_t at[16] = {
        GPR(rax), GPR(rcx), GPR(rdx), GPR(rbx), GPR(rsp), GPR(rbp),
        GPR(rsi), GPR(rdi), GPR(r8),  GPR(r9),  GPR(r10), GPR(r11),
        GPR(r12), GPR(r13), GPR(r14), GPR(r15)};
#undef GPR

    return (uint64_t *)regs + at[number & 15];
}

#endif
