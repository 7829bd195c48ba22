/* SPDX-License-Identifier: MIT */
/*
 * entry/macros.h - save and restore struct cpu_regs; for .S files only.
 *
 * Both are what every door does, so what keeps a guest's speculation out of the
 * hypervisor is in them (docs/adr/0016-speculation.md).
 */
#ifndef VIGIL_ENTRY_MACROS_H
#define VIGIL_ENTRY_MACROS_H

#ifdef __ASSEMBLER__

#include "x86/alternative.h"
#include "x86/layout.h"
#include "x86/msr_index.h"

/*
 * Before the first RET: at every door, whoever was interrupted, since NMI and
 * #MC may come between a guest's SYSCALL and this.  rsp: struct cpu_regs; all
 * registers but the flags are as before.
 */
.macro STOP_SPECULATION
    ALT_UNLESS ALT_ENTER, .Lentered\@
    ALT_UNLESS ALT_ENTER_RSB, .Lstuffed\@
    /* As many calls as an RSB has entries; their RETs would go to the INT3s. */
    .rept   32
    call    .+6
    int3
    .endr
    add     $32 * 8, %rsp
.Lstuffed\@:
    ALT_UNLESS ALT_ENTER_MORE, .Lentered\@
    ALT_UNLESS ALT_PTI, .Lours\@
    /* Nothing of ours but entry code and this stack is there until then. */
    mov     %rsp, %rcx
    and     $-CPU_BLOCK_BYTES, %rcx
    mov     %cr3, %rax
    cmp     %rax, BLOCK_PTI_GUEST(%rcx)
    jne     .Lours\@
    mov     BLOCK_PTI_FULL(%rcx), %rax
    mov     %rax, %cr3
    movw    $ENTRY_ISOLATED, REGS_FLAGS(%rsp)
.Lours\@:
    ALT_UNLESS ALT_ENTER_IBRS, .Librs\@
    mov     %rsp, %rax
    and     $-CPU_BLOCK_BYTES, %rax
    mov     BLOCK_SPEC_CTRL(%rax), %eax
    mov     $MSR_SPEC_CTRL, %ecx
    xor     %edx, %edx
    wrmsr
.Librs\@:
    ALT_UNLESS ALT_ENTER_IBPB, .Libpb\@
    mov     $MSR_PRED_CMD, %ecx
    mov     $1, %eax /* IBPB */
    xor     %edx, %edx
    wrmsr
.Libpb\@:
    ALT_UNLESS ALT_ENTER_BHB, .Lbhb\@
    call    clear_branch_history
.Lbhb\@:
    mov     REGS_RAX(%rsp), %rax
    mov     REGS_RCX(%rsp), %rcx
    mov     REGS_RDX(%rsp), %rdx
.Lentered\@:
.endm

/* Through a retpoline unless that is not wanted: then straight, as long. */
.macro CALL_RAX
771:
    call    __x86_indirect_thunk_rax
772:
    ALT_SITE ALT_CALL
    .pushsection .alt_code, "a", @progbits
773:
    .byte   0x2e, 0x2e, 0x2e, 0xff, 0xd0 /* cs cs cs call *%rax */
774:
    .popsection
.endm

/*
 * What RESTORE_GPRS does first; leave_by_ret, before it changes the frame.  rsp:
 * struct cpu_regs; clobbers rax, rcx.  guest=1: to a guest, by way of the main
 * stack.  From here on nothing may be touched but that stack.
 */
.macro LEAVE guest=0
    ALT_UNLESS ALT_LEAVE, .Lleft\@
    ALT_UNLESS ALT_PTI, .Lflush\@
    .if \guest
    mov     %rsp, %rdi
    call    leave_isolated
    .endif
    testb   $ENTRY_ISOLATED, REGS_FLAGS(%rsp)
    jz      .Lflush\@
    mov     %rsp, %rcx
    and     $-CPU_BLOCK_BYTES, %rcx
    mov     BLOCK_PTI_GUEST(%rcx), %rax
    mov     %rax, %cr3
.Lflush\@:
    ALT_UNLESS ALT_LEAVE_DIV, .Ldivided\@
    /* Zen 1: the divider keeps what it had last, and may give it away. */
    mov     $1, %eax
    div     %al
.Ldivided\@:
    ALT_UNLESS ALT_LEAVE_VERW, .Lleft\@
    /* Buffers are flushed by a selector in memory, any. */
    verw    REGS_SS(%rsp)
.Lleft\@:
.endm

/*
 * The frame up to the error code is on the stack already.  clean=1 where the
 * processor has cleared DF and AC (SYSCALL does, by MSR_SYSCALL_MASK).
 */
.macro SAVE_GPRS clean=0
    push    %rdi
    push    %rsi
    push    %rdx
    push    %rcx
    push    %rax
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    STOP_SPECULATION
    .if \clean == 0
    cld
    /* A guest may enter with AC set, which would switch SMAP off. */
    cmpb    $0, entry_has_smap(%rip)
    je      .Lno_clac\@
    clac
.Lno_clac\@:
    .endif
    xor     %ebp, %ebp
.endm

/* Leaves rsp at the error code / vector word. */
.macro RESTORE_GPRS guest=0
    LEAVE guest=\guest
    POP_GPRS
.endm

.macro POP_GPRS
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rax
    pop     %rcx
    pop     %rdx
    pop     %rsi
    pop     %rdi
.endm

#endif
#endif
