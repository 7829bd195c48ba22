/* SPDX-License-Identifier: MIT */
/*
 * mm/hvmap.h - the hypervisor's own page tables.
 *
 * L4 slots HV_L4_FIRST..HV_L4_LAST of hv_l4 are copied into every guest L4
 * (except the per-domain slot), so all L3 tables behind them exist after
 * boot and are never replaced.
 */
#ifndef VIGIL_MM_HVMAP_H
#define VIGIL_MM_HVMAP_H

#include "lib/compiler.h"
#include "x86/page.h"

/* The boot page tables' root (entry made by boot/head.S). */
extern pte_t hv_l4[PT_ENTRIES];

/**
 * hvmap_init() - build the direct map and split the image by permission
 *
 * Direct map: every RAM frame of mm/memmap, 2 MiB pages where possible, W,
 * NX; text and constants R, NX.  Image: text RX, rodata R, data RW NX.  Allocates L3 tables for
 * every slot 256..271 but the per-domain one.
 * Also maps read-write what ACPI tables may lie in: firmware's ACPI and
 * reserved regions below the top of low RAM, and the BIOS area.  Drops the
 * identity map: loader information and the GDT in use must be reached through
 * the direct map or the image from then on.
 * Context: boot, after the memmap is complete, before anything uses the
 * direct map beyond the first 4 GiB (head.S maps that much).
 */
void hvmap_init(void);

/**
 * hvmap_map() - map one 4 KiB page of the hypervisor's own space
 * @va:    page address inside slots 256..271, not the per-domain slot
 * @m:     machine frame
 * @flags: PTE_* bits; PTE_P and PTE_A are added
 *
 * Context: any but NMI/#MC once page_alloc is up; boot_alloc before.
 * Return:  0 or -ENOMEM
 */
int hvmap_map(uint64_t va, mfn_t m, uint64_t flags) MUST_CHECK;

/**
 * hvmap_map_2m() - map one 2 MiB page of the hypervisor's own space
 * @va:    address inside slots 256..271, 2 MiB aligned
 * @m:     machine frame, 2 MiB aligned
 * @flags: PTE_* bits; PTE_P, PTE_A, PTE_D and PTE_PS are added
 *
 * Context: boot.
 * Return:  0 or -ENOMEM
 */
int hvmap_map_2m(uint64_t va, mfn_t m, uint64_t flags) MUST_CHECK;

/**
 * hvmap_drop_init() - unmap the code and data only boot needed
 *
 * Their memory goes to the page allocator.
 * Context: boot, the last step; the caller must not be in .init.text.
 */
void hvmap_drop_init(void);

/**
 * hvmap_frame() - what is mapped at an address of the hypervisor's
 * @va: address inside slots 256..271, not the per-domain slot
 *
 * Context: any, after hvmap_init().
 * Return:  frame, or INVALID_MFN
 */
mfn_t hvmap_frame(uint64_t va);

/**
 * hvmap_unmap() - remove one 4 KiB page and its local translation
 * @va: page address
 *
 * Context: any but NMI/#MC.
 */
void hvmap_unmap(uint64_t va);

/**
 * hvmap_guard_block() - unmap the guard pages of a CPU's block
 * @block: its address; mapped by 4 KiB pages
 *
 * From here on it faults to run off one of its stacks (x86/percpu.h).
 * Context: boot, once per block.
 */
void hvmap_guard_block(uint64_t block);

/**
 * hvmap_audit() - look at every mapping of the hypervisor's own
 * @ret_va: address of the first that is wrong; set only then
 *
 * None may be writable and executable; none but the M2P open to guests, and
 * that only to read.
 * Context: any but NMI/#MC; takes time in proportion to the tables.
 * Return:  NULL when all are right, else what is wrong, in words
 */
const char *hvmap_audit(uint64_t *ret_va) MUST_CHECK;

/**
 * hvmap_cpu_block() - memory for the block of another CPU
 * @cpu:       its number, below NR_CPUS
 * @ret_block: its address, aligned to CPU_BLOCK_BYTES; set only on success
 *
 * Zeroed the first time; its guard pages have no memory at all.  A CPU that
 * comes back finds the same block.  One that failed keeps what it had got.
 * Context: any but NMI/#MC; one caller at a time, as for hvmap_map().
 * Return:  0, -ENOMEM
 */
int hvmap_cpu_block(cpu_t cpu, uint64_t *ret_block) MUST_CHECK;

/**
 * hvmap_fill_l4() - copy the hypervisor's slots into a guest's L4
 * @l4:        the guest's table, through the direct map
 * @perdomain: L3 frame of the domain's per-domain area, or INVALID_MFN
 *
 * Context: any but NMI/#MC.
 */
void hvmap_fill_l4(pte_t *l4, mfn_t perdomain);

/**
 * iomap() - map device memory, uncached, for good
 * @a:     machine address, any alignment
 * @bytes: length
 *
 * Context: boot and device setup.
 * Return:  pointer to @a, or NULL when the window is full
 */
void *iomap(maddr_t a, size_t bytes) MUST_CHECK;

/**
 * iomap_wc() - map a frame buffer, write-combining, for good
 * @a:     machine address, any alignment
 * @bytes: length
 *
 * Context: boot, after features_cpu_init() has set the PAT.
 * Return:  pointer to @a, or NULL when the window is full
 */
void *iomap_wc(maddr_t a, size_t bytes) MUST_CHECK;

#endif
