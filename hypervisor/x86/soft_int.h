/* SPDX-License-Identifier: MIT */
/*
 * x86/soft_int.h - raise an exception by instruction.
 */
#ifndef VIGIL_X86_SOFT_INT_H
#define VIGIL_X86_SOFT_INT_H

/* Enter the #MC handler as hardware would; it returns behind the INT. */
static inline void soft_machine_check(void)
{
    asm volatile("int $18" : : : "memory", "cc");
}

#endif
