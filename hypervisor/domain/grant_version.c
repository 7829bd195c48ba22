/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_version.c - choosing the layout of a table, and the status
 * frames of version 2.
 *
 *   1 or 2 --switch_begin--> VERSION_NONE --switch_end--> 2 or 1
 *
 * In between nothing can be pinned and the table does not grow, so that its
 * frames can be cleared without the lock.  What is in use, the first entries
 * at most, may be given back all the time: the marks follow at the end.
 */
#include "domain/grant.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "domain/grant_impl.h"

#define FIRST_ONES GNTTAB_NR_RESERVED_ENTRIES

/* ---- status frames --------------------------------------------------------- */

int grant_status_grow(struct domain *d, unsigned int nr_frames)
{
    struct grant_table *gt = d->grants;

    if (gt->status == NULL) {
        gt->status = heap_alloc(grant_status_frames(gt->max_frames) *
                                sizeof(*gt->status));
        if (gt->status == NULL) {
            return -ENOMEM;
        }
    }
    while (gt->nr_status < grant_status_frames(nr_frames)) {
        grant_status_t *page = hv_page_alloc();

        if (page == NULL) {
            return -ENOMEM; /* what there is may stay */
        }
        account_share_hv_page(d, page);
        gt->status[gt->nr_status] = page;
        gt->nr_status++;
    }
    return 0;
}

/* Frames of a status that is gone. */
struct old_status {
    grant_status_t **frame;
    unsigned int count;
};

/* Back to version 1.  Lock held. */
static struct old_status status_detach(struct grant_table *gt)
{
    struct old_status old = {gt->status, gt->nr_status};

    gt->status = NULL;
    gt->nr_status = 0;
    return old;
}

/*
 * Neither under the lock nor between two versions: it may wait until other
 * processors have flushed.  What the guest still maps goes with its mapping.
 */
static void status_free(const struct old_status *old)
{
    for (unsigned int i = 0; i < old->count; i++) {
        account_unshare_hv_page(old->frame[i]);
    }
    heap_free(old->frame);
}

static bool status_is_used(const struct grant_table *gt)
{
    for (unsigned int i = 0; i < gt->nr_status; i++) {
        if (account_hv_page_is_used(gt->status[i])) {
            return true;
        }
    }
    return false;
}

void grant_status_size(struct domain *d, unsigned int *ret_nr_frames,
                       unsigned int *ret_max)
{
    struct grant_table *gt = d->grants;

    spin_lock(&gt->lock);
    *ret_nr_frames = 0;
    *ret_max = 0;
    if (gt->version == 2 &&
        (gt->nr_frames != 0 || grant_grow_locked(d, 1) == 0)) {
        *ret_nr_frames = gt->nr_status;
        *ret_max = grant_status_frames(gt->max_frames);
    }
    spin_unlock(&gt->lock);
}

int grant_status_frame(struct domain *d, unsigned int idx, mfn_t *ret_mfn)
{
    struct grant_table *gt = d->grants;
    int rc = 0;

    spin_lock(&gt->lock);
    if (gt->version != 2 || idx >= grant_status_frames(gt->max_frames)) {
        rc = -EINVAL;
    } else if (idx >= gt->nr_status) {
        /* As few frames of entries as have that many of status. */
        rc = grant_grow_locked(d, (unsigned int)(idx * FRAMES_PER_STATUS + 1));
    }
    if (rc == 0) {
        *ret_mfn = ptr_to_mfn(gt->status[idx]);
    }
    spin_unlock(&gt->lock);
    return rc;
}

/* ---- the first entries ------------------------------------------------------ */

static uint16_t marks_of(const struct grant_table *gt, grant_ref_t ref)
{
    return gt->use[0] == NULL ? 0 : grant_use_marks(&gt->use[0][ref]);
}

static bool is_access(uint16_t flags)
{
    return (flags & (GTF_type_mask | GTF_sub_page)) == GTF_permit_access;
}

/* Could version 1 say what this entry says?  A part would become the whole. */
static bool v2_fits_v1(const grant_entry_v2_t *e)
{
    uint16_t flags = READ_ONCE(e->hdr.flags);

    switch (flags & GTF_type_mask) {
    case GTF_permit_access:
        return is_access(flags) && READ_ONCE(e->full_page.frame) <= UINT32_MAX;
    case GTF_transitive:
        return false;
    default:
        return true;
    }
}

