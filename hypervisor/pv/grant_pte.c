/* SPDX-License-Identifier: MIT */
/*
 * pv/grant_pte.c - page-table entries installed for grant mappings.
 */
#include "pv/grant_pte.h"

#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/tlb.h"
#include "mm/directmap.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "pv/pt_validate.h"
#include "pv/pte_check.h"
#include "pv/pv.h"

/*
 * The L1 entry a host address means.  A table found through the vcpu's own
 * page tables hangs below a valid L4, which keeps it what it is.  One named by
 * a machine address is held until entry_release(): dropping what its entry
 * held must not take the table away.
 */
static pte_t *entry_hold(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                         struct frame **ret_table)
{
    domid_t domid = v->domain->domid;
    struct frame *f;
    mfn_t m;

    *ret_table = NULL;
    if (!contains_pte) {
        return mmu_find_l1e(v, host_addr, &f);
    }
    m = maddr_to_mfn(host_addr);
    if ((host_addr & (sizeof(pte_t) - 1)) || !mfn_valid(m)) {
        return NULL;
    }
    f = frame_of(m);
    if (!pagetype_is(f, PAGETYPE_L1) ||
        pagetype_get_page(m, domid, PAGETYPE_L1, NULL, NULL)) {
        return NULL;
    }
    *ret_table = f;
    return maddr_to_ptr(host_addr);
}

static void entry_release(struct frame *table)
{
    if (table) {
        pagetype_put_page(table);
    }
}

int grant_pte_install(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                      domid_t owner, pte_t new_pte)
{
    struct mmu_request req = {
        .v = v, .pt_owner = v->domain, .frames_of = owner};
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
    entry = entry_hold(v, host_addr, contains_pte, &table);
    if (!entry) {
        return -EINVAL;
    }
    rc = mmu_l1e_replace(&req, entry, new_pte, NULL);
    entry_release(table);
    return rc;
}

/* Does this entry hold that frame? */
static bool entry_maps(pte_t e, mfn_t m)
{
    return (e & PTE_P) && mfn_eq(pte_mfn(e), m);
}

int grant_pte_remove(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                     mfn_t m)
{
    struct mmu_request req = {
        .v = v, .pt_owner = v->domain, .frames_of = v->domain->domid};
    struct frame *table;
    pte_t *entry = entry_hold(v, host_addr, contains_pte, &table);
    int rc = -ENOENT;

    if (!entry) {
        return -EINVAL;
    }
    if (entry_maps(READ_ONCE(*entry), m)) {
        rc = mmu_l1e_replace(&req, entry, 0, NULL);
    }
    entry_release(table);
    return rc;
}

int grant_pte_replace(struct vcpu *v, uint64_t host_addr, mfn_t m,
                      uint64_t new_addr)
{
    struct frame *table, *from_table;
    pte_t *entry, *from, old, moved;

    if (new_addr == 0) {
        return grant_pte_remove(v, host_addr, false, m);
    }
    entry = entry_hold(v, host_addr, false, &table);
    if (!entry) {
        return -EINVAL;
    }
    from = entry_hold(v, new_addr, false, &from_table);
    if (!from || from == entry || !entry_maps(READ_ONCE(*entry), m)) {
        if (from) {
            entry_release(from_table);
        }
        entry_release(table);
        return from == entry || !from ? -EINVAL : -ENOENT;
    }
    /* What the entry at new_addr holds moves with it. */
    moved = atomic_xchg(from, 0);
    old = atomic_xchg(entry, moved);
    tlb_mark_stale();
    pt_l1e_put(old);
    entry_release(from_table);
    entry_release(table);
    return 0;
}
