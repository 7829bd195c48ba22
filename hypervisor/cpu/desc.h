/* SPDX-License-Identifier: MIT */
/*
 * cpu/desc.h - GDT page, IDT, and each CPU's TSS with its IST stacks.
 */
#ifndef VIGIL_CPU_DESC_H
#define VIGIL_CPU_DESC_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/percpu.h"
#include "x86/segment.h"
#include "x86/tss.h"

/* Of all CPUs, each whole pages with nothing else in them. */
extern struct gate idt[256];
extern uint64_t gdt_page[512];
extern struct tss_slot tss_slots[NR_CPUS];

/**
 * desc_init() - build the descriptors and the IDT that all CPUs share
 *
 * Context: boot, once, on the first CPU.
 */
void desc_init(void);

/**
 * desc_cpu_init() - load GDT, IDT and a TSS of this CPU's own
 *
 * Also points the SYSCALL MSRs at this CPU's stub.
 * Context: boot, on each CPU, interrupts off; percpu_init() has run.
 */
void desc_cpu_init(void);

/**
 * desc_gate() - an interrupt gate that guests cannot raise
 * @door: where it leads
 * @ist:  stack, 1 to 7; 0: the one in use, or the main one from a guest
 *
 * Context: any; pure.
 * Return:  for a place in an IDT (SDM 3A 6.14)
 */
struct gate desc_gate(const void *door, unsigned int ist);

/**
 * desc_gdt_page() - page with the hypervisor's reserved descriptors
 *
 * It is page 14 of every GDT (entries from GDT_FIRST_RESERVED_ENTRY).
 * Context: any.
 * Return:  the page, in the image
 */
uint64_t *desc_gdt_page(void);

/**
 * desc_load_gdt() - load GDTR
 * @base: linear address of entry 0; page 14 from it must be mapped
 *
 * Context: interrupts off.
 */
void desc_load_gdt(uint64_t base);

/**
 * desc_own_gdt_base() - GDT base with nothing but the reserved page
 *
 * Context: any.
 * Return:  linear address; page 14 from it is mapped in every page table
 */
uint64_t desc_own_gdt_base(void);

/**
 * desc_set_ldt() - load LDTR
 * @base: linear address
 * @ents: descriptors; 0 loads the null LDT
 *
 * Context: interrupts off.
 */
void desc_set_ldt(uint64_t base, unsigned int ents);

#endif
