/* SPDX-License-Identifier: MIT */
/*
 * pv/descriptor.c - guest descriptors (SDM 3A 3.4.5) and where they are
 * mapped: page n of vcpu v's GDT at PERDOMAIN_VA + (v << 17) + n * 4096, its
 * LDT 64 KiB further on.
 */
#include "pv/descriptor.h"

#include "cpu/desc.h"
#include "domain/account.h"
#include "domain/tlb_owed.h"
#include "lib/errno.h"
#include "mm/directmap.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "x86/invlpg.h"

#define D_PRESENT (1UL << 47)
#define D_SYSTEM_CLEAR (1UL << 44) /* S: code or data */
#define D_CODE (1UL << 43)
#define D_CONFORMING (1UL << 42)
#define D_ACCESSED (1UL << 40)
#define D_DPL (3UL << 45)
#define D_LONG (1UL << 53)
#define D_DEFAULT (1UL << 54)

#define LDT_FIRST_SLOT 16
#define LDT_PAGES 16
#define MAP_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)

static uint64_t zero_page[512] ALIGNED(4096);

bool descriptor_fix(uint64_t *desc)
{
    uint64_t d = *desc;

    if ((d & D_PRESENT) == 0) {
        return true; /* using it faults */
    }
    if ((d & D_SYSTEM_CLEAR) == 0) {
        return false; /* gates, TSS, LDT: never a guest's */
    }
    if ((d & (D_CODE | D_CONFORMING)) == (D_CODE | D_CONFORMING)) {
        /* A conforming segment of DPL 3 is an ordinary one for CPL 3. */
        d &= ~D_CONFORMING;
    }
    if ((d & D_CODE) != 0 && (d & (D_LONG | D_DEFAULT)) == (D_LONG | D_DEFAULT)) {
        return false;
    }
    /* Accessed now, so that the processor never writes to the page. */
    *desc = d | D_DPL | D_ACCESSED;
    return true;
}

int descriptor_fix_page(uint64_t *page)
{
    unsigned int i;

    for (i = 0; i < PAGE_SIZE / sizeof(*page); i++) {
        uint64_t d = page[i];

        if (!descriptor_fix(&d)) {
            return -EINVAL;
        }
        if (d != page[i]) {
            page[i] = d;
        }
    }
    return 0;
}

static uint64_t gdt_va(const struct vcpu *v)
{
    return PERDOMAIN_VA + ((uint64_t)v->vcpu_id << PERDOMAIN_VCPU_SHIFT);
}

static uint64_t ldt_va(const struct vcpu *v)
{
    return gdt_va(v) + LDT_FIRST_SLOT * PAGE_SIZE;
}

static pte_t *slots_of(const struct vcpu *v)
{
    return v->domain->pv->gdt_l1[v->vcpu_id];
}

static void set_slot(struct vcpu *v, unsigned int slot, pte_t e)
{
    slots_of(v)[slot] = e;
    invlpg(gdt_va(v) + slot * PAGE_SIZE);
    /* It may have been looked up on another CPU, too. */
    tlb_owe(v->domain);
}

static void unmap_gdt(struct vcpu *v)
{
    unsigned int n = (v->pv->gdt_ents + 511) / 512;
    unsigned int i;

    v->pv->gdt_ents = 0;
    for (i = 0; i < n; i++) {
        set_slot(v, i, pte_make(ptr_to_mfn(zero_page), PTE_P | PTE_A | PTE_NX));
        pagetype_put_page(frame_of(v->pv->gdt_frames[i]));
        v->pv->gdt_frames[i] = INVALID_MFN;
    }
}

