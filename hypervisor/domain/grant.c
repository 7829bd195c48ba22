/* SPDX-License-Identifier: MIT */
/*
 * domain/grant.c - the table, its entries, and pinning them.
 */
#include "domain/grant.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "domain/frame_use.h"
#include "domain/grant_impl.h"

/* A guest that changes an entry all the time is given up after that. */
#define FLAG_TRIES 5

/* ---- table -------------------------------------------------------------- */

/*
 * Add one frame.  Our side of its entries comes with the first that somebody
 * uses (entry_of()).  Lock held.
 */
static int frame_add(struct domain *d)
{
    struct grant_table *gt = d->grants;
    grant_entry_v1_t *page = hv_page_alloc();

    if (page == NULL) {
        return -ENOMEM;
    }
    account_share_hv_page(d, page);
    gt->shared[gt->nr_frames] = page;
    gt->nr_frames++;
    return 0;
}

static int grow_locked(struct domain *d, unsigned int nr_frames)
{
    int rc = 0;

    if (nr_frames > d->grants->max_frames || domain_is_dying(d)) {
        return -EINVAL;
    }
    while (rc == 0 && d->grants->nr_frames < nr_frames) {
        rc = frame_add(d);
    }
    return rc;
}

static void table_free(struct grant_table *gt)
{
    for (unsigned int i = 0; i < gt->nr_frames; i++) {
        account_unshare_hv_page(gt->shared[i]);
        heap_free(gt->use[i]);
    }
    for (unsigned int i = 0; i < gt->record_pages; i++) {
        hv_page_free(gt->record[i]);
    }
    heap_free(gt->shared);
    heap_free(gt->use);
    heap_free(gt->record);
    heap_free(gt);
}

int grant_domain_init(struct domain *d, int32_t max_grant_frames,
                      int32_t max_maptrack_frames)
{
    unsigned int frames = max_grant_frames < 0 ? GRANT_FRAMES_DEFAULT
                                               : (unsigned int)max_grant_frames;
    unsigned int pages = max_maptrack_frames < 0
                             ? MAPTRACK_FRAMES_DEFAULT
                             : (unsigned int)max_maptrack_frames;
    struct grant_table *gt;

    if (frames > GRANT_FRAMES_MAX || pages > MAPTRACK_FRAMES_MAX) {
        return -EINVAL;
    }
    frames = MAX(frames, 1U); /* console and store need two entries */
    gt = heap_alloc(sizeof(*gt));
    if (gt == NULL) {
        return -ENOMEM;
    }
    spin_lock_init(&gt->lock, "grant", LOCK_RANK_GRANT, IRQ_ANY);
    gt->max_frames = frames;
    gt->max_record_pages = pages;
    gt->free_record = RECORD_NONE;
    gt->shared = heap_alloc(frames * sizeof(*gt->shared));
    gt->use = heap_alloc(frames * sizeof(*gt->use));
    if (gt->shared == NULL || gt->use == NULL) {
        table_free(gt);
        return -ENOMEM;
    }
    /* The first frame comes when somebody wants it: many never do. */
    d->grants = gt;
    return 0;
}

void grant_domain_free(struct domain *d)
{
    struct grant_table *gt = d->grants;

    if (gt == NULL) {
        return;
    }
    d->grants = NULL;
    table_free(gt);
}

int grant_table_grow(struct domain *d, unsigned int nr_frames)
{
    int rc;

    spin_lock(&d->grants->lock);
    rc = grow_locked(d, nr_frames);
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
        rc = grow_locked(d, idx + 1);
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

/* The entry in memory both sides write, and our side of it.  Lock held. */
static grant_entry_v1_t *entry_of(struct domain *d, grant_ref_t ref,
                                  struct grant_use **ret_use)
{
    struct grant_table *gt = d->grants;
    uint64_t frame = ref / GRANT_ENTRIES_PER_FRAME;

    if (frame >= gt->nr_frames &&
        (frame != 0 || grow_locked(d, 1) != 0)) { /* see grant_domain_init() */
        return NULL;
    }
    frame = index_nospec(frame, gt->nr_frames);
    if (unlikely(gt->use[frame] == NULL)) {
        gt->use[frame] =
            heap_alloc(GRANT_ENTRIES_PER_FRAME * sizeof(struct grant_use));
        if (gt->use[frame] == NULL) {
            return NULL;
        }
    }
    *ret_use = &gt->use[frame][ref % GRANT_ENTRIES_PER_FRAME];
    return &gt->shared[frame][ref % GRANT_ENTRIES_PER_FRAME];
}

static bool use_is_idle(const struct grant_use *use)
{
    return use->readers == 0 && use->writers == 0;
}

int grant_seed(struct domain *d, grant_ref_t ref, domid_t mapper, mfn_t m)
{
    struct grant_table *gt = d->grants;
    grant_entry_v1_t *e;
    struct grant_use *use;
    int rc = -EINVAL;

    spin_lock(&gt->lock);
    e = entry_of(d, ref, &use);
    if (e != NULL && use_is_idle(use) && mfn_x(m) <= UINT32_MAX) {
        e->domid = mapper;
        e->frame = (uint32_t)mfn_x(m);
        /* Flags last: they make it valid. */
        __atomic_store_n(&e->flags, GTF_permit_access, __ATOMIC_RELEASE);
        rc = 0;
    }
    spin_unlock(&gt->lock);
    return rc;
}

int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
    struct grant_table *gt = d->grants;
    grant_entry_v1_t *ea, *eb;
    struct grant_use *ua, *ub;
    int16_t status = GNTST_okay;

    spin_lock(&gt->lock);
    ea = entry_of(d, a, &ua);
    eb = entry_of(d, b, &ub);
    if (ea == NULL || eb == NULL) {
        status = GNTST_bad_gntref;
    } else if (!use_is_idle(ua) || !use_is_idle(ub)) {
        status = GNTST_eagain;
    } else if (a != b) {
        grant_entry_v1_t was = *ea;

        *ea = *eb;
        *eb = was;
    }
    spin_unlock(&gt->lock);
    return status;
}

