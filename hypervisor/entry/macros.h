/* SPDX-License-Identifier: MIT */
/*
 * entry/macros.h - save and restore struct cpu_regs; for .S files only.
 */
#ifndef VIGIL_ENTRY_MACROS_H
#define VIGIL_ENTRY_MACROS_H

#ifdef __ASSEMBLER__

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
.macro RESTORE_GPRS
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