int pv_set_gdt(struct vcpu *v, const mfn_t *frames, unsigned int ents)
{
    mfn_t taken[PV_GDT_FRAMES];
    unsigned int n = (ents + 511) / 512;
    unsigned int i;

    if (ents > PV_GDT_FRAMES * 512) {
        return -EINVAL;
    }
    for (i = 0; i < n; i++) {
        if (pagetype_get_page(frames[i], v->domain->domid, PAGETYPE_SEGDESC,
                              NULL, NULL) != 0) {
            goto out_put;
        }
        taken[i] = frames[i];
    }
    unmap_gdt(v);
    for (i = 0; i < n; i++) {
        v->pv->gdt_frames[i] = taken[i];
        set_slot(v, i, pte_make(taken[i], MAP_FLAGS));
    }
    v->pv->gdt_ents = ents;
    return 0;

out_put:
    while (i-- > 0) {
        pagetype_put_page(frame_of(taken[i]));
    }
    return -EINVAL;
}

static void unmap_ldt(struct vcpu *v)
{
    unsigned int i;

    for (i = 0; i < LDT_PAGES; i++) {
        unsigned int slot = LDT_FIRST_SLOT + i;

        if ((v->pv->ldt_mapped & (1U << i)) != 0) {
            mfn_t m = pte_mfn(slots_of(v)[slot]);

            set_slot(v, slot, 0);
            pagetype_put_page(frame_of(m));
        }
    }
    v->pv->ldt_mapped = 0;
    v->pv->ldt_ents = 0;
    v->pv->ldt_base = 0;
}

int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int ents)
{
    unsigned int pages = (ents + 511) / 512;
    unsigned int i;

    if (ents > LDT_PAGES * 512 || !IS_ALIGNED(base, PAGE_SIZE)) {
        return -EINVAL;
    }
    if (v == current) {
        desc_set_ldt(0, 0);
    }
    unmap_ldt(v);
    for (i = 0; i < pages; i++) {
        pte_t l1e = mmu_peek_l1e(v, base + i * PAGE_SIZE);

        if ((l1e & PTE_P) == 0 ||
            pagetype_get_page(pte_mfn(l1e), v->domain->domid, PAGETYPE_SEGDESC,
                              NULL, NULL) != 0) {
            unmap_ldt(v);
            return -EINVAL;
        }
        set_slot(v, LDT_FIRST_SLOT + i, pte_make(pte_mfn(l1e), MAP_FLAGS));
        v->pv->ldt_mapped |= 1U << i;
    }
    v->pv->ldt_base = base;
    v->pv->ldt_ents = ents;
    if (v == current) {
        desc_set_ldt(ldt_va(v), ents);
    }
    return 0;
}

void pv_drop_descriptors(struct vcpu *v)
{
    unmap_gdt(v);
    unmap_ldt(v);
}

void pv_load_descriptors(struct vcpu *v)
{
    struct cpu_block *cb = this_cpu();

    if (v == NULL) {
        if (cb->gdt_base != 0) {
            desc_load_gdt(desc_own_gdt_base());
            desc_set_ldt(0, 0);
            cb->gdt_base = 0;
        }
        return;
    }
    if (cb->gdt_base != gdt_va(v)) {
        cb->gdt_base = gdt_va(v);
        desc_load_gdt(cb->gdt_base);
    }
    desc_set_ldt(ldt_va(v), v->pv->ldt_ents);
}

void pv_own_descriptors(void)
{
    pv_load_descriptors(NULL);
}

bool pv_gdt_stays(const struct vcpu *next)
{
    return this_cpu()->gdt_base == gdt_va(next);
}

void pv_init_descriptor_slots(struct vcpu *v)
{
    pte_t *l1 = slots_of(v);
    unsigned int i;

    for (i = 0; i < PV_GDT_FRAMES; i++) {
        l1[i] = pte_make(ptr_to_mfn(zero_page), PTE_P | PTE_A | PTE_NX);
        v->pv->gdt_frames[i] = INVALID_MFN;
    }
    l1[GDT_FIRST_RESERVED_PAGE] =
        pte_make(ptr_to_mfn(desc_gdt_page()), MAP_FLAGS);
}
