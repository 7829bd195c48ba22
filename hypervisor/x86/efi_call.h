/* SPDX-License-Identifier: MIT */
/*
 * x86/efi_call.h - call a function of UEFI firmware (UEFI 2.10, 2.3.4: the
 * calling convention of Microsoft's compilers).
 */
#ifndef VIGIL_X86_EFI_CALL_H
#define VIGIL_X86_EFI_CALL_H

#include "lib/types.h"

/* The stack pointer of the one call there is: dev/efi_runtime.c, its lock. */
extern uint64_t efi_call_stack;

/*
 * Call @fn with five arguments, interrupts off.  The way on for an exception
 * inside goes to @fixup first; it needs no stack pointer.  @ret_faulted says
 * that it was taken, and then nothing is returned.
 *
 * A callee keeps rbx, rbp, rdi, rsi, r12 to r15; one that faults keeps nothing.
 * It may leave the direction flag set or interrupts on: undone.
 */
static inline uint64_t efi_call_asm(uint64_t fn, const uint64_t args[5],
                                    uint64_t *fixup, bool *ret_faulted)
{
    uint64_t status, c = (uint64_t)fixup;

    asm volatile("push %%rbp\n"
                 "push %%rbx\n"
                 "push %%r12\n"
                 "push %%r13\n"
                 "push %%r14\n"
                 "push %%r15\n"
                 "mov %%rsp, efi_call_stack(%%rip)\n"
                 "lea 1f(%%rip), %%rax\n"
                 "mov %%rax, (%%rcx)\n"
                 "mov %%rsp, %%rbp\n"
                 "mov %%rdi, %%rax\n"
                 "and $-16, %%rsp\n"
                 "sub $48, %%rsp\n" /* the callee's 32 bytes, a fifth */
                 "mov 32(%%rsi), %%r10\n"
                 "mov %%r10, 32(%%rsp)\n"
                 "mov 0(%%rsi), %%rcx\n"
                 "mov 8(%%rsi), %%rdx\n"
                 "mov 16(%%rsi), %%r8\n"
                 "mov 24(%%rsi), %%r9\n"
                 "call *%%rax\n"
                 "mov %%rbp, %%rsp\n"
                 "xor %%ecx, %%ecx\n"
                 "jmp 2f\n"
                 "1: mov efi_call_stack(%%rip), %%rsp\n"
                 "mov $1, %%ecx\n"
                 "2: cli\n"
                 "cld\n"
                 "pop %%r15\n"
                 "pop %%r14\n"
                 "pop %%r13\n"
                 "pop %%r12\n"
                 "pop %%rbx\n"
                 "pop %%rbp\n"
                 : "=a"(status), "+c"(c), "+D"(fn), "+S"(args)
                 :
                 : "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
    *ret_faulted = c != 0;
    return status;
}

#endif
