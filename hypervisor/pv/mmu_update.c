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

int mmu_finish_pending_slow(struct vcpu *v, bool (*should_stop)(void))
{
    struct frame *f = frame_of(mfn(v->pv->mmu_pending - 1));
    int rc = pagetype_put(f, should_stop);

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
 * Store @val and those of the bits @keep that the entry has; the processor may
 * set A and D in it at any moment, so it goes by compare-and-swap.  @old: what
 * it held a moment ago; @ret_old: what was really replaced.
 */
static ALWAYS_INLINE int entry_store(pte_t *entry, pte_t old, pte_t val,
                                     uint64_t keep, const pte_t *expect,
                                     pte_t *ret_old)
{
    if (expect) {
        old = *expect;
    }
    while (unlikely(!atomic_cas(entry, old, val | (old & keep)))) {
        if (expect) {
            return -EAGAIN;
        }
        old = READ_ONCE(*entry);
    }
    *ret_old = old;
    return 0;
}

/*
 * Both map the frame of @old in the same way but for W, and it is RAM of
 * frames_of's in ordinary use: the reference moves from one to the other, and
 * only the type is to be taken or dropped.
 */
static ALWAYS_INLINE bool changes_w_only(const struct mmu_request *req,
                                         pte_t old, pte_t new)
{
    const uint64_t same = PTE_ADDR | PTE_P | PTE_L1_CACHE;

    return ((old ^ new) & (same | PTE_W)) == PTE_W && (old & PTE_P) &&
           (new & ~(PTE_ALLOWED | PTE_G)) == 0 && mfn_valid(pte_mfn(old)) &&
           req->frames_of < DOMID_FIRST_RESERVED &&
           frame_head_differs(READ_ONCE(*frame_head(frame_of(pte_mfn(old)))),
                              req->frames_of) == 0;
}

static ALWAYS_INLINE int change_w(pte_t *entry, pte_t old, pte_t val,
                                  uint64_t keep, const pte_t *expect)
{
    struct frame *f = frame_of(pte_mfn(val));
    bool dropped = (val & PTE_W) == 0; /* if it goes well */
    int rc;

    if (val & PTE_W) {
        rc = pagetype_get(f, PAGETYPE_WRITABLE, NULL);
        if (unlikely(rc)) {
            return rc;
        }
    }
    rc = entry_store(entry, old, pte_adjust(1, val), keep, expect, &old);
    if (unlikely(rc)) {
        dropped = !dropped;
    }
    if (dropped) {
        tlb_mark_stale();
        pagetype_put_writable(f);
    }
    return rc;
}

/* mmu_l1e_replace(), to be built into those that do nothing else. */
static ALWAYS_INLINE int l1e_replace(const struct mmu_request *req,
                                     pte_t *entry, pte_t val, uint64_t keep,
                                     const pte_t *expect)
{
    pte_t old = READ_ONCE(*entry), new = val;
    int rc;

    if (new &PTE_P) {
        if ((old & PTE_P) && pte_same_hold(1, old, new)) {
            /*
             * Same frame, same right, same caching: nothing to take or to
             * drop, and no other bit of an L1 entry can be forbidden.
             */
            return entry_store(entry, old, pte_adjust(1, new), keep, expect,
                               &old);
        }
        if (changes_w_only(req, old, new)) {
            return change_w(entry, old, new, keep, expect);
        }
        rc = pt_l1e_get(req->pt_owner, req->frames_of, &new);
        if (unlikely(rc)) {
            return rc;
        }
    } else {
        keep = 0;
    }
    rc = entry_store(entry, old, new, keep, expect, &old);
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

int mmu_l1e_replace(const struct mmu_request *req, pte_t *entry, pte_t val,
                    const pte_t *expect)
{
    return l1e_replace(req, entry, val, 0, expect);
}

/* Levels 2 to 4. */
static NOINLINE int table_replace(const struct mmu_request *req,
                                  unsigned int level, pte_t *entry, pte_t val,
                                  uint64_t keep)
{
    pte_t old = READ_ONCE(*entry), new = val;
    int rc;

    if (new &PTE_P) {
        if ((old & PTE_P) && pte_same_hold(level, old, new)) {
            if (!pte_check_flags(level, new, false, 64)) {
                return -EINVAL;
            }
            return entry_store(entry, old, pte_adjust(level, new), keep, NULL,
                               &old);
        }
        rc = pt_table_get(req->pt_owner, level, &new, req->should_stop);
        if (rc) {
            return rc;
        }
    } else {
        keep = 0;
    }
    rc = entry_store(entry, old, new, keep, NULL, &old);
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
    pagetype_put_writable(f);
    return 0;
}

void mmu_request_end(struct mmu_request *req)
{
    struct frame *f = req->l1;

    if (f) {
        req->l1 = NULL;
        req->l1_page = MMU_NO_PAGE;
        pagetype_put_all(f);
        account_put(f);
    }
}

/* A frame that is no valid L1: what is it, and what becomes of @val? */
static NOINLINE int other_write(const struct mmu_request *req, struct frame *f,
                                maddr_t addr, pte_t val, uint64_t keep)
{
    enum pagetype type = pagetype_of(f);
    unsigned int level = pagetype_level(type), i = entry_index(addr);
    int rc;

    if (level == 0 || pagetype_count(f) == 0) {
        return plain_store(req, f, maddr_to_ptr(addr), val);
    }
    if (!pagetype_is(f, type)) {
        return -EBUSY; /* its release is under way on another vcpu */
    }
    if (level == 4 && i >= HV_L4_FIRST && i <= HV_L4_LAST) {
        return -EINVAL;
    }
    rc = pagetype_get(f, type, NULL);
    if (rc == 0) {
        rc = table_replace(req, level, maddr_to_ptr(addr), val, keep);
        pagetype_put_all(f);
    }
    return rc;
}

/*
 * An entry that is not in the L1 table kept.  1: now it is, and the entry still
 * to be written; else the result.  A table is kept one while it is written to:
 * taking what a new entry needs may undo an interrupted walk that alone kept
 * it.
 */
static int table_change(struct mmu_request *req, maddr_t addr, pte_t val,
                        uint64_t keep)
{
    mfn_t m = maddr_to_mfn(addr);
    struct frame *f;
    int rc;

    if (unlikely((addr & (sizeof(pte_t) - 1)) || !mfn_valid(m) ||
                 domain_is_dying(req->pt_owner))) {
        return -EINVAL;
    }
    mmu_request_end(req);
    rc = mmu_finish_pending(req->v, req->should_stop);
    if (unlikely(rc)) {
        return rc;
    }
    f = frame_of(m);
    if (unlikely(!frame_get(f, req->pt_owner->domid))) {
        return -EINVAL;
    }
    if (unlikely(!pagetype_get_usual(f, PAGETYPE_L1))) {
        rc = other_write(req, f, addr, val, keep);
        account_put(f);
        return rc;
    }
    req->l1 = f;
    req->l1_page = addr & PAGE_MASK;
    return 1;
}

int mmu_entry_write(struct mmu_request *req, maddr_t addr, pte_t val,
                    bool keep_ad)
{
    uint64_t keep = keep_ad ? PTE_AD : 0;

    /* Nothing but the index may differ: then it is aligned, too. */
    if ((addr ^ req->l1_page) & ~(PAGE_SIZE - sizeof(pte_t))) {
        int rc = table_change(req, addr, val, keep);

        if (rc != 1) {
            return rc;
        }
    }
    return l1e_replace(req, maddr_to_ptr(addr), val, keep, NULL);
}

/* The entry for @va in the table of @level that @e points at. */
static ALWAYS_INLINE pte_t *entry_below(pte_t e, uint64_t va,
                                        unsigned int level)
{
    return (pte_t *)maddr_to_ptr(e & PTE_ADDR) + pt_index(va, level);
}

pte_t *mmu_find_l1e(const struct vcpu *v, uint64_t va, struct frame **ret_table)
{
    mfn_t m =
        v->pv->guest_kernel ? v->pv->guest_table : v->pv->guest_table_user;
    pte_t e;

    if (unlikely(!guest_range_ok(va, 1) || mfn_is_invalid(m))) {
        return NULL;
    }
    e = READ_ONCE(((const pte_t *)mfn_to_ptr(m))[pt_index(va, 4)]);
    if (unlikely(!(e & PTE_P))) {
        return NULL;
    }
    e = READ_ONCE(*entry_below(e, va, 3));
    if (unlikely(!(e & PTE_P))) {
        return NULL;
    }
    e = READ_ONCE(*entry_below(e, va, 2));
    if (unlikely(!(e & PTE_P))) {
        return NULL;
    }
    *ret_table = frame_of(pte_mfn(e));
    return entry_below(e, va, 1);
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
    if (unlikely(rc)) {
        return rc;
    }
    entry = mmu_find_l1e(req->v, va, &table);
    if (unlikely(!entry)) {
        return -EINVAL;
    }
    /* Valid: it hangs below a valid L4, which only has valid tables. */
    return l1e_replace(req, entry, val, 0, NULL);
}
