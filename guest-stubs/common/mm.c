/* SPDX-License-Identifier: MIT */
/*
 * mm.c - frames and page tables of a PV guest.
 *
 * The builder mapped PFN n at VIRT_BASE + n * 4096 and listed the machine
 * frame of each PFN at start_info->mfn_list.  The page tables lie in that
 * region too, so the read-only M2P table leads from an entry to the virtual
 * address of the next table.
 */
#include "stub.h"

#define PTE_ADDR_MASK 0x000ffffffffff000UL

unsigned long mm_pfn(const void *va)
{
    return ((unsigned long)va - VIRT_BASE) >> PAGE_SHIFT;
}

unsigned long mm_mfn(const void *va)
{
    const unsigned long *p2m = (const unsigned long *)start_info->mfn_list;

    return p2m[mm_pfn(va)];
}

uint64_t mm_maddr(const void *va)
{
    return ((uint64_t)mm_mfn(va) << PAGE_SHIFT) |
           ((unsigned long)va & ~PAGE_MASK);
}

void mm_describe(void)
{
    struct arch_shared_info *a = &shared_info_page.arch;

    a->max_pfn = start_info->nr_pages;
    a->p2m_generation = 0;
    a->p2m_vaddr = start_info->mfn_list;
    a->p2m_cr3 = xen_pfn_to_cr3(mm_mfn((void *)start_info->pt_base));
}

long mm_map(const void *va, uint64_t maddr, uint64_t flags)
{
    return hc_update_va_mapping(va, (maddr & PTE_ADDR_MASK) | flags,
                                UVMF_INVLPG);
}

long mm_protect(const void *va, uint64_t flags)
{
    return hc_update_va_mapping(va, flags ? mm_maddr(va) | flags : 0,
                                UVMF_INVLPG);
}

long mm_user_tables(uint64_t *l4, uint64_t *l3, uint64_t *l2, uint64_t *l1)
{
    const uint64_t *const tables[] = {l4, l3, l2, l1};
    long rc = 0;

    l2[2] = mm_maddr(l1) | PTE_FLAGS_TABLE;
    l3[0] = mm_maddr(l2) | PTE_FLAGS_TABLE;
    l4[0] = mm_maddr(l3) | PTE_FLAGS_TABLE;
    for (unsigned int i = 0; i < ARRAY_SIZE(tables) && rc == 0; i++) {
        rc = mm_protect(tables[i], PTE_FLAGS_RO);
    }
    rc = rc ? rc : mm_mmuext(MMUEXT_PIN_L4_TABLE, mm_mfn(l4));
    return rc ? rc : mm_mmuext(MMUEXT_NEW_USER_BASEPTR, mm_mfn(l4));
}

static const uint64_t *table_of(uint64_t entry)
{
    unsigned long mfn = (entry & PTE_ADDR_MASK) >> PAGE_SHIFT;

    return (const uint64_t *)(VIRT_BASE +
                              (machine_to_phys_mapping[mfn] << PAGE_SHIFT));
}

static const uint64_t *find_entry(const void *va, unsigned int level)
{
    const uint64_t *table = (const uint64_t *)start_info->pt_base;
    unsigned int at;

    for (at = 4;; at--) {
        unsigned long idx =
            ((unsigned long)va >> (PAGE_SHIFT + 9 * (at - 1))) & 511;

        if (at == level) {
            return &table[idx];
        }
        if (!(table[idx] & PTE_P)) {
            return NULL;
        }
        table = table_of(table[idx]);
    }
}

uint64_t mm_pte_maddr(const void *va, unsigned int level)
{
    const uint64_t *entry = find_entry(va, level);

    return entry ? mm_maddr(entry) : 0;
}

uint64_t mm_pte(const void *va, unsigned int level)
{
    const uint64_t *entry = find_entry(va, level);

    return entry ? READ_ONCE(*entry) : 0;
}

long mm_mmuext(unsigned int cmd, unsigned long mfn)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = mfn};

    return hc_mmuext_op(&op, 1, NULL);
}

long mm_write_pte(uint64_t maddr, uint64_t value)
{
    struct mmu_update req = {.ptr = maddr, .val = value};

    return hc_mmu_update(&req, 1, NULL);
}
