/* SPDX-License-Identifier: MIT */
/*
 * pv/mmu_update.c - change one entry of a guest's page tables, checked.
 *
 * Order of every change: take what the new entry needs, store it, drop what
 * the old one held.  So a refused change has no effect, and a frame is never
 * without its reference while an entry leads to it.
 *
 * No lock (docs/adr/0022).  Whoever changes an entry holds its table by a type
 * count, and stores by compare-and-swap over what was looked at to decide what
 * to take and to drop.  Another vcpu changed it meanwhile: then all is undone
 * and decided anew.  Of accesses the processor notes at any moment (A, D)
 * nothing depends, so those are stored over.
 */
#include "pv/mmu_update.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/smap.h"
#include "mm/directmap.h"
#include "mm/pti.h"
#include "domain/account.h"
#include "domain/tlb_owed.h"
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
    /* Room for one: a second is only there after a race between vcpus. */
    if (unlikely(v->pv->mmu_pending != 0)) {
        should_stop = NULL;
    }
    if (pagetype_put(f, should_stop) == -ERESTART) {
        v->pv->mmu_pending = mfn_x(frame_mfn(f)) + 1;
        return;
    }
    account_put(f);
}

/*
 * Store @val, and those of the bits @keep that the entry has, over @old.  A and
 * D may differ, unless it must be @exact.
 */
static ALWAYS_INLINE int entry_store(pte_t *entry, pte_t old, pte_t val,
                                     uint64_t keep, bool exact)
{
    while (unlikely(!atomic_cas(entry, old, val | (old & keep)))) {
        pte_t now = READ_ONCE(*entry);

        if (exact || ((now ^ old) & ~PTE_AD) != 0) {
            return -EAGAIN;
        }
        old = now;
    }
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

static ALWAYS_INLINE int change_w(const struct mmu_request *req, pte_t *entry,
                                  pte_t old, pte_t val, uint64_t keep,
                                  bool exact)
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
    rc = entry_store(entry, old, pte_adjust(1, val), keep, exact);
    if (unlikely(rc)) {
        dropped = !dropped;
    }
    if (dropped) {
        tlb_owe(req->pt_owner);
        pagetype_put_writable(f);
    }
    return rc;
}

/* One attempt: -EAGAIN, and nothing changed, when it is not @old any more. */
static ALWAYS_INLINE int l1e_swap(const struct mmu_request *req, pte_t *entry,
                                  pte_t old, pte_t new, uint64_t keep,
                                  bool exact)
{
    int rc;

    if (new &PTE_P) {
        if ((old & PTE_P) && pte_same_hold(1, old, new)) {
            /*
             * Same frame, same right, same caching: nothing to take or to
             * drop, and no other bit of an L1 entry can be forbidden.
             */
            return entry_store(entry, old, pte_adjust(1, new), keep, exact);
        }
        if (changes_w_only(req, old, new)) {
            return change_w(req, entry, old, new, keep, exact);
        }
        rc = pt_l1e_get(req->pt_owner, req->frames_of, &new);
        if (unlikely(rc)) {
            return rc;
        }
    } else if (unlikely(new != 0) && !pt_absent_fits(req->pt_owner, new)) {
        return -EINVAL;
    } else {
        keep = 0;
    }
    rc = entry_store(entry, old, new, keep, exact);
    if (unlikely(rc)) {
        if (new &PTE_P) {
            pt_l1e_put_unflushed(new);
        }
        return rc;
    }
    if (old & PTE_P) {
        tlb_owe(req->pt_owner);
        pt_l1e_put(req->pt_owner, old);
    }
    return 0;
}

/* mmu_l1e_replace(), to be built into those that do nothing else. */
static ALWAYS_INLINE int l1e_replace(const struct mmu_request *req,
                                     pte_t *entry, pte_t val, uint64_t keep,
                                     const pte_t *expect)
{
    int rc;

    do {
        rc = l1e_swap(req, entry, expect ? *expect : READ_ONCE(*entry), val,
                      keep, expect != NULL);
    } while (unlikely(rc == -EAGAIN) && !expect);
    return rc;
}

int mmu_l1e_replace(const struct mmu_request *req, pte_t *entry, pte_t val,
                    const pte_t *expect)
{
    return l1e_replace(req, entry, val, 0, expect);
}

/* Levels 2 to 4: one attempt, as l1e_swap(). */
static int table_swap(const struct mmu_request *req, unsigned int level,
                      pte_t *entry, pte_t old, pte_t new, uint64_t keep)
{
    int rc;

    if (new &PTE_P) {
        if ((old & PTE_P) && pte_same_hold(level, old, new)) {
            if (!pte_check_flags(level, new, false, 64)) {
                return -EINVAL;
            }
            return entry_store(entry, old, pte_adjust(level, new), keep, false);
        }
        rc = pt_table_get(req->pt_owner, level, &new, req->should_stop);
        if (rc) {
            return rc;
        }
    } else if (unlikely(new != 0) && !pt_absent_fits(req->pt_owner, new)) {
        return -EINVAL;
    } else {
        keep = 0;
    }
    rc = entry_store(entry, old, new, keep, false);
    if (level == 4) {
        pti_l4_changed();
    }
    if (rc) {
        if (new &PTE_P) {
            mmu_release_table(req->v, frame_of(pte_mfn(new)), req->should_stop);
        }
        return rc;
    }
    if (old & PTE_P) {
        tlb_owe(req->pt_owner);
        mmu_release_table(req->v, frame_of(pte_mfn(old)), req->should_stop);
    }
    return 0;
}

