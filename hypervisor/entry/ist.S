/* SPDX-License-Identifier: MIT */
/*
 * entry/ist.S - the doors with stacks of their own: NMI, #MC, #DF, #DB.
 *
 * NMI leaves by IRET: only IRET lets the next NMI in, and the outermost exit of
 * the handler is the place for it.  A guest whose IRET might fault goes by way
 * of the main stack, whose IRET has a fixup.  #MC and #DB that interrupted
 * the hypervisor leave by the RET rule where it applies (trap.c decides).
 * #MC moves its frame below what it interrupted before the next #MC can come:
 * so however many interrupt each other's way out, none overwrites another.
 * From a guest, #MC and #DB move their frame to the main stack, so that the
 * exit path may schedule or divert the guest before it runs again.
 */
#include "asm_offsets.h"
#include "entry/macros.h"
#include "x86/exc.h"
#include "x86/layout.h"

    .section .text.entry, "ax", @progbits

    .globl entry_nmi, entry_mc, entry_df, entry_db

    .align 16
entry_nmi:
    push    $0
    movl    $EXC_NMI, 4(%rsp)
    SAVE_GPRS
    mov     %rsp, %rdi
    call    nmi_entry
    test    %eax, %eax
    jnz     ist_to_main
    RESTORE_GPRS
    add     $8, %rsp
    .globl nmi_iretq
nmi_iretq:
    iretq

    .align 16
entry_mc:
    push    $0
    movl    $EXC_MC, 4(%rsp)
    SAVE_GPRS
    mov     %rsp, %rdi
    call    mce_entry
    /* eax: 0 IRET, 1 the RET rule, 2 by way of the main stack */
    cmp     $1, %eax
    je      mc_by_ret
    cmp     $2, %eax
    je      mc_to_main
    call    ras_mce_end
    .globl mc_ended_iret
mc_ended_iret:
    RESTORE_GPRS
    add     $8, %rsp
    .globl mc_iretq
mc_iretq:
    iretq

/* leave_by_ret writes two words below the interrupted rsp: below them. */
mc_by_ret:
    mov     REGS_RSP(%rsp), %rdi
    sub     $16 + REGS_SIZE, %rdi
    call    ist_copy
    mov     %rax, %rsp
    call    ras_mce_end
    .globl mc_ended_ret
mc_ended_ret:
    jmp     leave_by_ret

mc_to_main:
    call    ist_copy_to_main
    mov     %rax, %rsp
    call    ras_mce_end
    .globl mc_ended_main
mc_ended_main:
    jmp     leave_to_guest

    .align 16
entry_db:
    push    $0
    movl    $EXC_DB, 4(%rsp)
    SAVE_GPRS
    mov     %rsp, %rdi
    testb   $3, REGS_CS(%rsp)
    jnz     db_from_guest
    call    db_from_hypervisor
    /* eax: 0 IRET, 1 the RET rule */
    test    %eax, %eax
    jnz     leave_by_ret
    RESTORE_GPRS
    add     $8, %rsp
    .globl db_iretq
db_iretq:
    iretq

/* A guest was interrupted: its frame goes where guest frames live. */
ist_to_main:
    call    ist_copy_to_main
    mov     %rax, %rsp
    jmp     leave_to_guest

db_from_guest:
    call    ist_copy_to_main
    mov     %rax, %rsp
    mov     FRAME_CPU_VCPU(%rsp), %rdi
    mov     %rsp, %rsi
    mov     trap_handler + 8 * EXC_DB(%rip), %rax
    CALL_RAX
    jmp     leave_to_guest

/* In: rsp + 8 = frame on an IST stack.  Out: rax = its copy. */
ist_copy_to_main:
    mov     %rsp, %rdi
    and     $-CPU_BLOCK_BYTES, %rdi
    add     $CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - REGS_SIZE, %rdi
/* The same, to rdi. */
ist_copy:
    lea     8(%rsp), %rsi
    mov     %rdi, %rax
    mov     $REGS_SIZE / 8, %ecx
    rep movsq
    jmp     entry_return

    .align 16
entry_df:
    movl    $EXC_DF, 4(%rsp)
    SAVE_GPRS
    mov     %rsp, %rdi
    call    double_fault
    ud2

    .section .note.GNU-stack, "", @progbits
