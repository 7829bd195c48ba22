/* SPDX-License-Identifier: MIT */
/*
 * start.S - what a domain builder reads (the Xen ELF notes) and the entry
 * point it jumps to.
 *
 * The notes say the same as those of a Linux kernel of today, so that the
 * stubs go through the same paths of both builders: P2M list outside the
 * initial mapping, initrd by PFN, no hypercall page.
 */
#define __ASSEMBLY__
#include <xen/elfnote.h>
#include <xen/features.h>

#define VIRT_BASE 0xffffffff80000000

.macro XEN_NOTE type, value:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 2f - 1f
    .long 4f - 3f
    .long \type
1:  .asciz "Xen"
2:  .balign 4
3:  \value
4:  .balign 4
    .popsection
.endm

    XEN_NOTE XEN_ELFNOTE_GUEST_OS, .asciz "vigil-stub"
    XEN_NOTE XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
    XEN_NOTE XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
    XEN_NOTE XEN_ELFNOTE_LOADER, .asciz "generic"
    XEN_NOTE XEN_ELFNOTE_PAE_MODE, .asciz "yes"
    XEN_NOTE XEN_ELFNOTE_VIRT_BASE, .quad VIRT_BASE
    XEN_NOTE XEN_ELFNOTE_PADDR_OFFSET, .quad 0
    XEN_NOTE XEN_ELFNOTE_ENTRY, .quad _start
    XEN_NOTE XEN_ELFNOTE_INIT_P2M, .quad 0x8000000000
    XEN_NOTE XEN_ELFNOTE_MOD_START_PFN, .quad 1
    XEN_NOTE XEN_ELFNOTE_HV_START_LOW, .quad 0xffff800000000000
    XEN_NOTE XEN_ELFNOTE_FEATURES, \
        .ascii "!writable_page_tables|pae_pgdir_above_4gb"
    XEN_NOTE XEN_ELFNOTE_SUPPORTED_FEATURES, \
        .long (1 << XENFEAT_writable_page_tables) | (1 << XENFEAT_dom0)

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    cld
    mov $stack_top, %rsp
    xor %ebp, %ebp
    mov %rsi, %rdi
    call stub_start
    ud2
    .size _start, . - _start

    .section .bss
    .balign 4096
    .globl stack_bottom, stack_top
stack_bottom:
    .skip 32768
stack_top:

    .section .note.GNU-stack, "", @progbits
