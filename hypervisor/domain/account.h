/* SPDX-License-Identifier: MIT */
/*
 * domain/account.h - which frames a domain owns, and how many it may.
 */
#ifndef VIGIL_DOMAIN_ACCOUNT_H
#define VIGIL_DOMAIN_ACCOUNT_H

#include "mm/frame.h"
#include "domain/domain.h"

/**
 * account_alloc() - allocate clean frames for a domain
 * @d:       owner to be; not dying
 * @p:       guest number of the first frame, for the M2P table; or
 *           pfn(M2P_INVALID)
 * @order:   2^order contiguous, aligned frames
 * @bits:    address width limit, 0 for none; and PA_STOPS
 * @ret_mfn: first frame
 *
 * Each frame: owner @d, count 1 (FRAME_F_ALLOCATED), on its page list.
 * Context: any but NMI/#MC.
 * Return:  0, -ENOMEM no memory, -E2BIG beyond max_pages, -EINVAL dying; with
 *          PA_STOPS -EAGAIN: stopped as page_alloc_chain()
 */
int account_alloc(struct domain *d, pfn_t p, unsigned int order,
                  unsigned int bits, mfn_t *ret_mfn) MUST_CHECK;

/**
 * account_release_run() - free frames of a dying domain, many at once
 * @d:        DYING
 * @f:        a frame on its page list
 * @max:      frames at most
 * @ret_next: the frame on the list after what was freed, or after @f; NULL
 *
 * Frees @f and those that follow it both on the list and in memory (upwards
 * or downwards), up to the first that somebody else refers to or that is
 * broken or on its way out of service: account_release() is for those.
 * Context: any but NMI/#MC; nobody else walks the list.
 * Return:  frames freed, 0 if @f is such a frame, or has left the list
 */
uint32_t account_release_run(struct domain *d, struct frame *f, uint32_t max,
                             struct frame **ret_next);

/**
 * account_release() - the owner gives up a frame it was allocated
 * @d: owner
 * @f: its frame
 *
 * Drops the allocation's own reference; the frame is freed when nobody else
 * refers to it.  The caller holds a reference of its own on @f.
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL not allocated to @d (any more)
 */
int account_release(struct domain *d, struct frame *f) MUST_CHECK;

/**
 * account_steal() - take a frame from its owner without freeing it
 * @d: owner
 * @f: frame with no reference but the allocation's, so type count 0
 *
 * Out of tally and page list; owner DOMID_INVALID; count 1 for the caller.
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL not its frame, -EBUSY referenced elsewhere
 */
int account_steal(struct domain *d, struct frame *f) MUST_CHECK;

/**
 * account_assign() - make a frame of nobody's a domain's own
 * @d: owner to be
 * @f: clean frame with count 1, held by the caller, on no list: from
 *     page_alloc() or account_steal()
 *
 * The caller's reference becomes the allocation's.  The limit of the tally is
 * not looked at: frames are exchanged one for one.
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL the domain is dying
 */
int account_assign(struct domain *d, struct frame *f) MUST_CHECK;

/**
 * account_share_hv_page() - let a domain map one of the hypervisor's pages
 * @d:  domain
 * @p:  page from hv_page_alloc()
 *
 * Owner becomes @d, type writable, FRAME_F_HV_SHARED, not in the tally.
 * Context: any but NMI/#MC.
 */
void account_share_hv_page(struct domain *d, void *p);

/**
 * account_unshare_hv_page() - the hypervisor is done with a shared page
 * @p: page given to account_share_hv_page()
 *
 * Freed once the guest's last mapping is gone.
 * Context: any but NMI/#MC.
 */
void account_unshare_hv_page(void *p);

/**
 * account_hv_page_is_used() - does anybody but the hypervisor hold it?
 * @p: page given to account_share_hv_page()
 *
 * It may change at any moment.
 * Context: any.
 * Return:  a guest maps it, or uses it otherwise
 */
bool account_hv_page_is_used(const void *p);

/**
 * account_settle() - the last reference of a frame has gone
 * @f: frame, count 0
 *
 * For account_put() only.
 * Context: any but NMI/#MC.
 */
void account_settle(struct frame *f);

/**
 * account_put() - drop a reference taken by frame_get(); settle if the last
 * @f: frame
 *
 * Context: any but NMI/#MC.
 */
static inline void account_put(struct frame *f)
{
    if (unlikely(frame_put(f))) {
        account_settle(f);
    }
}

/* The first frame on the page list of @d; NULL when it is empty. */
static inline struct frame *account_pagelist_first(const struct domain *d)
{
    return d->page_list == FRAME_NONE ? NULL : &frame_table[d->page_list];
}

/* The frame after @f on its owner's list; NULL at the end. */
static inline struct frame *account_pagelist_next(const struct frame *f)
{
    return f->next == FRAME_NONE ? NULL : &frame_table[f->next];
}

/**
 * account_pagelist_resume() - where the walk that stopped last goes on
 * @d: domain
 *
 * Context: any but NMI/#MC; nobody else walks the list.
 * Return:  the frame it stopped at if that is still on the list, else the
 *          first; NULL when the list is empty
 */
struct frame *account_pagelist_resume(struct domain *d);

/**
 * account_pagelist_stop() - note where a walk of the list stops
 * @d: domain
 * @f: frame on its list; NULL: the next walk begins at the first
 *
 * Context: any; nobody else walks the list.
 * Return:  nothing.
 */
void account_pagelist_stop(struct domain *d, const struct frame *f);

/**
 * account_pagelist_find() - walk on to the next frame somebody wants
 * @d:         domain
 * @max:       frames to look at
 * @wanted:    called with the domain's lock held; must not need a lock
 * @ret_frame: it, with one more reference; NULL: none was found
 *
 * The walk stops behind what it looked at last: others may take frames off the
 * list meanwhile.
 * Context: any but NMI/#MC; nobody else walks the list.
 * Return:  false: that was the end of the list
 */
bool account_pagelist_find(struct domain *d, unsigned int max,
                           bool (*wanted)(const struct frame *f),
                           struct frame **ret_frame);

#endif
