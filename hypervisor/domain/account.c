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

int account_alloc(struct domain *d, unsigned int order, unsigned int bits,
                  mfn_t *ret_mfn)
{
    uint32_t count = 1U << order;
    struct frame *f;
    uint32_t i;

    if (domain_is_dying(d)) {
        return -EINVAL;
    }
    if (d->tot_pages + count < count || d->tot_pages + count > d->max_pages) {
        return -E2BIG;
    }
    f = page_alloc(order, PA_CLEAN, bits);
    if (f == NULL) {
        return -ENOMEM;
    }
    spin_lock(&d->lock);
    for (i = 0; i < count; i++) {
        f[i].owner = d->domid;
        f[i].flags |= FRAME_F_ALLOCATED;
        f[i].type = 0;
        list_frame(d, &f[i]);
        m2p_set(frame_mfn(&f[i]), pfn(M2P_INVALID));
    }
    d->tot_pages += count;
    if (d->outstanding_pages != 0) {
        d->outstanding_pages -= MIN(d->outstanding_pages, count);
    }
    spin_unlock(&d->lock);
    *ret_mfn = frame_mfn(f);
    return 0;
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

void account_put(struct frame *f)
{
    struct domain *d;

    if (!frame_put(f)) {
        return;
    }
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

struct frame *account_pagelist_first(struct domain *d)
{
    return d->page_list == FRAME_NONE ? NULL : &frame_table[d->page_list];
}

struct frame *account_pagelist_next(const struct frame *f)
{
    return f->next == FRAME_NONE ? NULL : &frame_table[f->next];
}
