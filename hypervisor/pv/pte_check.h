/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_check.h - pure rules: which entry may a guest have, and how it is
 * stored.  No state, no memory; unit tested on the host.
 */
#ifndef VIGIL_PV_PTE_CHECK_H
#define VIGIL_PV_PTE_CHECK_H

#include "lib/compiler.h"
#include "x86/page.h"

#define PTE_L1_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)

/* Allowed at every level; the address is checked apart. */
#define PTE_ALLOWED                                                            \
    (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_AVAIL | PTE_SOFT_HIGH |       \
     PTE_NX | PTE_ADDR)

/**
 * pte_check_flags() - are the bits of a present entry allowed?
 * @level:     1..4
 * @pte:       the entry as the guest wrote it, present
 * @io_rights: the domain owns some device memory or ports
 * @phys_bits: width of a machine address
 *
 * Context: any.
 * Return:  true: allowed
 */
bool pte_check_flags(unsigned int level, pte_t pte, bool io_rights,
                     unsigned int phys_bits) MUST_CHECK;

/**
 * pte_adjust() - the form in which an entry is stored
 * @level: 1..4
 * @pte:   the entry as the guest wrote it, or as it is stored
 *
 * Present entries get U (the guest's kernel runs at CPL 3); L1 entries that
 * came without it are marked PTE_GUEST_KERNEL.  G is stripped.  Applying it
 * to a stored entry changes nothing, so one that the guest reads and writes
 * back keeps its meaning.  Entries not present stay as they are.
 * Context: any.
 * Return:  the entry to store
 */
static inline pte_t pte_adjust(unsigned int level, pte_t pte)
{
    if (unlikely(!(pte & PTE_P))) {
        return pte;
    }
    if (level == 1) {
        if (unlikely(!(pte & PTE_U))) {
            pte |= PTE_GUEST_KERNEL;
        }
        pte &= ~PTE_G;
    }
    return pte | PTE_U;
}

/**
 * pte_device_cache() - cache attributes for device memory
 * @pte: L1 entry
 *
 * Write-back, write-through and write-protect become uncached (UC-); WC and
 * UC stay (PAT_XEN).
 * Context: any.
 * Return:  the entry with its final attributes
 */
pte_t pte_device_cache(pte_t pte);

/*
 * L1TF: what a not-present entry names is read by speculation if it is cached.
 * Addresses from @safe_from on, seen through @mask, are no cached memory; 0:
 * this processor heeds the present bit.
 */
struct pte_l1tf {
    uint64_t mask, safe_from;
    bool dom0, domu; /* whose entries are checked */
};

extern struct pte_l1tf pte_l1tf; /* c */

/**
 * pte_l1tf_init() - which not-present entries are dangerous
 * @bits:       of an address, as the first-level cache sees it
 * @phys_bits:  of an address, as CPUID says
 * @memory_end: behind the last that is cached
 * @dom0:       check Dom0's
 * @domu:       check others'
 *
 * If CPUID says fewer bits than there are, any bit above them makes an entry
 * safe; else what lies in the upper quarter is taken for safe, above memory.
 * Context: boot.
 */
void pte_l1tf_init(unsigned int bits, unsigned int phys_bits,
                   uint64_t memory_end, bool dom0, bool domu);

/* Does this entry, not present, name memory that may be cached? */
static inline bool pte_names_memory(pte_t pte)
{
    uint64_t addr = pte & pte_l1tf.mask;

    return addr != 0 && addr < pte_l1tf.safe_from;
}

/* Do two present stored entries hold the same frame in the same way? */
static inline bool pte_same_hold(unsigned int level, pte_t a, pte_t b)
{
    uint64_t mask = PTE_ADDR | PTE_P;

    if (level == 1) {
        mask |= PTE_W | PTE_L1_CACHE;
    }
    return ((a ^ b) & mask) == 0;
}

#endif
