/* SPDX-License-Identifier: MIT */
/*
 * pv/grant_pte.c - page-table entries installed for grant mappings.
 */
#include "pv/grant_pte.h"

#include "lib/errno.h"
#include "x86/atomic.h"
#include "mm/directmap.h"
#include "domain/account.h"
#include "domain/tlb_owed.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "pv/pt_validate.h"
#include "pv/pte_check.h"
#include "pv/pv.h"

/*
 * The L1 entry a host address means.  Its table is kept one until
 * pagetype_put_page().
 */
static pte_t *entry_hold(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                         struct frame **ret_table)
{
    struct frame *f;
    mfn_t m;

    if (!contains_pte) {
        return mmu_hold_l1e(v, host_addr, ret_table);
    }
    m = maddr_to_mfn(host_addr);
    if ((host_addr & (sizeof(pte_t) - 1)) || !mfn_valid(m)) {
        return NULL;
    }
    f = frame_of(m);
    if (!frame_get(f, v->domain->domid)) {
        return NULL;
    }
    if (!pagetype_get_valid(f, PAGETYPE_L1)) {
        account_put(f);
        return NULL;
    }
    *ret_table = f;
    return maddr_to_ptr(host_addr);
}

int grant_pte_install(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                      domid_t owner, pte_t new_pte)
{
    struct mmu_request req UNINITIALISED; /* nothing is kept */
    struct frame *table;
    pte_t *entry;
    int rc;

    if (!(new_pte & PTE_P) || !mfn_valid(pte_mfn(new_pte))) {
        return -EINVAL;
    }
    rc = mmu_finish_pending(v, NULL);
    if (rc) {
        return rc;
    }
    mmu_request_begin(&req, v, v->domain, owner, NULL);
    entry = entry_hold(v, host_addr, contains_pte, &table);
    if (!entry) {
        return -EINVAL;
    }
    rc = mmu_l1e_replace(&req, entry, new_pte, NULL);
    pagetype_put_page(table);
    return rc;
}

/* Does this entry hold that frame? */
static bool entry_maps(pte_t e, mfn_t m)
{
    return (e & PTE_P) && mfn_eq(pte_mfn(e), m);
}

/*
 * Put @new where an entry maps @m.  What that held goes, although processors
 * may know it yet: the grant keeps the frame until they do not.
 */
static int entry_take(const struct vcpu *v, pte_t *entry, mfn_t m, pte_t new)
{
    pte_t old;

    do {
        old = READ_ONCE(*entry);
        if (!entry_maps(old, m)) {
            return -ENOENT;
        }
    } while (!atomic_cas(entry, old, new));
    tlb_owe(v->domain);
    pt_l1e_put_unflushed(old);
    return 0;
}

int grant_pte_remove(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                     mfn_t m)
{
    struct frame *table;
    pte_t *entry = entry_hold(v, host_addr, contains_pte, &table);
    int rc;

    if (!entry) {
        return -EINVAL;
    }
    rc = entry_take(v, entry, m, 0);
    pagetype_put_page(table);
    return rc;
}

int grant_pte_replace(struct vcpu *v, uint64_t host_addr, mfn_t m,
                      uint64_t new_addr)
{
    struct frame *table, *from_table;
    pte_t *entry, *from, moved;
    int rc = -EINVAL;

    if (new_addr == 0) {
        return grant_pte_remove(v, host_addr, false, m);
    }
    entry = entry_hold(v, host_addr, false, &table);
    if (!entry) {
        return -EINVAL;
    }
    from = entry_hold(v, new_addr, false, &from_table);
    if (!from) {
        goto out_put;
    }
    if (from == entry) {
        goto out_put_from;
    }
    rc = -ENOENT;
    if (entry_maps(READ_ONCE(*entry), m)) {
        /* What the entry at new_addr holds moves with it. */
        moved = atomic_xchg(from, 0);
        rc = entry_take(v, entry, m, moved);
        tlb_owe(v->domain);
        /* Another vcpu was faster: back, unless it put something there, too. */
        if (rc && !atomic_cas(from, (pte_t)0, moved) && (moved & PTE_P)) {
            pt_l1e_put(v->domain, moved);
        }
    }
out_put_from:
    pagetype_put_page(from_table);
out_put:
    pagetype_put_page(table);
    return rc;
}
