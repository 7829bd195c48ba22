/* SPDX-License-Identifier: MIT */
/*
 * domain/account.c - owners of frames.  A domain's frames hang on a list
 * linked by frame number through struct frame; the tally counts them.
 */
#include "domain/account.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "x86/tlb.h"
#include "mm/directmap.h"
#include "mm/m2p.h"
#include "mm/page_alloc.h"

static void list_frame(struct domain *d, struct frame *f)
{
    uint32_t n = (uint32_t)mfn_x(frame_mfn(f));

    f->prev = FRAME_NONE;
    f->next = d->page_list;
    if (d->page_list != FRAME_NONE) {
        frame_table[d->page_list].prev = n;
    }
    d->page_list = n;
    f->flags |= FRAME_F_LISTED;
}

static void unlist_frame(struct domain *d, struct frame *f)
{
    if ((f->flags & FRAME_F_LISTED) == 0) {
        return;
    }
    if (f->prev != FRAME_NONE) {
        frame_table[f->prev].next = f->next;
    } else {
        d->page_list = f->next;
    }
    if (f->next != FRAME_NONE) {
        frame_table[f->next].prev = f->prev;
    }
    f->next = f->prev = FRAME_NONE;
    f->flags &= (uint8_t)~FRAME_F_LISTED;
}

/* Put a chain of frames at the head of the list. */
static void list_chain(struct domain *d, struct frame *first,
                       struct frame *last)
{
    last->next = d->page_list;
    if (d->page_list != FRAME_NONE) {
        frame_table[d->page_list].prev = (uint32_t)mfn_x(frame_mfn(last));
    }
    d->page_list = (uint32_t)mfn_x(frame_mfn(first));
}

int account_alloc(struct domain *d, pfn_t p, unsigned int order,
                  unsigned int bits, mfn_t *ret_mfn)
{
    uint32_t count = 1U << order;
    struct frame *f;

    if (domain_is_dying(d)) {
        return -EINVAL;
    }
    if (d->tot_pages + count < count || d->tot_pages + count > d->max_pages) {
        return -E2BIG;
    }
    f = page_alloc_chain(order, bits, d->domid,
                         FRAME_F_ALLOCATED | FRAME_F_LISTED);
    if (f == NULL) {
        return -ENOMEM;
    }
    m2p_set_run(frame_mfn(f), p, count);
    spin_lock(&d->lock);
    list_chain(d, f, f + (count - 1));
    d->tot_pages += count;
    if (d->outstanding_pages != 0) {
        domain_claim(d, d->outstanding_pages -
                            MIN(d->outstanding_pages, count));
    }
    spin_unlock(&d->lock);
    *ret_mfn = frame_mfn(f);
    return 0;
}

/*
 * The owner's alone, and neither broken nor on its way out of service: the
 * allocation's reference is the only one, so no type is in use either
 * (INV-PV-2).
 */
static bool is_plain(struct frame *f, domid_t owner)
{
    return *frame_head(f) == FRAME_HEAD(1, owner, FRAME_INUSE,
                                        FRAME_F_ALLOCATED | FRAME_F_LISTED);
}

/* How many plain frames follow @f on the list and in memory, with @f. */
static uint32_t run_length(struct frame *f, domid_t owner, int step,
                           uint32_t max)
{
    uint32_t n = 0;

    while (n < max && is_plain(f, owner)) {
        uint32_t next = (uint32_t)(mfn_x(frame_mfn(f)) + (uint64_t)(int64_t)step);

        n++;
        if (f->next != next || next >= max_frame) {
            break;
        }
        f += step;
    }
    return n;
}

uint32_t account_release_run(struct domain *d, struct frame *f, uint32_t max,
                             struct frame **ret_next)
{
    bool down = f->next == (uint32_t)mfn_x(frame_mfn(f)) - 1;
    uint32_t count = run_length(f, d->domid, down ? -1 : 1, max);
    struct frame *last = down ? f - (count - 1) : f + (count - 1);
    struct frame *lowest = down ? last : f;

