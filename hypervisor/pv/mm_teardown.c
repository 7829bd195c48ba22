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
    if (pagetype_unpin(f)) {
        return 0;
    }
    /*
     * What the pin held is ours now, and nobody else's who unpins it.  It is
     * pinned again when this is interrupted, and so found again here.
     */
    rc = pagetype_put(f, should_stop);
    if (rc) {
        pagetype_repin(f);
        return rc;
    }
    account_put(f);
    return 0;
}

/* Pinned, or left by an interrupted walk: few of them. */
static bool has_something(const struct frame *f)
{
    return (READ_ONCE(f->type) & (TYPE_PINNED | TYPE_PARTIAL)) != 0;
}

/* Frames to look at between two questions whether to stop. */
#define FRAMES_PER_STEP 1024

int pv_mm_teardown(struct domain *d, bool (*should_stop)(void))
{
    struct frame *f;
    bool more;
    unsigned int i;

    for (i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v && v->pv) {
            int rc = pv_drop_bases(v, should_stop);

            if (rc) {
                return rc;
            }
        }
    }
    do {
        more = account_pagelist_find(d, FRAMES_PER_STEP, has_something, &f);
        if (f) {
            int rc = frame_teardown(f, should_stop);

            if (rc) {
                account_pagelist_stop(d, f);
                account_put(f);
                return rc;
            }
            account_put(f);
        }
        if (more && should_stop && should_stop()) {
            return -ERESTART;
        }
    } while (more);
    return 0;
}
