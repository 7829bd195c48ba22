/* SPDX-License-Identifier: MIT */
/*
 * pv/mmu_update.c - change one entry of a guest's page tables, checked.
 *
 * Order of every change: take what the new entry needs, store it, drop what
 * the old one held.  So a refused change has no effect, and a frame is never
 * without its reference while an entry leads to it.
 */
#include "pv/mmu_update.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/tlb.h"
#include "mm/directmap.h"
#include "domain/account.h"
#include "pv/guest_access.h"
#include "pv/pagetype.h"
#include "pv/pt_validate.h"
#include "pv/pte_check.h"
#include "pv/pv.h"

#define PTE_AD (PTE_A | PTE_D)

static inline unsigned int entry_index(maddr_t addr)
{
    return (unsigned int)((addr & ~PAGE_MASK) / sizeof(pte_t));
}

int mmu_finish_pending(struct vcpu *v, bool (*should_stop)(void))
{
    struct frame *f;
    int rc;

    if (likely(v->pv->mmu_pending == 0)) {
        return 0;
    }
    f = frame_of(mfn(v->pv->mmu_pending - 1));
    rc = pagetype_put(f, should_stop);
    if (rc) {
        return rc;
    }
    v->pv->mmu_pending = 0;
    account_put(f);
    return 0;
}

void mmu_release_table(struct vcpu *v, struct frame *f,
                       bool (*should_stop)(void))
{
    ASSERT(v->pv->mmu_pending == 0);
    if (v->pv->mmu_pending != 0) {
        should_stop = NULL;
    }
    if (pagetype_put(f, should_stop) == -ERESTART) {
        v->pv->mmu_pending = mfn_x(frame_mfn(f)) + 1;
        return;
    }
    account_put(f);
}

/*
 * Store @val; the processor may set A and D in the entry at any moment, so
 * it goes by compare-and-swap.  @ret_old: what was really replaced.
 */
static int entry_store(pte_t *entry, pte_t val, bool keep_ad,
                       const pte_t *expect, pte_t *ret_old)
{
    pte_t old = expect ? *expect : READ_ONCE(*entry);

    for (;;) {
        pte_t now = keep_ad ? val | (old & PTE_AD) : val;

        if (atomic_cas(entry, old, now)) {
            *ret_old = old;
            return 0;
        }
        if (expect) {
            return -EAGAIN;
        }
        old = READ_ONCE(*entry);
    }
}

int mmu_l1e_replace(const struct mmu_request *req, pte_t *entry, pte_t val,
                    bool keep_ad, const pte_t *expect)
{
    pte_t old = READ_ONCE(*entry), new = val;
    int rc;

    if (new &PTE_P) {
        pte_t stored = pte_adjust(1, new);

        if ((old & PTE_P) && pte_same_hold(1, old, stored)) {
            /*
             * Same frame, same right, same caching: nothing to take or to
             * drop, and no other bit of an L1 entry can be forbidden.
             */
            return entry_store(entry, stored, keep_ad, expect, &old);
        }
        rc = pt_l1e_get(req->pt_owner, req->frames_of, &new);
        if (unlikely(rc)) {
            return rc;
        }
    } else {
        keep_ad = false;
    }
    rc = entry_store(entry, new, keep_ad, expect, &old);
    if (unlikely(rc)) {
        if (new &PTE_P) {
            pt_l1e_put(new);
        }
        return rc;
    }
    if (old & PTE_P) {
        tlb_mark_stale();
        pt_l1e_put(old);
    }
    return 0;
}

/* Levels 2 to 4. */
static int table_replace(const struct mmu_request *req, unsigned int level,
                         pte_t *entry, pte_t val, bool keep_ad)
{
    pte_t old = READ_ONCE(*entry), new = val;
    int rc;

    if (new &PTE_P) {
        if ((old & PTE_P) && pte_same_hold(level, old, new)) {
            if (!pte_check_flags(level, new, false, 64)) {
                return -EINVAL;
            }
            return entry_store(entry, pte_adjust(level, new), keep_ad, NULL,
                               &old);
        }
        rc = pt_table_get(req->pt_owner, level, &new, req->should_stop);
        if (rc) {
            return rc;
        }
    } else {
        keep_ad = false;
    }
    rc = entry_store(entry, new, keep_ad, NULL, &old);
    BUG_ON(rc != 0);
    if (old & PTE_P) {
        tlb_mark_stale();
        mmu_release_table(req->v, frame_of(pte_mfn(old)), req->should_stop);
    }
    return 0;
}

