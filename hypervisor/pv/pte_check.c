/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_check.c - pure rules for page-table entries (pte_check.h).
 */
#include "pv/pte_check.h"

#include "lib/bits.h"

/* Entries 0..7 of the PAT as the ABI promises it: WB WT UC- UC WC WP UC UC. */
#define PAT_IDX_WB 0
#define PAT_IDX_WT 1
#define PAT_IDX_WP 5

bool pte_check_flags(unsigned int level, pte_t pte, bool io_rights,
                     unsigned int phys_bits)
{
    uint64_t allowed = PTE_ALLOWED;

    if (level == 1) {
        allowed |= PTE_G;
        if (io_rights) {
            allowed |= PTE_L1_CACHE;
        }
    }
    /* Bits beyond the machine's address width are reserved: #PF, not #GP. */
    return (pte & ~allowed) == 0 &&
           (pte & PTE_ADDR & ~MASK_BITS(phys_bits)) == 0;
}

pte_t pte_device_cache(pte_t pte)
{
    unsigned int idx = (pte & PTE_PAT ? 4U : 0) | (pte & PTE_PCD ? 2U : 0) |
                       (pte & PTE_PWT ? 1U : 0);

    if (idx == PAT_IDX_WB || idx == PAT_IDX_WT || idx == PAT_IDX_WP) {
        pte = (pte & ~PTE_L1_CACHE) | PTE_PCD;
    }
    return pte;
}

struct pte_l1tf pte_l1tf;

void pte_l1tf_init(unsigned int bits, unsigned int phys_bits,
                   uint64_t memory_end, bool dom0, bool domu)
{
    uint64_t safe =
        bits > phys_bits ? 1UL << phys_bits : 3UL << (phys_bits - 2);

    pte_l1tf = (struct pte_l1tf){
        .mask = MASK_BITS(bits) & PTE_ADDR,
        .safe_from = MAX(safe, memory_end),
        .dom0 = dom0,
        .domu = domu,
    };
}
