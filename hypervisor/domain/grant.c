/* SPDX-License-Identifier: MIT */
/*
 * domain/grant.c - the table: its frames, and entries nobody uses.
 */
#include "domain/grant.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "domain/grant_impl.h"

/* ---- frames ---------------------------------------------------------------- */

/* For so many frames, as many as the entries of either version need. */
static unsigned int use_pages(unsigned int frames)
{
    return (unsigned int)(frames * GRANT_ENTRIES_PER_FRAME / USES_PER_PAGE);
}

/* The directories come with the first frame: many never do. */
static bool directories_add(struct grant_table *gt)
{
    void **shared = heap_alloc(gt->max_frames * sizeof(*gt->shared));
    struct grant_use **use =
        heap_alloc(use_pages(gt->max_frames) * sizeof(*gt->use));

    if (shared == NULL || use == NULL) {
        heap_free(shared);
        heap_free(use);
        return false;
    }
    gt->shared = shared;
    gt->use = use;
    return true;
}

/*
 * Add one frame.  Our side of its entries comes with the first that somebody
 * uses (grant_entry.c).  Lock held.
 */
static int frame_add(struct domain *d)
{
    struct grant_table *gt = d->grants;
    void *page;

    if (gt->version == 2 && grant_status_grow(d, gt->nr_frames + 1) != 0) {
        return -ENOMEM;
    }
    if (gt->shared == NULL && !directories_add(gt)) {
        return -ENOMEM;
    }
    page = hv_page_alloc();
    if (page == NULL) {
        return -ENOMEM;
    }
    account_share_hv_page(d, page);
    gt->shared[gt->nr_frames] = page;
    gt->nr_frames++;
    gt->entries = gt->nr_frames * grant_entries_a_frame(gt->version);
    return 0;
}

int grant_grow_locked(struct domain *d, unsigned int nr_frames)
{
    struct grant_table *gt = d->grants;
    int rc = 0;

    if (nr_frames > gt->max_frames || domain_is_dying(d)) {
        return -EINVAL;
    }
    if (nr_frames > gt->nr_frames && gt->version == VERSION_NONE) {
        return -EBUSY;
    }
    while (rc == 0 && gt->nr_frames < nr_frames) {
        rc = frame_add(d);
    }
    return rc;
}

/* The last frame, with our side of its entries. */
static void last_frame_free(struct grant_table *gt)
{
    unsigned int last = gt->nr_frames - 1;

    for (unsigned int i = use_pages(last); i < use_pages(last + 1); i++) {
        if (gt->use[i] != NULL) {
            hv_page_free(gt->use[i]);
        }
    }
    account_unshare_hv_page(gt->shared[last]);
    gt->nr_frames = last;
}

int grant_domain_init(struct domain *d, int32_t max_grant_frames,
                      int32_t max_maptrack_frames, unsigned int max_version)
{
    unsigned int frames = max_grant_frames < 0 ? GRANT_FRAMES_DEFAULT
                                               : (unsigned int)max_grant_frames;
    unsigned int track = max_maptrack_frames < 0
                             ? MAPTRACK_FRAMES_DEFAULT
                             : (unsigned int)max_maptrack_frames;
    struct grant_table *gt;

    if (frames > GRANT_FRAMES_MAX || track > MAPTRACK_FRAMES_MAX) {
        return -EINVAL;
    }
    frames = MAX(frames, 1U); /* console and store need two entries */
    gt = heap_alloc(sizeof(*gt));
    if (gt == NULL) {
        return -ENOMEM;
    }
    spin_lock_init(&gt->lock, "grant", LOCK_RANK_GRANT, IRQ_ANY);
    gt->version = 1;
    gt->max_version = max_version;
    gt->max_frames = frames;
    /* As many mappings as on Xen, not only as many pages. */
    gt->max_record_pages = (unsigned int)DIV_ROUND_UP(
        track * MAPTRACK_PER_FRAME, RECORDS_PER_PAGE);
    gt->free_record = RECORD_NONE;
    d->grants = gt;
    return 0;
}

bool grant_domain_free(struct domain *d, unsigned int *budget)
{
    struct grant_table *gt = d->grants;

    if (gt == NULL) {
        return true;
    }
    BUG_ON(gt->record_pages != 0);
    for (; (gt->nr_frames | gt->nr_status) != 0; (*budget)--) {
        if (*budget == 0) {
            return false;
        }
        if (gt->nr_status != 0) {
            gt->nr_status--;
            account_unshare_hv_page(gt->status[gt->nr_status]);
        } else {
            last_frame_free(gt);
        }
    }
    d->grants = NULL;
    heap_free(gt->shared);
    heap_free(gt->status);
    heap_free(gt->use);
    heap_free(gt->record);
    heap_free(gt);
    return true;
}

