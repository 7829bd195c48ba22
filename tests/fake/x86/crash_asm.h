/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/crash_asm.h - registers are made up, stacks are not switched.
 */
#ifndef VIGIL_FAKE_X86_CRASH_ASM_H
#define VIGIL_FAKE_X86_CRASH_ASM_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/irqflags.h"
#include "x86/regs.h"
#include "x86/segment.h"
#include "fake_hw.h"

static inline void regs_capture(struct cpu_regs *r)
{
    r->rax = 0xfeed;
    r->cs = 0xe008;
    r->ss = 0;
    r->rflags = read_rflags();
}

/* The host has stack enough to go on where it is. */
static inline NORETURN void stack_leave(void (*fn)(void), uint64_t sp)
{
    fake_stack_left_for = sp;
    fn();
    fake_unexpected("return from the crash path", 0);
}

static inline NORETURN void triple_fault(void)
{
    if (fake_triple_fault_hook == 0) {
        fake_unexpected("triple fault on CPU", fake_cpu);
    }
    fake_triple_fault_hook();
    fake_unexpected("life after a triple fault", fake_cpu);
}

#endif
