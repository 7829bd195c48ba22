/* SPDX-License-Identifier: MIT */
/*
 * boot/head.S - from the boot loader to C in long mode.
 *
 * Entered in 32-bit protected mode, paging off, by multiboot 2 (GRUB) or
 * multiboot 1 (qemu -kernel): eax = magic, ebx = machine address of the
 * loader's information.  The page tables are data of the image: 0..4 GiB at
 * 0 (dropped by hvmap_init()), at DIRECTMAP_VA, and 0..1 GiB at HV_IMAGE_VA.
 */
#include "asm_offsets.h"
#include "x86/layout.h"

#define PA(sym) ((sym) - HV_IMAGE_VA)

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00010003 /* align modules, memory info, addresses */
#define MB2_MAGIC 0xe85250d6

    .section .boot.header, "ax", @progbits
    .align 8
mb1_header:
    .long MB1_MAGIC
    .long MB1_FLAGS
    .long -(MB1_MAGIC + MB1_FLAGS)
    .long PA(mb1_header)
    .long PA(__image_start)
    .long PA(__data_end)
    .long PA(__bss_end)
    .long PA(boot_entry)

    .align 8
mb2_header:
    .long MB2_MAGIC
    .long 0 /* i386 protected mode */
    .long mb2_header_end - mb2_header
    .long -(MB2_MAGIC + 0 + (mb2_header_end - mb2_header))
    /* Information wanted: command line, modules, memory map.  What UEFI has
     * beside it comes without being asked for. */
    .align 8
    .short 1, 0
    .long 20
    .long 1, 3, 6
    /* modules on page boundaries */
    .align 8
    .short 6, 0
    .long 8
    /* a screen we can write on: text, or pixels in whatever size it has */
    .align 8
    .short 4, 1
    .long 12
    .long 2
    .align 8
    .short 5, 1
    .long 20
    .long 0, 0, 0
    .align 8
    .short 0, 0
    .long 8
mb2_header_end:

    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    mov     %eax, %ebp
    mov     %ebx, %esi
    lgdtl   PA(boot_gdtr)
    ljmp    $0x08, $PA(1f)
1:  mov     $0x10, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     $PA(bsp_block) + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES, %esp

    /* Long mode and NX or nothing: say so on the first serial port. */
    mov     $0x80000000, %eax
    cpuid
    cmp     $0x80000001, %eax
    jb      no_long_mode
    mov     $0x80000001, %eax
    cpuid
    bt      $29, %edx
    jnc     no_long_mode
    bt      $20, %edx
    jnc     no_long_mode

    mov     $0x20, %eax /* CR4.PAE */
    mov     %eax, %cr4
    mov     $PA(hv_l4), %eax
    mov     %eax, %cr3
    mov     $0xc0000080, %ecx /* EFER: SCE, LME, NX */
    rdmsr
    or      $0x901, %eax
    wrmsr
    mov     $0x80010033, %eax /* PG WP NE ET MP PE */
    mov     %eax, %cr0
    ljmp    $0x18, $PA(start64_low)

no_long_mode:
    mov     $PA(no_long_mode_text), %edi
2:  mov     (%edi), %al
    test    %al, %al
    jz      3f
    mov     $0x3f8, %dx
    out     %al, %dx
    inc     %edi
    jmp     2b
3:  hlt
    jmp     3b
no_long_mode_text:
    .asciz "Vigil cannot start: this processor lacks 64-bit mode or NX\r\n"

    .code64
start64_low:
    movabs  $start64, %rax
    jmp     *%rax
start64:
    mov     $0x10, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs

    /* The loader need not have zeroed our bss. */
    mov     %esi, %r12d
    lea     __bss_start(%rip), %rdi
    lea     __bss_end(%rip), %rcx
    sub     %rdi, %rcx
    shr     $3, %rcx /* vigil.lds.S aligns both ends to more than a word */
    rep stosq

    lea     bsp_block + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES(%rip), %rsp
    sub     $REGS_SIZE, %rsp /* room for a guest's frame */
    xor     %ebx, %ebx
    mov     %ebp, %edi
    mov     %r12, %rsi
    xor     %ebp, %ebp
    push    %rbp /* end of the frame-pointer chain */
    push    %rbp
    call    boot_main
    /* Dom0 is built; the exit path schedules it. */
    lea     bsp_block + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES(%rip), %rsp
    sub     $REGS_SIZE, %rsp
    jmp     leave_with_work

    .section .data.page_aligned, "aw", @progbits
    .align 4096
    .globl hv_l4
hv_l4:
    .quad PA(boot_l3_low) + 0x03
    .fill 260, 8, 0
    .quad PA(boot_l3_image) + 0x03 /* slot 261 */
    .quad PA(boot_l3_low) + 0x03   /* slot 262 */
    .fill 249, 8, 0

boot_l3_low:
    .quad PA(boot_l2) + 0x03
    .quad PA(boot_l2) + 0x1003
    .quad PA(boot_l2) + 0x2003
    .quad PA(boot_l2) + 0x3003
    .fill 508, 8, 0

/* L3 index of HV_IMAGE_VA */
#define IMAGE_L3 ((HV_IMAGE_VA >> 30) & 511)
boot_l3_image:
    .fill IMAGE_L3, 8, 0
    .quad PA(boot_l2) + 0x03
    .fill 511 - IMAGE_L3, 8, 0

boot_l2:
    .set pa, 0
    .rept 2048
    .quad pa + 0x183 /* P W PS G */
    .set pa, pa + 0x200000
    .endr

    .align 16
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 0x08 code 32 */
    .quad 0x00cf93000000ffff /* 0x10 data    */
    .quad 0x00af9b000000ffff /* 0x18 code 64 */
boot_gdtr:
    .short . - boot_gdt - 1
    .quad PA(boot_gdt)

    .section .bss.cpu_block, "aw", @nobits
    .align CPU_BLOCK_BYTES
    .globl bsp_block
bsp_block:
    .skip CPU_BLOCK_BYTES

    .section .note.GNU-stack, "", @progbits