/* A frame that is no table: the guest could write it itself. */
static int plain_store(const struct mmu_request *req, struct frame *f,
                       pte_t *entry, pte_t val)
{
    int rc = pagetype_get(f, PAGETYPE_WRITABLE, req->should_stop);

    if (rc) {
        return rc;
    }
    WRITE_ONCE(*entry, val);
    pagetype_put_all(f);
    return 0;
}

/*
 * A valid table.  It is kept one for the time: taking what the new entry
 * needs may undo an interrupted walk that alone kept it.
 */
static int table_write(const struct mmu_request *req, struct frame *f,
                       unsigned int level, pte_t *entry, pte_t val,
                       bool keep_ad)
{
    int rc = pagetype_get(f, (enum pagetype)level, NULL);

    if (rc) {
        return rc;
    }
    if (level == 1) {
        rc = mmu_l1e_replace(req, entry, val, keep_ad, NULL);
    } else {
        rc = table_replace(req, level, entry, val, keep_ad);
    }
    pagetype_put_all(f);
    return rc;
}

int mmu_entry_write(const struct mmu_request *req, maddr_t addr, pte_t val,
                    bool keep_ad)
{
    mfn_t m = maddr_to_mfn(addr);
    pte_t *entry;
    struct frame *f;
    unsigned int level;
    int rc;

    if ((addr & (sizeof(pte_t) - 1)) || !mfn_valid(m) ||
        domain_is_dying(req->pt_owner)) {
        return -EINVAL;
    }
    rc = mmu_finish_pending(req->v, req->should_stop);
    if (rc) {
        return rc;
    }
    f = frame_of(m);
    if (!frame_get(f, req->pt_owner->domid)) {
        return -EINVAL;
    }
    entry = maddr_to_ptr(addr);
    level = pagetype_level(pagetype_of(f));
    if (level == 0 || pagetype_count(f) == 0) {
        rc = plain_store(req, f, entry, val);
    } else if (!pagetype_is(f, (enum pagetype)level)) {
        rc = -EBUSY; /* its release is under way on another vcpu */
    } else if (level == 4 && entry_index(addr) >= HV_L4_FIRST &&
               entry_index(addr) <= HV_L4_LAST) {
        rc = -EINVAL;
    } else {
        rc = table_write(req, f, level, entry, val, keep_ad);
    }
    account_put(f);
    return rc;
}

pte_t *mmu_find_l1e(const struct vcpu *v, uint64_t va, struct frame **ret_table)
{
    mfn_t m =
        v->pv->guest_kernel ? v->pv->guest_table : v->pv->guest_table_user;
    unsigned int level;

    if (!guest_range_ok(va, 1) || mfn_is_invalid(m)) {
        return NULL;
    }
    for (level = 4; level > 1; level--) {
        const pte_t *table = mfn_to_ptr(m);
        pte_t e = READ_ONCE(table[pt_index(va, level)]);

        if (!(e & PTE_P)) {
            return NULL;
        }
        m = pte_mfn(e);
    }
    *ret_table = frame_of(m);
    return (pte_t *)mfn_to_ptr(m) + pt_index(va, 1);
}

int mmu_va_write(const struct mmu_request *req, uint64_t va, pte_t val)
{
    struct frame *table;
    pte_t *entry;
    int rc;

    if (domain_is_dying(req->pt_owner)) {
        return -EINVAL;
    }
    rc = mmu_finish_pending(req->v, req->should_stop);
    if (rc) {
        return rc;
    }
    entry = mmu_find_l1e(req->v, va, &table);
    if (!entry) {
        return -EINVAL;
    }
    /* Valid: it hangs below a valid L4, which only has valid tables. */
    return mmu_l1e_replace(req, entry, val, false, NULL);
}