/* flags in the low half, domid in the high half: changed by one operation. */
static uint32_t *entry_word(grant_entry_v1_t *e)
{
    return (uint32_t *)(void *)e;
}

_Static_assert(offsetof(grant_entry_v1_t, flags) == 0 &&
                   offsetof(grant_entry_v1_t, domid) == 2 &&
                   offsetof(grant_entry_v1_t, frame) == 4,
               "flags and domid share a word");

/* Set the "in use" bits, if the entry grants this at this very moment. */
static int16_t entry_mark(grant_entry_v1_t *e, domid_t user, bool readonly)
{
    uint32_t set = GTF_reading | (readonly ? 0U : GTF_writing);

    for (unsigned int i = 0; i < FLAG_TRIES; i++) {
        uint32_t w = READ_ONCE(*entry_word(e));

        if ((w & GTF_type_mask) != GTF_permit_access || w >> 16 != user ||
            (!readonly && (w & GTF_readonly) != 0)) {
            return GNTST_general_error;
        }
        if (atomic_cas(entry_word(e), w, w | set)) {
            return GNTST_okay;
        }
    }
    return GNTST_general_error;
}

/* Count one more use of an entry, marking it if needed.  Lock held. */
static int16_t use_add(grant_entry_v1_t *e, struct grant_use *use, domid_t user,
                       bool readonly)
{
    bool is_new = use_is_idle(use);
    int16_t status;

    if (!is_new && use->user != user) {
        return GNTST_general_error;
    }
    if (readonly ? use->readers == UINT16_MAX : use->writers == UINT16_MAX) {
        return GNTST_no_space;
    }
    if (is_new || (!readonly && use->writers == 0)) {
        status = entry_mark(e, user, readonly);
        if (status != GNTST_okay) {
            return status;
        }
    }
    if (is_new) {
        use->user = user;
        use->mfn = READ_ONCE(e->frame); /* once: it is the guest's */
    }
    if (readonly) {
        use->readers++;
    } else {
        use->writers++;
    }
    return GNTST_okay;
}

/* Count one use less; the last ones take the marks away.  Lock held. */
static void use_drop(grant_entry_v1_t *e, struct grant_use *use, bool readonly)
{
    uint32_t clear = 0;

    if (readonly) {
        use->readers--;
    } else {
        use->writers--;
        if (use->writers == 0) {
            clear |= GTF_writing;
        }
    }
    if (use_is_idle(use)) {
        clear |= GTF_reading;
    }
    if (clear != 0) {
        atomic_and(entry_word(e), ~clear);
    }
}

int16_t grant_acquire(struct domain *granter, domid_t user, grant_ref_t ref,
                      bool readonly, mfn_t *ret_mfn)
{
    struct grant_table *gt = granter->grants;
    grant_entry_v1_t *e;
    struct grant_use *use;
    int16_t status;
    mfn_t m = INVALID_MFN;

    if (domain_is_dying(granter) || gt == NULL) {
        return GNTST_bad_domain;
    }
    spin_lock(&gt->lock);
    e = entry_of(granter, ref, &use);
    status =
        e == NULL ? (int16_t)GNTST_bad_gntref : use_add(e, use, user, readonly);
    if (status == GNTST_okay) {
        m = mfn(use->mfn);
    }
    spin_unlock(&gt->lock);
    if (status != GNTST_okay) {
        return status;
    }
    /* Not under the lock: giving up a frame may need the domain's. */
    if (frame_use_hold(m, granter->domid, !readonly) != 0) {
        spin_lock(&gt->lock);
        use_drop(e, use, readonly);
        spin_unlock(&gt->lock);
        return GNTST_bad_page;
    }
    *ret_mfn = m;
    return GNTST_okay;
}

void grant_release(struct domain *granter, grant_ref_t ref, bool readonly,
                   mfn_t m)
{
    struct grant_table *gt = granter->grants;
    grant_entry_v1_t *e;
    struct grant_use *use;

    frame_use_release(m, !readonly);
    spin_lock(&gt->lock);
    e = entry_of(granter, ref, &use);
    if (e != NULL) { /* always: the table does not shrink */
        use_drop(e, use, readonly);
    }
    spin_unlock(&gt->lock);
}

void grant_dump(struct domain *d)
{
    struct grant_table *gt = d->grants;
    unsigned int frames, max;

    grant_table_size(d, &frames, &max);
    pr_info("grant table of d%u: %u of %u frames", d->domid, frames, max);
    for (grant_ref_t ref = 0; ref < gt->nr_frames * GRANT_ENTRIES_PER_FRAME;
         ref++) {
        struct grant_use *use, copy = {0};
        uint32_t flags = 0;
        grant_entry_v1_t *e;

        spin_lock(&gt->lock);
        e = entry_of(d, ref, &use);
        if (e != NULL) {
            copy = *use;
            flags = e->flags;
        }
        spin_unlock(&gt->lock);
        if (!use_is_idle(&copy)) {
            pr_info("  ref %u: flags 0x%x, d%u, mfn 0x%lx, readers %u, "
                    "writers %u",
                    ref, flags, copy.user, copy.mfn, copy.readers,
                    copy.writers);
        }
    }
}
