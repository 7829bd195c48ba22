/* SPDX-License-Identifier: MIT */
/*
 * x86/crash_asm.h - what the dying path needs of the processor: its own
 * registers, another stack, and the shortest way to a reset.
 */
#ifndef VIGIL_X86_CRASH_ASM_H
#define VIGIL_X86_CRASH_ASM_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/irqflags.h"
#include "x86/regs.h"
#include "x86/segment.h"

/* Store this CPU's registers as they are here. */
static ALWAYS_INLINE void regs_capture(struct cpu_regs *r)
{
#define VIGIL_STORE(reg) asm volatile("mov %%" #reg ", %0" : "=m"(r->reg))
    VIGIL_STORE(r15);
    VIGIL_STORE(r14);
    VIGIL_STORE(r13);
    VIGIL_STORE(r12);
    VIGIL_STORE(rbp);
    VIGIL_STORE(rbx);
    VIGIL_STORE(r11);
    VIGIL_STORE(r10);
    VIGIL_STORE(r9);
    VIGIL_STORE(r8);
    VIGIL_STORE(rax);
    VIGIL_STORE(rcx);
    VIGIL_STORE(rdx);
    VIGIL_STORE(rsi);
    VIGIL_STORE(rdi);
    VIGIL_STORE(rsp);
    asm volatile("movw %%cs, %0" : "=m"(r->cs));
    asm volatile("movw %%ss, %0" : "=m"(r->ss));
#undef VIGIL_STORE
    r->rflags = read_rflags();
    r->error_code = 0;
    r->entry_vector = 0;
}

/* Go on with @fn on the stack that ends at @sp (16-byte aligned), for good. */
static ALWAYS_INLINE NORETURN void stack_leave(void (*fn)(void), uint64_t sp)
{
    asm volatile("mov %0, %%rsp\n\t"
                 "xor %%ebp, %%ebp\n\t"
                 "call *%1\n\t"
                 "ud2"
                 :
                 : "r"(sp), "r"(fn)
                 : "memory");
    __builtin_unreachable();
}

/* An exception with an empty IDT: the processor shuts down, boards reset. */
static inline NORETURN void triple_fault(void)
{
    static const struct table_register empty;

    lidt(&empty);
    asm volatile("int3");
    for (;;) {
        halt();
    }
}

#endif
