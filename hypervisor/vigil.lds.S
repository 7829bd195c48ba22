/* SPDX-License-Identifier: MIT */
/*
 * Link map of the hypervisor.  Virtual addresses start at HV_IMAGE_VA +
 * HV_LOAD_PADDR; the image is loaded at HV_LOAD_PADDR, so a symbol's physical
 * address is its virtual one minus HV_IMAGE_VA until boot relocates nothing.
 */
#include "x86/layout.h"

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_entry)

PHDRS
{
    text PT_LOAD; /* all that is in the file, in one piece: multiboot 1 */
    bss PT_LOAD;  /* apart, so that its alignment moves nothing above  */
    note PT_NOTE;
}

SECTIONS
{
    . = HV_IMAGE_VA + HV_LOAD_PADDR;
    __image_start = .;

    .text : AT(ADDR(.text) - HV_IMAGE_VA) {
        *(.boot.header)
        __text_start = .;
        __entry_text_start = .;
        *(.text.entry)
        __entry_text_end = .;
        . = ALIGN(64);
        __nmi_text_start = .;
        *(.text.nmi .text.nmi.*)
        __nmi_text_end = .;
        *(EXCLUDE_FILE(*liblzma.a:*) .text EXCLUDE_FILE(*liblzma.a:*) .text.*)
        *(.fixup)
        /*
         * In the same place of its pages whatever our code is: jumps between
         * pages are slow under QEMU, and liblzma's loops are longer than one.
         * Unpacking took 4.7 to 5.4 s by this number, which is the best.
         */
        . = ALIGN(4096) + 0x800;
        *liblzma.a:*(.text .text.*)
        . = ALIGN(4096);
        __text_end = .;
    } : text = 0x9090

    .rodata : AT(ADDR(.rodata) - HV_IMAGE_VA) {
        __rodata_start = .;
        *(.rodata .rodata.*)
        . = ALIGN(8);
        __ex_table_start = .;
        *(.ex_table)
        __ex_table_end = .;
        . = ALIGN(8);
        __crash_notes_start = .;
        KEEP(*(.crash_notes))
        __crash_notes_end = .;
        . = ALIGN(8);
        *(.symtab_hv .symtab_hv.*)
    } : text

    .note.gnu.build-id : AT(ADDR(.note.gnu.build-id) - HV_IMAGE_VA) {
        __build_id_start = .;
        *(.note.gnu.build-id)
        __build_id_end = .;
    } : text : note

    .pad : AT(ADDR(.pad) - HV_IMAGE_VA) {
        BYTE(0)
        . = ALIGN(4096);
        __rodata_end = .;
    } : text

    .init : AT(ADDR(.init) - HV_IMAGE_VA) {
        __init_start = .;
        *(.init.text .init.text.*)
        . = ALIGN(4096);
        __init_text_end = .;
        *(.init.data .init.data.*)
        . = ALIGN(8);
        __alt_sites_start = .;
        *(.alt_sites)
        __alt_sites_end = .;
        *(.alt_code)
        . = ALIGN(4);
        __alt_returns_start = .;
        *(.alt_returns)
        __alt_returns_end = .;
        . = ALIGN(4096);
        __init_end = .;
    } : text

    .data : AT(ADDR(.data) - HV_IMAGE_VA) {
        __data_start = .;
        *(.data.page_aligned)
        *(.data .data.*)
        *(.got .got.*)
        . = ALIGN(4096);
        __data_end = .;
    } : text

    .bss : AT(ADDR(.bss) - HV_IMAGE_VA) {
        __bss_start = .;
        . = ALIGN(0x10000);
        *(.bss.cpu_block)
        *(.bss.page_aligned)
        *(.bss .bss.*)
        *(COMMON)
        . = ALIGN(4096);
        __bss_end = .;
    } : bss

    . = ALIGN(4096);
    __image_end = .;

    /DISCARD/ : {
        *(.comment)
        *(.note.GNU-stack)
        *(.note.gnu.property)
        *(.init_array .init_array.*) /* liblzma.a: see pv/xz.c */
        *(.eh_frame)
        *(.eh_frame_hdr)
    }
}

ASSERT(__text_end - __text_start + (__rodata_end - __rodata_start) < 512 * 1024,
       "text and rodata exceed 512 KiB")

/* The one range of addresses the exits know (docs/architecture.md): two stubs of
   32 bytes for each of 64 CPUs, and nothing else. */
ASSERT(syscall_gap_end - syscall_gap_start <= 2 * 64 * 32 &&
       syscall_gap_end - syscall_gap_start > 2 * 64 * 32 - 32 &&
       syscall_gap_start >= __entry_text_start &&
       syscall_gap_end <= __entry_text_end,
       "the gap is more or less than the SYSCALL stubs")
