/* SPDX-License-Identifier: MIT */
/*
 * Link script of a stub: PFN 256 (1 MiB) upwards, mapped at VIRT_BASE + 1 MiB.
 * The load address (p_paddr) is the pseudo-physical one, as the Xen notes
 * VIRT_BASE and PADDR_OFFSET of start.S require.
 */
OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(_start)

VIRT_BASE = 0xffffffff80000000;

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
}

SECTIONS
{
    . = VIRT_BASE + 0x100000;

    .text : AT(ADDR(.text) - VIRT_BASE) {
        *(.text.start)
        *(.text .text.*)
    } :text

    . = ALIGN(4096);
    .rodata : AT(ADDR(.rodata) - VIRT_BASE) {
        *(.rodata .rodata.*)
        . = ALIGN(16);
        extable_start = .;
        KEEP(*(.extable))
        extable_end = .;
    } :rodata
    .note : AT(ADDR(.note) - VIRT_BASE) {
        KEEP(*(.note.Xen))
        KEEP(*(.note.gnu.build-id))
    } :rodata :note

    . = ALIGN(4096);
    .data : AT(ADDR(.data) - VIRT_BASE) {
        *(.data .data.*)
    } :data
    .bss : AT(ADDR(.bss) - VIRT_BASE) {
        . = ALIGN(4096);
        *(.bss .bss.* COMMON)
        . = ALIGN(4096);
    } :data

    /DISCARD/ : {
        *(.comment)
        *(.eh_frame)
        *(.note.GNU-stack)
        *(.note.gnu.property)
    }
}

ASSERT(extable_end >= extable_start, "exception table")
