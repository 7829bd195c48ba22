/* SPDX-License-Identifier: MIT */
/*
 * entry/syscall.S - SYSCALL from a guest: a hypercall from its kernel, a
 * system call from its user mode.
 *
 * A hypercall goes from here to its handler: the arguments are in the
 * registers the C ABI wants them in, but for r10.  cpu_block.call_base says
 * whose calls they are; hypercall/table.c has a handler for each number.
 *
 * SYSCALL leaves the guest's rsp in place.  Each CPU has a stub of its own
 * that parks it in that CPU's slot and takes the CPU's stack: the two
 * instructions from syscall_gap_start on are "the gap", the only code that
 * runs at CPL 0 on a stack pointer a guest chose.  Interrupts are off by
 * MSR_SYSCALL_MASK; NMI and #MC have stacks of their own.
 */
#include "asm_offsets.h"
#include "entry/macros.h"
#include "x86/layout.h"

    .section .text.entry, "ax", @progbits

#define SYSCALL_VECTOR 0x100

    .globl syscall_gap_start, syscall_gap_end
    .globl syscall_stub_base, syscall32_stub_base
    .align 64
syscall_gap_start:
syscall_stub_base:
    .set n, 0
    .rept CPU_DEFAULT_NR
    .align 32
    mov     %rsp, syscall_guest_rsp + 8 * n(%rip)
    mov     syscall_stack_top + 8 * n(%rip), %rsp
    push    $SEL_GUEST_DS
    push    syscall_guest_rsp + 8 * n(%rip)
    jmp     syscall64
    .set n, n + 1
    .endr

    .align 32
syscall32_stub_base:
    .set n, 0
    .rept CPU_DEFAULT_NR
    .align 32
    mov     %rsp, syscall_guest_rsp + 8 * n(%rip)
    mov     syscall_stack_top + 8 * n(%rip), %rsp
    push    $SEL_GUEST_DS
    push    syscall_guest_rsp + 8 * n(%rip)
    jmp     syscall32
    .set n, n + 1
    .endr
syscall_gap_end:

    .align 16
syscall32:
    push    %r11
    push    $SEL_GUEST_CS32
    jmp     syscall_common

    .align 16
syscall64:
    push    %r11
    push    $SEL_GUEST_CS64
syscall_common:
    push    %rcx
    push    $0
    movl    $SYSCALL_VECTOR, 4(%rsp)
    SAVE_GPRS clean=1
    mov     FRAME_CPU_CALL_BASE(%rsp), %r9d
    test    %r9d, %r9d
    jz      syscall_of_user
    /* The guest loads eax: the upper half is not part of the number. */
    cmp     $CALL_BASE_GUEST, %eax
    jae     hypercall_unknown
    /* Where that was mispredicted it is another number of the table. */
    and     $CALL_BASE_GUEST - 1, %eax
    add     %r9d, %eax
    lea     hypercall_table(%rip), %r11
    mov     (%r11, %rax, 8), %rax
    mov     %r10, %rcx
    sti
    CALL_RAX
    mov     %rax, REGS_RAX(%rsp)
    jmp     leave_to_guest

hypercall_unknown:
    movq    $-ENOSYS, REGS_RAX(%rsp)
    jmp     leave_to_guest

syscall_of_user:
    mov     %rsp, %rdi
    call    syscall_from_user
    jmp     leave_to_guest

    /* A page of its own: isolated guests have it mapped (mm/pti.h). */
    .section .bss.page_aligned, "aw", @nobits
    .align 4096
    .globl syscall_page, syscall_guest_rsp, syscall_stack_top
syscall_page:
syscall_guest_rsp:
    .skip 8 * CPU_DEFAULT_NR
syscall_stack_top:
    .skip 8 * CPU_DEFAULT_NR
    .align 4096

    .section .note.GNU-stack, "", @progbits