/* The first entries as version 2 would have them; empty where none fits. */
static void first_ones_read(const struct grant_table *gt, unsigned int from,
                            grant_entry_v2_t *ret_kept)
{
    const grant_entry_v1_t *v1 = gt->shared[0];
    const grant_entry_v2_t *v2 = gt->shared[0];

    for (unsigned int i = 0; i < FIRST_ONES; i++) {
        grant_entry_v2_t e = {0};

        /* The guest may be writing: each field is read once. */
        if (from == 1) {
            e.hdr.flags = READ_ONCE(v1[i].flags);
            e.hdr.domid = READ_ONCE(v1[i].domid);
            e.full_page.frame = READ_ONCE(v1[i].frame);
        } else {
            e.hdr.flags = READ_ONCE(v2[i].hdr.flags);
            e.hdr.domid = READ_ONCE(v2[i].hdr.domid);
            e.full_page.frame = READ_ONCE(v2[i].full_page.frame);
        }
        e.hdr.flags &= (uint16_t) ~(GTF_reading | GTF_writing);
        if (is_access(e.hdr.flags) && e.full_page.frame <= UINT32_MAX) {
            ret_kept[i] = e;
        }
    }
}

/* Write the first frame anew. */
static void first_ones_move(struct grant_table *gt, unsigned int from,
                            unsigned int version)
{
    grant_entry_v1_t *v1 = gt->shared[0];
    grant_entry_v2_t *v2 = gt->shared[0];
    grant_entry_v2_t kept[FIRST_ONES] = {{{0}}};

    first_ones_read(gt, from, kept);
    memset(gt->shared[0], 0, PAGE_SIZE);
    for (unsigned int i = 0; i < FIRST_ONES; i++) {
        uint16_t marks = marks_of(gt, i);

        if (version == 1) {
            v1[i].domid = kept[i].hdr.domid;
            v1[i].frame = (uint32_t)kept[i].full_page.frame;
            v1[i].flags = kept[i].hdr.flags | marks;
        } else {
            v2[i] = kept[i];
            gt->status[0][i] = marks;
        }
    }
}

/* ---- the switch ------------------------------------------------------------- */

/* Lock held.  The first entries may be in use, no others. */
static bool others_are_used(const struct grant_table *gt)
{
    unsigned int first = 0;

    for (unsigned int i = 0;
         gt->nr_frames != 0 && gt->use[0] != NULL && i < FIRST_ONES; i++) {
        first += !grant_use_is_idle(&gt->use[0][i]);
    }
    return gt->pinned != first;
}

/* Lock held. */
static int switch_begin(struct grant_table *gt, uint32_t version)
{
    if (gt->version == VERSION_NONE || others_are_used(gt)) {
        return -EBUSY;
    }
    if (version == 1) {
        const grant_entry_v2_t *e = gt->nr_frames != 0 ? gt->shared[0] : NULL;

        for (unsigned int i = 0; e != NULL && i < FIRST_ONES; i++) {
            if (!v2_fits_v1(&e[i])) {
                return -ERANGE;
            }
        }
        if (status_is_used(gt)) {
            return -EBUSY;
        }
    }
    gt->version = VERSION_NONE;
    gt->entries = 0;
    return 0;
}

static void switch_end(struct grant_table *gt, unsigned int from,
                       unsigned int version)
{
    struct old_status old = {NULL, 0};

    spin_lock(&gt->lock);
    if (version == 1) {
        old = status_detach(gt);
    }
    if (gt->nr_frames != 0) {
        first_ones_move(gt, from, version);
    }
    gt->entries = gt->nr_frames * grant_entries_a_frame(version);
    gt->version = version;
    spin_unlock(&gt->lock);
    status_free(&old);
}

/* Back to version 1: no memory.  What was given back meanwhile loses its marks. */
static void switch_abort(struct grant_table *gt)
{
    grant_entry_v1_t *v1;
    struct old_status old;

    spin_lock(&gt->lock);
    old = status_detach(gt);
    v1 = gt->nr_frames != 0 ? gt->shared[0] : NULL;
    for (unsigned int i = 0; v1 != NULL && i < FIRST_ONES; i++) {
        (void)atomic_and(&v1[i].flags, (uint16_t)(~(GTF_reading | GTF_writing) |
                                                  marks_of(gt, i)));
    }
    gt->entries = gt->nr_frames * grant_entries_a_frame(1);
    gt->version = 1;
    spin_unlock(&gt->lock);
    status_free(&old);
}

int grant_set_version(struct domain *d, uint32_t version)
{
    struct grant_table *gt = d->grants;
    int rc = 0;

    if (version != 1 && version != 2) {
        return -EINVAL;
    }
    if (version > gt->max_version) {
        return -ENOSYS;
    }
    spin_lock(&gt->lock);
    if (gt->version == version) {
        spin_unlock(&gt->lock);
        return 0;
    }
    rc = switch_begin(gt, version);
    spin_unlock(&gt->lock);
    if (rc != 0) {
        return rc;
    }
    /* VERSION_NONE: frames and status frames are ours alone. */
    if (version == 2) {
        rc = grant_status_grow(d, gt->nr_frames);
    }
    if (rc != 0) {
        switch_abort(gt);
        return rc;
    }
    for (unsigned int i = 1; i < gt->nr_frames; i++) {
        memset(gt->shared[i], 0, PAGE_SIZE);
    }
    switch_end(gt, 3 - version, version);
    return 0;
}

uint32_t grant_version(const struct domain *d)
{
    return READ_ONCE(d->grants->version);
}
