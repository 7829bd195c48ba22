/* SPDX-License-Identifier: MIT */
/*
 * entry/vectors.S - 256 entry stubs, the table the IDT is built from, the
 * common path of exceptions and interrupts, and every way out.
 *
 * Vectors 1 (#DB), 2 (NMI), 8 (#DF) and 18 (#MC) run on stacks of their own:
 * ist.S has their doors; the stubs here are not installed for them.
 */
#include "asm_offsets.h"
#include "entry/macros.h"
#include "x86/exc.h"
#include "x86/layout.h"

    .section .text.entry, "ax", @progbits

/* x86/exc.h's mask without its C suffix */
#define EXC_HAS_ERROR_CODE_ASM 0x60227d00

    .globl entry_stub_base
    .align 16
entry_stub_base:
    .set vec, 0
    .rept 256
    .align 16
    .set has_code, 0
    .if vec < EXC_COUNT /* the assembler warns of wider shifts */
    .set has_code, (EXC_HAS_ERROR_CODE_ASM >> vec) & 1
    .endif
    .if has_code == 0
    push    $0
    .endif
    movl    $vec, 4(%rsp)
    jmp     entry_common
    .set vec, vec + 1
    .endr

    .align 16
    .globl entry_common
entry_common:
    SAVE_GPRS
    testb   $3, REGS_CS(%rsp)
    jz      from_hypervisor
    movzwl  REGS_VECTOR(%rsp), %eax
    cmp     $EXC_COUNT, %eax
    jae     irq_from_guest
    mov     FRAME_CPU_VCPU(%rsp), %rdi
    mov     %rsp, %rsi
    lea     trap_handler(%rip), %rcx
    mov     (%rcx, %rax, 8), %rax
    CALL_RAX

/*
 * The main stack holds exactly the frame of current_vcpu.  Interrupts may be
 * on.  Most times nothing is pending, and these few looks are all: no work
 * bit, no softirq (whoever stops this vcpu raises one), nothing left in the
 * context word (that is an error), no virtual NMI or #MC, no event that is not
 * masked.  What comes after CLI comes with an interrupt.
 */
    .globl leave_to_guest
leave_to_guest:
    cli
    cmpq    $0, FRAME_CPU_WORK(%rsp)
    jne     leave_with_work
    mov     FRAME_CPU_VCPU(%rsp), %rax
    cmpw    $0, VCPU_NMI_MCE_PENDING(%rax)
    jne     leave_with_work
    mov     VCPU_INFO(%rax), %rax
    cmpb    $0, UPCALL_PENDING(%rax)
    jne     leave_with_event
leave_now:
    /* Interrupts are off and stay off; nothing is pending. */
    RESTORE_GPRS guest=1
    add     $8, %rsp
    .globl guest_iretq
guest_iretq:
    iretq
    .section .ex_table, "a"
    .long guest_iretq - ., guest_iretq_failed - .
    .previous

irq_from_guest:
    mov     %eax, %edi
    call    irq_entry_from_guest
    jmp     leave_to_guest

leave_with_event:
    cmpb    $0, UPCALL_MASK(%rax)
    jne     leave_now
    /* It sets the mask, or ends the domain, for which there is work then. */
    mov     FRAME_CPU_VCPU(%rsp), %rdi
    call    pv_deliver_event
    cmpq    $0, FRAME_CPU_WORK(%rsp)
    jne     leave_with_work
    jmp     leave_now

/* Also the way to the first guest of all: there is no current_vcpu yet. */
    .globl leave_with_work
leave_with_work:
    mov     %rsp, %rdi
    call    exit_to_guest
    jmp     leave_now

/*
 * The processor refused the guest's rip, cs, ss or rflags.  All its registers
 * are still live and rsp is at the frame: rebuild struct cpu_regs in place.
 */
guest_iretq_failed:
    push    $0
    SAVE_GPRS
    mov     %rsp, %rdi
    call    trap_iret_failed
    jmp     leave_to_guest

from_hypervisor:
    push    REGS_RIP(%rsp) /* a frame for the backtrace to walk over */
    push    REGS_RBP + 8(%rsp)
    mov     %rsp, %rbp
    lea     16(%rsp), %rdi
    call    trap_from_hypervisor
    add     $16, %rsp
    test    %al, %al
    jnz     leave_by_ret
    RESTORE_GPRS
    add     $8, %rsp
    .globl hypervisor_iretq
hypervisor_iretq:
    iretq

/*
 * The RET rule (docs/architecture.md): an IRET would let the next NMI in, so
 * what interrupted hypervisor code with interrupts off leaves without one.
 * rsp: struct cpu_regs.  rip and rflags go below the interrupted rsp, which
 * lies in this CPU's block; there is no red zone.  On the same stack these
 * are the words that held ss and, if the interrupted rsp was a multiple of
 * 16, rsp itself: the new rsp takes the place of the error code instead,
 * which always lies below them.
 */
    .globl leave_by_ret
leave_by_ret:
    LEAVE
    mov     REGS_RSP(%rsp), %rax
    sub     $16, %rax
    mov     REGS_RIP(%rsp), %rcx
    mov     REGS_RFLAGS(%rsp), %rdx
    mov     %rcx, 8(%rax)
    mov     %rdx, (%rax)
    mov     %rax, REGS_VECTOR - 4(%rsp)
    POP_GPRS
    pop     %rsp
    popfq
    jmp     entry_return

/* entry/idle.h */
    .globl idle_halt, idle_hlt
    .align 16
idle_halt:
    sti
idle_hlt:
    hlt
    jmp     entry_return

    .section .note.GNU-stack, "", @progbits