int grant_table_grow(struct domain *d, unsigned int nr_frames)
{
    int rc;

    spin_lock(&d->grants->lock);
    rc = grant_grow_locked(d, nr_frames);
    spin_unlock(&d->grants->lock);
    return rc;
}

int grant_table_frame(struct domain *d, unsigned int idx, mfn_t *ret_mfn)
{
    struct grant_table *gt = d->grants;
    int rc = 0;

    if (idx >= gt->max_frames) {
        return -EINVAL;
    }
    spin_lock(&gt->lock);
    if (idx >= gt->nr_frames) {
        rc = grant_grow_locked(d, idx + 1);
    }
    if (rc == 0) {
        *ret_mfn = ptr_to_mfn(gt->shared[idx]);
    }
    spin_unlock(&gt->lock);
    return rc;
}

void grant_table_size(struct domain *d, unsigned int *ret_nr_frames,
                      unsigned int *ret_max)
{
    spin_lock(&d->grants->lock);
    /* The first one is there as soon as it is asked for. */
    *ret_nr_frames = MAX(d->grants->nr_frames, 1U);
    *ret_max = d->grants->max_frames;
    spin_unlock(&d->grants->lock);
}

/* ---- entries ------------------------------------------------------------ */

int grant_seed(struct domain *d, grant_ref_t ref, domid_t mapper, mfn_t m)
{
    struct grant_table *gt = d->grants;
    struct grant_place p;
    int rc = -EINVAL;

    spin_lock(&gt->lock);
    if (grant_find(d, ref, &p) && gt->version == 1 &&
        grant_use_is_idle(p.use) && mfn_x(m) <= UINT32_MAX) {
        p.v1->domid = mapper;
        p.v1->frame = (uint32_t)mfn_x(m);
        /* Flags last: they make it valid. */
        __atomic_store_n(&p.v1->flags, GTF_permit_access, __ATOMIC_RELEASE);
        rc = 0;
    }
    spin_unlock(&gt->lock);
    return rc;
}

static void swap_places(unsigned int version, const struct grant_place *a,
                        const struct grant_place *b)
{
    if (version == 1) {
        grant_entry_v1_t was = *a->v1;

        *a->v1 = *b->v1;
        *b->v1 = was;
    } else {
        grant_entry_v2_t was = *a->v2;
        grant_status_t status = *a->status;

        *a->v2 = *b->v2;
        *a->status = *b->status;
        *b->v2 = was;
        *b->status = status;
    }
}

int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
    struct grant_table *gt = d->grants;
    struct grant_place pa, pb;
    int16_t status = GNTST_okay;

    spin_lock(&gt->lock);
    if (gt->version == VERSION_NONE) {
        status = GNTST_eagain;
    } else if (!grant_find(d, a, &pa) || !grant_find(d, b, &pb)) {
        status = GNTST_bad_gntref;
    } else if (!grant_use_is_idle(pa.use) || !grant_use_is_idle(pb.use)) {
        status = GNTST_eagain;
    } else if (a != b) {
        swap_places(gt->version, &pa, &pb);
    }
    spin_unlock(&gt->lock);
    return status;
}

/* One entry in use.  Only looks: a page of uses nobody needed stays away. */
static void dump_entry(struct domain *d, grant_ref_t ref)
{
    struct grant_table *gt = d->grants;
    struct grant_use *page, use = {0};
    struct grant_place p;
    uint32_t flags = 0, status = 0;

    spin_lock(&gt->lock);
    page = ref < gt->entries ? gt->use[ref / USES_PER_PAGE] : NULL;
    if (page != NULL && grant_find(d, ref, &p)) {
        use = *p.use;
        flags = gt->version == 1 ? p.v1->flags : p.v2->hdr.flags;
        status = gt->version == 1 ? flags : *p.status;
    }
    spin_unlock(&gt->lock);
    if (!grant_use_is_idle(&use)) {
        pr_info("  ref %u: flags 0x%x, status 0x%x, d%u, mfn 0x%lx%s, "
                "readers %u, writers %u",
                ref, flags, status, use.user, use.mfn,
                use.is_part ? " (part)" : "", use.readers, use.writers);
    }
}

void grant_dump(struct domain *d)
{
    unsigned int frames, max;

    grant_table_size(d, &frames, &max);
    pr_info("grant table of d%u: version %u, %u of %u frames", d->domid,
            grant_version(d), frames, max);
    for (grant_ref_t ref = 0; ref < READ_ONCE(d->grants->entries); ref++) {
        dump_entry(d, ref);
    }
}
