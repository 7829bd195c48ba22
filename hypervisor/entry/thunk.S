/* SPDX-License-Identifier: MIT */
/*
 * entry/thunk.S - where the compiler sends indirect branches, one for each
 * register that may hold the target.
 *
 * As built they are retpolines: the RET is predicted to go where the CALL came
 * from, into a loop that does nothing, whatever a guest taught the predictor.
 * Boot may change them to a plain branch, with or without LFENCE before it.
 *
 * Each, and the return thunk, lies in the upper half of a cache line: there a
 * plain branch is not mispredicted by what a guest did elsewhere (ITS).
 */
#include "x86/alternative.h"

.macro THUNK reg
    .section .text.thunk.\reg, "ax", @progbits
    .globl  __x86_indirect_thunk_\reg
    .align  64
    .skip   32, 0xcc
__x86_indirect_thunk_\reg:
771:
    call    2f
1:  pause
    lfence
    jmp     1b
2:  mov     %\reg, (%rsp)
    ret
772:
    ALT_SITE ALT_THUNK_JMP
    ALT_SITE ALT_THUNK_LFENCE, 775f, 776f
    .pushsection .alt_code, "a", @progbits
773:
    jmp     *%\reg
    int3
774:
775:
    lfence
    jmp     *%\reg
    int3
776:
    .popsection
.endm

/* Where compiled functions return, unless boot makes that a RET in place. */
    .section .text.nmi, "ax", @progbits
    .globl  __x86_return_thunk
    .align  64
    .skip   32, 0xcc
__x86_return_thunk:
    ret
    int3

    .irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, \
              r14, r15
    THUNK   \reg
    .endr

/*
 * So many taken branches, forward and back, that none of a guest's is left in
 * the branch history: Intel, "Branch History Injection", software sequence of
 * 5 by 5.  The calls are on lines of their own.  Clobbers rax, rcx.
 */
    .section .text.entry, "ax", @progbits
    .globl  clear_branch_history
    .align  64
clear_branch_history:
    mov     $5, %ecx
    call    1f
    lfence
    jmp     entry_return
    .align  64
1:  call    2f
    jmp     entry_return
    .align  64
2:  mov     $5, %eax
3:  jmp     4f
    nop
4:  sub     $1, %eax
    jnz     3b
    sub     $1, %ecx
    jnz     1b
    jmp     entry_return

/* Where entry code returns: an isolated guest's tables have it, too. */
    .globl  entry_return
    .align  64
    .skip   32, 0xcc
entry_return:
    ret
    int3

    .section .note.GNU-stack, "", @progbits
