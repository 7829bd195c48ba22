/* SPDX-License-Identifier: MIT */
/*
 * domain/account.c - owners of frames.  A domain's frames hang on a list
 * linked by frame number through struct frame; the tally counts them.
 *
 * The domain's lock guards list and tally.  A frame becomes the domain's last,
 * when it is in both, and stays in both until nobody refers to it: whoever
 * finds its owner in the record finds it on the list.
 */
#include "domain/account.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/directmap.h"
#include "mm/m2p.h"
#include "mm/page_alloc.h"
#include "domain/tlb_owed.h"

#define OWNED (FRAME_F_ALLOCATED | FRAME_F_LISTED)

/* Put a chain of frames at the head of the list.  Lock held. */
static void list_chain(struct domain *d, struct frame *first,
                       struct frame *last)
{
    first->prev = FRAME_NONE;
    last->next = d->page_list;
    if (d->page_list != FRAME_NONE) {
        frame_table[d->page_list].prev = (uint32_t)mfn_x(frame_mfn(last));
    }
    d->page_list = (uint32_t)mfn_x(frame_mfn(first));
}

/* Take frames that follow each other off the list.  Lock held. */
static void unlist_chain(struct domain *d, struct frame *first,
                         struct frame *last)
{
    if (first->prev != FRAME_NONE) {
        frame_table[first->prev].next = last->next;
    } else {
        d->page_list = last->next;
    }
    if (last->next != FRAME_NONE) {
        frame_table[last->next].prev = first->prev;
    }
}

/*
 * Frames of one owner become another's, whatever happens to their counts and
 * states at this moment.
 */
static void give_to(struct domain *d, struct frame *f, uint32_t count,
                    domid_t from, uint8_t flags)
{
    const uint64_t change = FRAME_HEAD(0, from ^ d->domid, 0, flags);

    for (const struct frame *end = f + count; f < end; f++) {
        (void)__atomic_fetch_xor(frame_head(f), change, __ATOMIC_SEQ_CST);
    }
}

static void tally_drop(struct domain *d, uint32_t count)
{
    spin_lock(&d->lock);
    d->tot_pages -= count;
    spin_unlock(&d->lock);
    domain_frame_gone(d);
}

/* Room for so many frames more?  Then they are counted. */
static int tally_add(struct domain *d, uint32_t count)
{
    int rc = 0;

    spin_lock(&d->lock);
    if (domain_is_dying(d)) {
        rc = -EINVAL;
    } else if (d->tot_pages + count < count ||
               d->tot_pages + count > d->max_pages) {
        rc = -E2BIG;
    } else {
        d->tot_pages += count;
    }
    spin_unlock(&d->lock);
    return rc;
}

int account_alloc(struct domain *d, pfn_t p, unsigned int order,
                  unsigned int bits, mfn_t *ret_mfn)
{
    uint32_t count = 1U << order;
    struct frame *f;
    int rc = tally_add(d, count);

    if (rc != 0) {
        return rc;
    }
    f = page_alloc_chain(order, bits);
    if (unlikely(f == NULL || f == PAGE_ALLOC_STOPPED)) {
        tally_drop(d, count);
        return f == NULL ? -ENOMEM : -EAGAIN;
    }
    m2p_set_run(frame_mfn(f), p, count);
    spin_lock(&d->lock);
    if (unlikely(domain_is_dying(d))) {
        /* Since we looked: its list may have been gone through already. */
        spin_unlock(&d->lock);
        m2p_set_run(frame_mfn(f), pfn(M2P_INVALID), count);
        page_free(f, order);
        tally_drop(d, count);
        return -EINVAL;
    }
    list_chain(d, f, f + (count - 1));
    give_to(d, f, count, DOMID_XEN, OWNED);
    if (d->outstanding_pages != 0) {
        domain_claim(d, d->outstanding_pages -
                            MIN(d->outstanding_pages, count));
    }
    spin_unlock(&d->lock);
    *ret_mfn = frame_mfn(f);
    return 0;
}

/*
 * Take what is the owner's alone, and neither broken nor on its way out of
 * service: the allocation's reference is the only one, so no type is in use
 * either (INV-PV-2).  Nobody gets a reference any more.
 */
static bool take_plain(struct frame *f, domid_t owner)
{
    return atomic_cas(frame_head(f), FRAME_HEAD(1, owner, FRAME_INUSE, OWNED),
                      FRAME_HEAD(0, DOMID_INVALID, FRAME_INUSE, 0));
}

/* How many frames that follow @f on the list and in memory could be taken. */
static uint32_t take_run(struct frame *f, domid_t owner, int step, uint32_t max)
{
    uint32_t n = 0;

    while (n < max && take_plain(f, owner)) {
        uint32_t next =
            (uint32_t)(mfn_x(frame_mfn(f)) + (uint64_t)(int64_t)step);

        n++;
        if (f->next != next || next >= max_frame) {
            break;
        }
        f += step;
    }
    return n;
}

/* On the list of @d?  Lock held. */
static bool is_listed(const struct domain *d, const struct frame *f)
{
    return READ_ONCE(f->owner) == d->domid &&
           (READ_ONCE(f->flags) & FRAME_F_LISTED) != 0;
}

uint32_t account_release_run(struct domain *d, struct frame *f, uint32_t max,
                             struct frame **ret_next)
{
    struct frame *last, *lowest;
    uint32_t count;
    bool down;

