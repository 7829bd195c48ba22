/* SPDX-License-Identifier: MIT */
/*
 * traps.S - entry points the hypervisor bounces to, and the way back.
 *
 * On entry the stack holds, low address first: rcx, r11, [error code], rip,
 * cs (upcall mask in bits 32-39, RPL 0 when we interrupted ourselves), rflags,
 * rsp, ss.  The failsafe frame has ds, es, fs, gs instead of an error code.
 * Each entry turns that into struct trap_regs of stub.h.
 *
 * The way back is always the iret hypercall, never the instruction: only the
 * hypercall ends an NMI or #MC and puts the upcall mask back.
 */
#define __ASSEMBLY__
#include <xen/xen.h>

    .text

    /* 0-31 are vectors, 32 is the event, 33 the syscall callback. */
    .irp v, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23, \
            24,25,26,27,28,29,30,31,32,33
    .balign 16
trap_entry_\v:
    pop %rcx
    pop %r11
    .if !((\v == 8) || ((\v >= 10) && (\v <= 14)) || (\v == 17))
    push $0                 /* where the others have an error code */
    .endif
    push $\v
    jmp trap_common
    .endr

    /* 34: the failsafe callback */
    .balign 16
trap_entry_34:
    pop %rcx
    pop %r11
    pop failsafe_selectors(%rip)
    pop failsafe_selectors+8(%rip)
    pop failsafe_selectors+16(%rip)
    pop failsafe_selectors+24(%rip)
    push $0
    push $34

    .type trap_common, @function
trap_common:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call trap_dispatch
    mov %rbx, %rsp
trap_return:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp           /* vector, error */
    push $0                 /* flags: restore rcx and r11 too */
    push %rcx
    push %r11
    push %rax
    mov $__HYPERVISOR_iret, %eax
    syscall
    ud2
    .size trap_common, . - trap_common

    .globl user_enter
    .type user_enter, @function
user_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, user_enter_rsp(%rip)
    mov %rdi, %rsp
    jmp trap_return
    .size user_enter, . - user_enter

    .globl user_leave
    .type user_leave, @function
user_leave:
    mov user_enter_rsp(%rip), %rsp
    mov %rdi, %rax
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size user_leave, . - user_leave

    .section .rodata
    .balign 8
    .globl trap_entry_points
trap_entry_points:
    .irp v, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23, \
            24,25,26,27,28,29,30,31,32,33,34
    .quad trap_entry_\v
    .endr

    .section .bss
    .balign 8
    .globl failsafe_selectors
failsafe_selectors:
    .skip 32
user_enter_rsp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
