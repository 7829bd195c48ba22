/* SPDX-License-Identifier: MIT */
/*
 * breakpoint.c - a breakpoint of our own.
 */
#include "breakpoint.h"

unsigned int breakpoints;

bool breakpoint_taken(struct trap_regs *regs)
{
    breakpoints++;
    regs->rflags |= 1UL << 16; /* RF: go on past it */
    return true;
}

__attribute__((noinline)) void breakpoint_target(void)
{
    __asm__ volatile("nop");
}

void breakpoint_set_dr(unsigned long reg, unsigned long value)
{
    long rc = hypercall2(__HYPERVISOR_set_debugreg, reg, value);

    CHECK(rc == 0, "set_debugreg %lu: %ld", reg, rc);
}
