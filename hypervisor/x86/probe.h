/* SPDX-License-Identifier: MIT */
/*
 * x86/probe.h - try what must not work, and live (boot/selfcheck.c).
 *
 * Each gives 0 when it worked, or -1 when it faulted.  Nothing is changed if a
 * protection that should have stopped it does not.
 */
#ifndef VIGIL_X86_PROBE_H
#define VIGIL_X86_PROBE_H

#include "lib/types.h"
#include "x86/fixup.h"

static inline int probe_read(uint64_t va)
{
    uint8_t value;
    int rc;

    asm volatile(INSN_OR_FIXUP("movb (%[p]), %[v]", "xorb %[v], %[v]")
                 : [rc] "=&r"(rc), [v] "=&q"(value)
                 : [p] "r"(va)
                 : "memory");
    (void)value;
    return rc;
}

/* Writes the byte that is there, in one piece: others may use it. */
static inline int probe_write(uint64_t va)
{
    int rc;

    asm volatile(INSN_OR_FIXUP("lock orb $0, (%[p])", "")
                 : [rc] "=&r"(rc)
                 : [p] "r"(va)
                 : "memory", "cc");
    return rc;
}

/*
 * Call a function that does nothing.  A fetch that faults has @va for its rip:
 * the way on is stored in @ret_fixup first, and whoever handles the fault looks
 * there (cpu/extable.h).
 */
static inline int probe_call(uint64_t va, uint64_t *ret_fixup)
{
    register uint64_t *slot asm("r12") = ret_fixup;
    uint64_t rc;

    asm volatile("   lea 1f(%%rip), %[rc]\n"
                 "   mov %[rc], (%[slot])\n"
                 "   call *%[va]\n"
                 "   xor %%eax, %%eax\n"
                 "   jmp 2f\n"
                 "1: add $8, %%rsp\n" /* what the call has pushed */
                 "   mov $-1, %%rax\n"
                 "2:\n"
                 : [rc] "=&a"(rc)
                 : [va] "b"(va), [slot] "r"(slot)
                 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                   "cc");
    return (int)rc;
}

#endif