    if (count == 0) {
        *ret_next = account_pagelist_next(f);
        return 0;
    }
    *ret_next = account_pagelist_next(last);
    /* No stale translation may outlive the owner's last reference. */
    tlb_sync();
    spin_lock(&d->lock);
    if (f->prev != FRAME_NONE) {
        frame_table[f->prev].next = last->next;
    } else {
        d->page_list = last->next;
    }
    if (last->next != FRAME_NONE) {
        frame_table[last->next].prev = f->prev;
    }
    d->tot_pages -= count;
    spin_unlock(&d->lock);
    m2p_set_run(frame_mfn(lowest), pfn(M2P_INVALID), count);
    page_free_exact(lowest, count);
    return count;
}

int account_release(struct domain *d, struct frame *f)
{
    spin_lock(&d->lock);
    if (f->owner != d->domid || (f->flags & FRAME_F_ALLOCATED) == 0) {
        spin_unlock(&d->lock);
        return -EINVAL;
    }
    f->flags &= (uint8_t)~FRAME_F_ALLOCATED;
    spin_unlock(&d->lock);
    account_put(f);
    return 0;
}

int account_steal(struct domain *d, struct frame *f)
{
    int rc = 0;

    spin_lock(&d->lock);
    if (f->owner != d->domid || (f->flags & FRAME_F_ALLOCATED) == 0) {
        rc = -EINVAL;
    } else if (f->count != 1) {
        rc = -EBUSY;
    } else {
        tlb_sync();
        f->flags &= (uint8_t)~FRAME_F_ALLOCATED;
        unlist_frame(d, f);
        f->owner = DOMID_INVALID;
        f->type = 0;
        d->tot_pages--;
    }
    spin_unlock(&d->lock);
    return rc;
}

int account_assign(struct domain *d, struct frame *f)
{
    spin_lock(&d->lock);
    if (domain_is_dying(d)) {
        spin_unlock(&d->lock);
        return -EINVAL;
    }
    f->owner = d->domid;
    f->flags |= FRAME_F_ALLOCATED;
    f->type = 0;
    list_frame(d, f);
    d->tot_pages++;
    spin_unlock(&d->lock);
    return 0;
}

void account_share_hv_page(struct domain *d, void *p)
{
    struct frame *f = frame_of(ptr_to_mfn(p));

    f->owner = d->domid;
    f->flags |= FRAME_F_HV_SHARED;
    f->type = 0;
}

void account_unshare_hv_page(void *p)
{
    account_put(frame_of(ptr_to_mfn(p)));
}

void account_settle(struct frame *f)
{
    struct domain *d;

    /* No stale translation may outlive the owner's last reference. */
    tlb_sync();
    d = f->owner < DOMID_FIRST_RESERVED ? domain_peek(f->owner) : NULL;
    if (d != NULL && (f->flags & FRAME_F_HV_SHARED) == 0) {
        spin_lock(&d->lock);
        unlist_frame(d, f);
        d->tot_pages--;
        spin_unlock(&d->lock);
        m2p_set(frame_mfn(f), pfn(M2P_INVALID));
    }
    f->flags &= (uint8_t)~(FRAME_F_HV_SHARED | FRAME_F_ALLOCATED);
    page_free(f, 0);
    if (d != NULL) {
        domain_frame_gone(d);
    }
}

struct frame *account_pagelist_resume(struct domain *d, uint32_t cursor)
{
    if (cursor != 0 && mfn_valid(mfn(cursor - 1))) {
        struct frame *f = frame_of(mfn(cursor - 1));

        if (f->owner == d->domid && (f->flags & FRAME_F_LISTED) != 0) {
            return f;
        }
    }
    return account_pagelist_first(d);
}

uint32_t account_pagelist_cursor(const struct frame *f)
{
    return (uint32_t)mfn_x(frame_mfn(f)) + 1;
}
