/* SPDX-License-Identifier: MIT */
/*
 * x86/layout.h - the virtual memory map, drawn and defined in one place.
 *
 * The Xen ABI gives the hypervisor L4 slots 256 to 271; all else belongs to
 * the guest.
 *
 *   slot  start               what                                  user
 *   256   0xffff800000000000  machine-to-phys table for guests       RO
 *   260   0xffff820000000000  per-domain area: each vcpu's GDT+LDT   -
 *   261   0xffff828000000000  (unused)
 *         0xffff82c000000000  fixed map: device pages (uncached)     -
 *         0xffff82c800000000  blocks of the other processors         -
 *         0xffff82d080000000  hypervisor image, 1 GiB                -
 *         0xffff82e000000000  frame table (struct frame[])           -
 *   262   0xffff830000000000  direct map of machine memory, 5 TiB    -
 *   271   0xffff87ffffffffff  end
 *
 * User RO: mapped with U=1, read-only.
 */
#ifndef VIGIL_X86_LAYOUT_H
#define VIGIL_X86_LAYOUT_H

#ifdef __ASSEMBLER__
#define VA(x) x
#else
#include "lib/types.h"
#define VA(x) x##UL
#endif

#define HV_L4_FIRST 256
#define HV_L4_LAST 271

#define HV_HOLE_START VA(0xffff800000000000)
#define HV_HOLE_END VA(0xffff880000000000) /* first address after it */

#define M2P_VA VA(0xffff800000000000)
#define M2P_VA_END VA(0xffff804000000000) /* 256 GiB of table */

#define PERDOMAIN_L4_SLOT 260
#define PERDOMAIN_VA VA(0xffff820000000000)
#define PERDOMAIN_VCPU_SHIFT 17 /* 128 KiB a vcpu: GDT 64 KiB, LDT 64 KiB */

#define FIXMAP_VA VA(0xffff82c000000000)
#define FIXMAP_LAPIC_VA FIXMAP_VA
#define FIXMAP_IOAPIC_VA(n) (FIXMAP_VA + 0x1000UL * (1 + (n)))
#define FIXMAP_IOMAP_VA (FIXMAP_VA + 0x100000UL) /* mm/iomap.c hands out */

#define HV_IMAGE_VA VA(0xffff82d080000000)
#define FRAMETABLE_VA VA(0xffff82e000000000)

#define DIRECTMAP_VA VA(0xffff830000000000)
#define DIRECTMAP_VA_END VA(0xffff880000000000)

/* Physical address the image is linked for and loaded at. */
#define HV_LOAD_PADDR 0x200000

/* Selectors the Xen ABI fixes (public arch-x86_64.h), and ours between. */
#define GDT_FIRST_RESERVED_PAGE 14
#define GDT_FIRST_RESERVED_ENTRY (GDT_FIRST_RESERVED_PAGE * 512)
#define SEL_HV_CS 0xe008
#define SEL_HV_DS 0xe010
#define SEL_GUEST_CS32 0xe023
#define SEL_GUEST_DS 0xe02b
#define SEL_GUEST_CS64 0xe033
/* Of each CPU: TSS and LDT take two entries each, 256 of the page's 512. */
#define SEL_TSS(cpu) ((uint16_t)(0xe040 + (cpu)*32))
#define SEL_LDT(cpu) ((uint16_t)(0xe050 + (cpu)*32))

/* One CPU's block: stacks and struct cpu_block (x86/percpu.h). */
#define CPU_BLOCK_BYTES 0x10000
#define CPU_STRUCT_BYTES 0x400
#define CPU_GUARD_PAGES 0x0555 /* bit n: page n of it is not mapped */
#define CPU_GUARD_LAST 0xa000
#define CPU_STACK_DB 0x1000
#define CPU_TOP_DB 0x1800
#define CPU_TOP_DF 0x2000
#define CPU_STACK_MC_B 0x3000
#define CPU_STACK_MC_A 0x5000
#define CPU_STACK_NMI_B 0x7000
#define CPU_STACK_NMI_A 0x9000
#define CPU_STACK_MAIN 0xb000

/* Where the blocks of processors but the first are mapped, by number. */
#define CPU_BLOCKS_VA VA(0xffff82c800000000)

#endif