    spin_lock(&d->lock);
    if (!is_listed(d, f)) {
        /* Its last holder let go of it meanwhile. */
        *ret_next = account_pagelist_first(d);
        spin_unlock(&d->lock);
        return 0;
    }
    down = f->next == (uint32_t)mfn_x(frame_mfn(f)) - 1;
    count = take_run(f, d->domid, down ? -1 : 1, max);
    if (count == 0) {
        *ret_next = account_pagelist_next(f);
        spin_unlock(&d->lock);
        return 0;
    }
    last = down ? f - (count - 1) : f + (count - 1);
    lowest = down ? last : f;
    *ret_next = account_pagelist_next(last);
    unlist_chain(d, f, last);
    d->tot_pages -= count;
    spin_unlock(&d->lock);
    /* No stale translation may outlive the owner's last reference. */
    tlb_pay(d);
    m2p_set_run(frame_mfn(lowest), pfn(M2P_INVALID), count);
    page_free_exact(lowest, count);
    return count;
}

int account_release(struct domain *d, struct frame *f)
{
    spin_lock(&d->lock);
    if (READ_ONCE(f->owner) != d->domid ||
        (READ_ONCE(f->flags) & FRAME_F_ALLOCATED) == 0) {
        spin_unlock(&d->lock);
        return -EINVAL;
    }
    frame_flags_clear(f, FRAME_F_ALLOCATED);
    spin_unlock(&d->lock);
    account_put(f);
    return 0;
}

int account_steal(struct domain *d, struct frame *f)
{
    int rc = 0;

    spin_lock(&d->lock);
    if (READ_ONCE(f->owner) != d->domid ||
        (READ_ONCE(f->flags) & FRAME_F_ALLOCATED) == 0) {
        rc = -EINVAL;
    } else if (!frame_take_last(f, d->domid, OWNED, 1)) {
        rc = -EBUSY;
    } else {
        unlist_chain(d, f, f);
        d->tot_pages--;
    }
    spin_unlock(&d->lock);
    if (rc == 0) {
        tlb_pay(d);
        f->next = f->prev = FRAME_NONE;
        WRITE_ONCE(f->type, 0);
    }
    return rc;
}

int account_assign(struct domain *d, struct frame *f)
{
    domid_t from = READ_ONCE(f->owner);

    spin_lock(&d->lock);
    if (domain_is_dying(d)) {
        spin_unlock(&d->lock);
        return -EINVAL;
    }
    WRITE_ONCE(f->type, 0);
    list_chain(d, f, f);
    d->tot_pages++;
    give_to(d, f, 1, from, OWNED);
    spin_unlock(&d->lock);
    return 0;
}

void account_share_hv_page(struct domain *d, void *p)
{
    struct frame *f = frame_of(ptr_to_mfn(p));

    WRITE_ONCE(f->type, 0);
    give_to(d, f, 1, DOMID_XEN, FRAME_F_HV_SHARED);
}

void account_unshare_hv_page(void *p)
{
    struct frame *f = frame_of(ptr_to_mfn(p));

    /*
     * Who has it mapped may keep it so.  Its owner's number may soon be
     * another's, and that one is not to find a page of its own here.
     */
    (void)__atomic_fetch_xor(
        frame_head(f), FRAME_HEAD(0, READ_ONCE(f->owner) ^ DOMID_INVALID, 0, 0),
        __ATOMIC_SEQ_CST);
    account_put(f);
}

bool account_hv_page_is_used(const void *p)
{
    return READ_ONCE(frame_of(ptr_to_mfn(p))->count) != 1;
}

void account_settle(struct frame *f)
{
    domid_t owner = READ_ONCE(f->owner);
    struct domain *d = owner < DOMID_FIRST_RESERVED ? domain_get(owner) : NULL;

    /* No stale translation may outlive the owner's last reference. */
    tlb_pay(d);
    if (d != NULL && (f->flags & FRAME_F_HV_SHARED) == 0) {
        spin_lock(&d->lock);
        if ((f->flags & FRAME_F_LISTED) != 0) {
            unlist_chain(d, f, f);
            frame_flags_clear(f, FRAME_F_LISTED);
        }
        d->tot_pages--;
        spin_unlock(&d->lock);
        m2p_set(frame_mfn(f), pfn(M2P_INVALID));
    }
    page_free(f, 0);
    if (d != NULL) {
        domain_frame_gone(d);
        domain_put(d);
    }
}

/* Lock held. */
static struct frame *resume(const struct domain *d)
{
    uint32_t cursor = d->page_cursor;

    if (cursor != 0 && mfn_valid(mfn(cursor - 1))) {
        struct frame *f = frame_of(mfn(cursor - 1));

        if (is_listed(d, f)) {
            return f;
        }
    }
    return account_pagelist_first(d);
}

struct frame *account_pagelist_resume(struct domain *d)
{
    struct frame *f;

    spin_lock(&d->lock);
    f = resume(d);
    spin_unlock(&d->lock);
    return f;
}

void account_pagelist_stop(struct domain *d, const struct frame *f)
{
    d->page_cursor = f == NULL ? 0 : (uint32_t)mfn_x(frame_mfn(f)) + 1;
}

bool account_pagelist_find(struct domain *d, unsigned int max,
                           bool (*wanted)(const struct frame *f),
                           struct frame **ret_frame)
{
    struct frame *f, *found = NULL;

    spin_lock(&d->lock);
    for (f = resume(d); f != NULL && max != 0; max--) {
        struct frame *here = f;

        f = account_pagelist_next(f);
        /* With the count at 0 it waits for our lock, to leave the list. */
        if (unlikely(wanted(here)) && frame_get(here, d->domid)) {
            found = here;
            break;
        }
    }
    account_pagelist_stop(d, f);
    spin_unlock(&d->lock);
    *ret_frame = found;
    return f != NULL;
}
