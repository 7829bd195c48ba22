/* SPDX-License-Identifier: MIT */
/*
 * pv/mm_teardown.c - the end of a domain's page tables.
 *
 * Everything that holds a page-table type is dropped: interrupted releases,
 * base pointers, pins, interrupted walks.  Levels only point downwards, so
 * the type counts then go to zero by themselves, even where tables map each
 * other read-only; those references go with the entries.
 */
#include "pv/mmuext.h"

#include "lib/errno.h"
#include "domain/account.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "pv/pt_validate.h"
#include "pv/pv.h"

/* Drop the pin of a frame and what a walk left; the caller holds @f. */
static int frame_teardown(struct frame *f, bool (*should_stop)(void))
{
    int rc = pagetype_abandon(f, should_stop);

    if (rc) {
        return rc;
    }
    if (!pagetype_is_pinned(f)) {
        return 0;
    }
    /*
     * The pin stays until its count is gone, so that an interrupted put is
     * found again here.
     */
    rc = pagetype_put(f, should_stop);
    if (rc) {
        return rc;
    }
    rc = pagetype_unpin(f);
    account_put(f);
    return rc;
}

/* Neither pinned nor left by an interrupted walk: most of them. */
static bool has_nothing(const struct frame *f)
{
    return (READ_ONCE(f->type) & (TYPE_PINNED | TYPE_PARTIAL)) == 0;
}

int pv_mm_teardown(struct domain *d, bool (*should_stop)(void))
{
    struct frame *f, *next;
    unsigned int i, seen = 0;

    for (i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v && v->pv) {
            int rc = pv_drop_bases(v, should_stop);

            if (rc) {
                return rc;
            }
        }
    }
    for (f = account_pagelist_resume(d, d->page_cursor); f; f = next) {
        int rc;

        if (should_stop && (++seen & 0x3ff) == 0 && should_stop()) {
            d->page_cursor = account_pagelist_cursor(f);
            return -ERESTART;
        }
        if (likely(has_nothing(f))) {
            next = account_pagelist_next(f);
            continue;
        }
        /* Ours for a moment, so that the list around it stays. */
        if (!frame_get(f, d->domid)) {
            next = account_pagelist_next(f);
            continue;
        }
        rc = frame_teardown(f, should_stop);
        if (rc) {
            d->page_cursor = account_pagelist_cursor(f);
            account_put(f);
            return rc;
        }
        next = account_pagelist_next(f);
        account_put(f);
    }
    d->page_cursor = 0;
    return 0;
}