static NOINLINE int table_replace(const struct mmu_request *req,
                                  unsigned int level, pte_t *entry, pte_t val,
                                  uint64_t keep)
{
    int rc;

    do {
        /* Of what an attempt took and gave back something may be left. */
        rc = mmu_finish_pending(req->v, req->should_stop);
        if (rc == 0) {
            rc = table_swap(req, level, entry, READ_ONCE(*entry), val, keep);
        }
    } while (rc == -EAGAIN);
    return rc;
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

void mmu_request_drop(struct mmu_request *req)
{
    struct frame *f = req->l1;

    req->l1 = NULL;
    req->l1_page = MMU_NO_PAGE;
    pagetype_put_all(f);
    account_put(f);
}

/*
 * A frame that is no valid L1: what is it, and what becomes of @val?  The
 * caller's reference goes.
 */
static NOINLINE int other_write(const struct mmu_request *req, struct frame *f,
                                maddr_t addr, pte_t val, uint64_t keep)
{
    enum pagetype type = pagetype_of(f);
    unsigned int level = pagetype_level(type), i = entry_index(addr);
    int rc;

    if (level == 0 || pagetype_count(f) == 0) {
        rc = plain_store(req, f, maddr_to_ptr(addr), val);
    } else if (level == 4 && i >= HV_L4_FIRST && i <= HV_L4_LAST) {
        rc = -EINVAL;
    } else if (!pagetype_get_valid(f, type)) {
        rc = -EBUSY; /* it is being taken or given up on another vcpu */
    } else if (level == 1) {
        /* Since we were asked: it was not when its caller looked. */
        rc = l1e_replace(req, maddr_to_ptr(addr), val, keep, NULL);
        mmu_release_table(req->v, f, req->should_stop);
        return rc;
    } else {
        rc = table_replace(req, level, maddr_to_ptr(addr), val, keep);
        mmu_release_table(req->v, f, req->should_stop);
        return rc;
    }
    account_put(f);
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
        return other_write(req, f, addr, val, keep);
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

/*
 * The entry for @va in the table of @level that @e points at.  Another vcpu may
 * have freed that meanwhile, and @e be no entry at all: what is loaded is then
 * anything, from memory or from nowhere.
 */
static ALWAYS_INLINE pte_t *entry_below(pte_t e, uint64_t va,
                                        unsigned int level)
{
    mfn_t m = mfn(index_nospec(mfn_x(pte_mfn(e)), max_frame));

    return (pte_t *)mfn_to_ptr(m) + pt_index(va, level);
}

/* 0 where there is nothing. */
static ALWAYS_INLINE pte_t entry_load(const pte_t *entry)
{
    unsigned int bad = 0;
    pte_t e;

    load_word(e, entry, bad);
    (void)bad; /* then @e is 0 */
    return e;
}

/* The L2 entry for @va, or what is there instead; 0: nothing. */
static ALWAYS_INLINE pte_t find_l2e(const struct vcpu *v, uint64_t va)
{
    mfn_t m =
        v->pv->guest_kernel ? v->pv->guest_table : v->pv->guest_table_user;
    pte_t e;

    if (unlikely(!guest_range_ok(va, 1) || mfn_is_invalid(m))) {
        return 0;
    }
    /* The base pointer keeps this one. */
    e = READ_ONCE(((const pte_t *)mfn_to_ptr(m))[pt_index(va, 4)]);
    if (unlikely(!(e & PTE_P))) {
        return 0;
    }
    e = entry_load(entry_below(e, va, 3));
    if (unlikely(!(e & PTE_P))) {
        return 0;
    }
    return entry_load(entry_below(e, va, 2));
}

pte_t mmu_peek_l1e(const struct vcpu *v, uint64_t va)
{
    pte_t e = find_l2e(v, va);

    return likely(e & PTE_P) ? entry_load(entry_below(e, va, 1)) : 0;
}

static ALWAYS_INLINE pte_t *hold_l1e(const struct vcpu *v, uint64_t va,
                                     struct frame **ret_table)
{
    pte_t e = find_l2e(v, va);
    struct frame *f;

    if (unlikely(!(e & PTE_P) || !mfn_valid(pte_mfn(e)))) {
        return NULL;
    }
    f = frame_of(pte_mfn(e));
    if (unlikely(!frame_get(f, v->domain->domid))) {
        return NULL;
    }
    /* Not made one here: whoever has it in its tables has done so. */
    if (unlikely(!pagetype_get_valid(f, PAGETYPE_L1))) {
        account_put(f);
        return NULL;
    }
    *ret_table = f;
    return entry_below(e, va, 1);
}

pte_t *mmu_hold_l1e(const struct vcpu *v, uint64_t va, struct frame **ret_table)
{
    return hold_l1e(v, va, ret_table);
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
    entry = hold_l1e(req->v, va, &table);
    if (unlikely(!entry)) {
        return -EINVAL;
    }
    rc = l1e_replace(req, entry, val, 0, NULL);
    pagetype_put_all(table);
    account_put(table);
    return rc;
}
