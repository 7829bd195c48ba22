/* SPDX-License-Identifier: MIT */
/*
 * boot/ap.S - a further processor's way from real mode to C.
 *
 * boot/smp.c copies what is between ap_trampoline and ap_trampoline_end into a
 * page below 1 MiB, fills in its fields, and lets the processor begin there:
 * real mode, cs = page << 8, ip = 0, interrupts off.  It goes to long mode in
 * one step, by tables that map the first 2 MiB where they are and otherwise
 * are the hypervisor's own.
 */
#include "asm_offsets.h"
#include "x86/layout.h"

#define OFF(sym) ((sym) - ap_trampoline)

    .section .rodata, "a", @progbits
    .align 16
    .globl ap_trampoline, ap_trampoline_end
    .globl ap_field_gdt_base, ap_field_far, ap_field_cr3, ap_field_rsp
    .globl ap_field_entry, ap_boot_gdt, ap_long_mode
    .code16
ap_trampoline:
    cli
    cld
    mov     %cs, %ax
    mov     %ax, %ds
    lgdtl   OFF(ap_gdtr)
    mov     $0x20, %eax /* CR4.PAE */
    mov     %eax, %cr4
    mov     OFF(ap_field_cr3), %eax
    mov     %eax, %cr3
    mov     $0xc0000080, %ecx /* EFER: SCE, LME, NX */
    rdmsr
    or      $0x901, %eax
    wrmsr
    mov     $0x80010033, %eax /* PG WP NE ET MP PE */
    mov     %eax, %cr0
    ljmpl   *OFF(ap_field_far)

    .code64
ap_long_mode:
    xor     %eax, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     %eax, %fs
    mov     %eax, %gs
    mov     ap_field_rsp(%rip), %rsp
    mov     ap_field_entry(%rip), %rax
    xor     %ebp, %ebp
    jmp     *%rax

    .align 8
ap_boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 0x08 code 64 */
ap_gdtr:
    .short . - ap_boot_gdt - 1
ap_field_gdt_base:
    .long 0
ap_field_far: /* of ap_long_mode */
    .long 0
    .short 0x08
ap_field_cr3:
    .long 0
    .align 8
ap_field_rsp: /* below it: nothing yet */
    .quad 0
ap_field_entry: /* ap_start */
    .quad 0
ap_trampoline_end:

    .text
    .globl ap_start
ap_start:
    sub     $REGS_SIZE, %rsp /* room for a guest's frame */
    push    %rbp /* end of the frame-pointer chain */
    push    %rbp
    call    ap_main
    /* Nothing but idle, until somebody is scheduled here. */
    and     $-CPU_BLOCK_BYTES, %rsp
    add     $CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - REGS_SIZE, %rsp
    jmp     leave_with_work

    .section .note.GNU-stack, "", @progbits
