/* SPDX-License-Identifier: MIT */
/*
 * pv/descriptor.h - a guest's GDT and LDT: validated, then mapped in the
 * per-domain area where the processor reads them.
 */
#ifndef VIGIL_PV_DESCRIPTOR_H
#define VIGIL_PV_DESCRIPTOR_H

#include "pv/pv.h"

/**
 * descriptor_fix() - make one descriptor safe for CPL 3, if it can be
 * @desc: in: as the guest wrote it; out: as it may be stored
 *
 * Pure.  Not-present descriptors pass.  Code and data get DPL 3 and the
 * accessed bit; system descriptors, gates and conforming oddities are refused.
 * Context: any.
 * Return:  true when @desc may be stored
 */
bool descriptor_fix(uint64_t *desc) MUST_CHECK;

/**
 * descriptor_fix_page() - validate a whole page as descriptors
 * @page: 512 descriptors, mapped writable; each is fixed in place
 *
 * Used by pv/pagetype.c when a frame becomes SEGDESC.
 * Context: any but NMI/#MC.
 * Return:  0 or -EINVAL
 */
int descriptor_fix_page(uint64_t *page) MUST_CHECK;

/**
 * pv_set_gdt() - install a guest's GDT
 * @v:      vcpu
 * @frames: machine frames, (@ents + 511) / 512 of them
 * @ents:   descriptors, 0 .. 14 * 512
 *
 * Takes a SEGDESC type reference on each; drops those of the old table.
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL
 */
int pv_set_gdt(struct vcpu *v, const mfn_t *frames,
               unsigned int ents) MUST_CHECK;

/**
 * pv_set_ldt() - install a guest's LDT
 * @v:    current vcpu
 * @base: guest virtual address, page aligned
 * @ents: descriptors, 0 (none) .. 8192
 *
 * Context: hypercall.
 * Return:  0, -EINVAL
 */
int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int ents) MUST_CHECK;

/**
 * pv_drop_descriptors() - release GDT and LDT frames
 * @v: vcpu that will not run again
 *
 * Context: any but NMI/#MC.
 */
void pv_drop_descriptors(struct vcpu *v);

/**
 * pv_init_descriptor_slots() - a new vcpu's GDT: only the reserved page
 * @v: vcpu whose gdt_l1 exists
 *
 * Context: vcpu creation.
 */
void pv_init_descriptor_slots(struct vcpu *v);

/**
 * pv_load_descriptors() - point GDTR and LDTR at a vcpu's tables
 * @v: vcpu whose page tables are loaded; NULL: the hypervisor's own GDT
 *
 * Context: switch path, interrupts off.
 */
void pv_load_descriptors(struct vcpu *v);

/**
 * pv_own_descriptors() - pv_load_descriptors(NULL), for tlb_init()
 *
 * Context: interrupts off, idle.
 */
void pv_own_descriptors(void);

/**
 * pv_gdt_stays() - is GDTR right for a vcpu as it is?
 * @next: vcpu
 *
 * Context: switch path, interrupts off.
 * Return:  true: it names the same address; its pages may be others
 */
bool pv_gdt_stays(const struct vcpu *next);

#endif
