/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_entry.c - pinning an entry of either version, and its frame.
 */
#include "domain/grant.h"

#include "lib/errno.h"
#include "x86/atomic.h"
#include "mm/page_alloc.h"
#include "domain/frame_use.h"
#include "domain/grant_impl.h"

/* A guest that changes an entry all the time is given up after that. */
#define FLAG_TRIES 5

/* flags in the low half, domid in the high half: read and changed as one. */
static uint32_t *entry_word(void *entry)
{
    return entry;
}

_Static_assert(offsetof(grant_entry_v1_t, flags) == 0 &&
                   offsetof(grant_entry_v1_t, domid) == 2 &&
                   offsetof(grant_entry_v1_t, frame) == 4 &&
                   offsetof(grant_entry_v2_t, hdr.flags) == 0 &&
                   offsetof(grant_entry_v2_t, hdr.domid) == 2,
               "flags and domid share a word");

/* ---- finding --------------------------------------------------------------- */

/* Is this number one of an entry?  The first frame comes when asked for. */
static NOINLINE bool ref_exists(struct domain *d, grant_ref_t ref)
{
    const struct grant_table *gt = d->grants;

    return gt->nr_frames == 0 && ref < grant_entries_a_frame(gt->version) &&
           grant_grow_locked(d, 1) == 0;
}

/* Our side of some entries comes with the first that somebody uses. */
static NOINLINE bool use_page_add(struct grant_table *gt, uint64_t page)
{
    gt->use[page] = hv_page_alloc();
    return gt->use[page] != NULL;
}

/* NULL: none such, or no memory.  Lock held. */
static ALWAYS_INLINE struct grant_use *find_use(struct domain *d,
                                                grant_ref_t *ref)
{
    struct grant_table *gt = d->grants;
    uint64_t n = *ref;

    if (unlikely(n >= gt->entries) && !ref_exists(d, *ref)) {
        return NULL;
    }
    n = index_nospec(n, gt->entries);
    *ref = (grant_ref_t)n;
    if (unlikely(gt->use[n / USES_PER_PAGE] == NULL) &&
        !use_page_add(gt, n / USES_PER_PAGE)) {
        return NULL;
    }
    return &gt->use[n / USES_PER_PAGE][n % USES_PER_PAGE];
}

static ALWAYS_INLINE grant_entry_v1_t *v1_at(const struct grant_table *gt,
                                             grant_ref_t ref)
{
    grant_entry_v1_t *frame = gt->shared[ref / GRANT_ENTRIES_PER_FRAME];

    return &frame[ref % GRANT_ENTRIES_PER_FRAME];
}

bool grant_find(struct domain *d, grant_ref_t ref,
                struct grant_place *ret_place)
{
    const struct grant_table *gt = d->grants;
    struct grant_place p = {.use = NULL};

    if (gt->version == VERSION_NONE) {
        return false;
    }
    p.use = find_use(d, &ref);
    if (p.use == NULL) {
        return false;
    }
    if (gt->version == 1) {
        p.v1 = v1_at(gt, ref);
    } else {
        p.v2 = (grant_entry_v2_t *)gt->shared[ref / V2_PER_FRAME] +
               ref % V2_PER_FRAME;
        p.status = &gt->status[ref / STATUS_PER_FRAME][ref % STATUS_PER_FRAME];
    }
    *ret_place = p;
    return true;
}

/* ---- counts ---------------------------------------------------------------- */

static ALWAYS_INLINE bool use_is_full(const struct grant_use *use,
                                      bool writable)
{
    return (writable ? use->writers : use->readers) == UINT16_MAX;
}

static ALWAYS_INLINE void use_count(struct grant_use *use, bool writable)
{
    if (writable) {
        use->writers++;
    } else {
        use->readers++;
    }
}

/* Return: the marks that must go, too: GTF_reading, GTF_writing. */
static ALWAYS_INLINE uint16_t use_uncount(struct grant_table *gt,
                                          struct grant_use *use, bool writable)
{
    uint16_t clear = 0;

    if (!writable) {
        use->readers--;
    } else {
        use->writers--;
        if (use->writers == 0) {
            clear |= GTF_writing;
        }
    }
    if (grant_use_is_idle(use)) {
        clear |= GTF_reading;
        gt->pinned--;
    }
    return clear;
}

/* ---- version 1 ------------------------------------------------------------- */

/* Set the "in use" bits, if the entry grants this at this very moment. */
static int16_t v1_mark(grant_entry_v1_t *e, domid_t user, unsigned int how)
{
    uint32_t mask =
        GTF_type_mask | (how & GRANT_PART ? 0U : (uint32_t)GTF_sub_page);
    uint32_t set =
        GTF_reading | (how & GRANT_WRITE ? (uint32_t)GTF_writing : 0U);

    for (unsigned int i = 0; i < FLAG_TRIES; i++) {
        uint32_t w = READ_ONCE(*entry_word(e));

        if ((w & mask) != GTF_permit_access || w >> 16 != user ||
            ((how & GRANT_WRITE) && (w & GTF_readonly) != 0)) {
            return GNTST_general_error;
        }
        if (atomic_cas(entry_word(e), w, w | set)) {
            return GNTST_okay;
        }
    }
    return GNTST_general_error;
}

/* Count one more use of an entry, marking it if needed.  Lock held. */
static ALWAYS_INLINE int16_t v1_pin(struct domain *granter, domid_t user,
                                    grant_ref_t ref, unsigned int how,
                                    mfn_t *ret_mfn)
{
    struct grant_use *use = find_use(granter, &ref);
    bool writable = (how & GRANT_WRITE) != 0;
    grant_entry_v1_t *e;
    bool is_new;
    int16_t status;

    if (use == NULL) {
        return GNTST_bad_gntref;
    }
    e = v1_at(granter->grants, ref);
    is_new = grant_use_is_idle(use);
    if (!is_new && use->user != user) {
        return GNTST_general_error;
    }
    if (use_is_full(use, writable)) {
        return GNTST_no_space;
    }
    if (is_new || (writable && use->writers == 0)) {
        status = v1_mark(e, user, how);
        if (status != GNTST_okay) {
            return status;
        }
    }
    if (is_new) {
        use->user = user;
        use->mfn = READ_ONCE(e->frame); /* once: it is the guest's */
        granter->grants->pinned++;
    }
    use_count(use, writable);
    *ret_mfn = mfn(use->mfn);
    return GNTST_okay;
}

/* ---- version 2 ------------------------------------------------------------- */

/* Does this word of an entry grant @user that? */
static bool v2_allows(uint32_t w, domid_t user, unsigned int how)
{
    if (w >> 16 != user || ((how & GRANT_WRITE) && (w & GTF_readonly) != 0)) {
        return false;
    }
    switch (w & GTF_type_mask) {
    case GTF_permit_access:
        return !(w & GTF_sub_page) || (how & GRANT_PART);
    case GTF_transitive:
        return (how & GRANT_VIA) != 0;
    default:
        return false;
    }
}

/* Make the status bits say what the counts do. */
static void v2_settle(const struct grant_place *p)
{
    (void)atomic_and(p->status,
                     (grant_status_t)(~(GTF_reading | GTF_writing) |
                                      grant_use_marks(p->use)));
}

/*
 * Set the status bits.  The granter that takes an entry back writes its flags,
 * then looks at the status: if we do not see the one, it sees the other.
 */
static bool v2_mark(const struct grant_place *p, domid_t user, unsigned int how,
                    uint32_t *ret_word)
{
    uint32_t *word = entry_word(p->v2);
    uint16_t set =
        (uint16_t)(GTF_reading | (how & GRANT_WRITE ? GTF_writing : 0));

    if (!v2_allows(READ_ONCE(*word), user, how)) {
        return false;
    }
    (void)atomic_or(p->status, set); /* a full barrier */
    *ret_word = READ_ONCE(*word);
    if (!v2_allows(*ret_word, user, how)) {
        v2_settle(p);
        return false;
    }
    return true;
}

/*
 * What an entry with those flags says besides: each field is read once.
 * Return: it is less than a frame.
 */
static bool v2_read(const grant_entry_v2_t *e, uint32_t flags,
                    struct grant_part *ret_part)
{
    struct grant_part part = {.mfn = INVALID_MFN, .length = PAGE_SIZE};
    bool is_part = true;

    if ((flags & GTF_type_mask) == GTF_transitive) {
        part.is_via = true;
        part.via = READ_ONCE(e->transitive.trans_domid);
        part.ref = READ_ONCE(e->transitive.gref);
    } else if (flags & GTF_sub_page) {
        part.mfn = mfn(READ_ONCE(e->sub_page.frame));
        part.start = READ_ONCE(e->sub_page.page_off);
        part.length = READ_ONCE(e->sub_page.length);
    } else {
        part.mfn = mfn(READ_ONCE(e->full_page.frame));
        is_part = false;
    }
    *ret_part = part;
    return is_part;
}

/* Lock held. */
static int16_t v2_pin(struct domain *granter, domid_t user, grant_ref_t ref,
                      unsigned int how, struct grant_part *ret_part)
{
    bool writable = (how & GRANT_WRITE) != 0;
    struct grant_part part = {.length = PAGE_SIZE};
    struct grant_place p;
    bool is_new, is_part = false;
    uint32_t word;

    if (granter->grants->version == VERSION_NONE) {
        return GNTST_eagain;
    }
    if (!grant_find(granter, ref, &p)) {
        return GNTST_bad_gntref;
    }
    is_new = grant_use_is_idle(p.use);
    if (!is_new &&
        (p.use->user != user || (p.use->is_part && !(how & GRANT_PART)))) {
        return GNTST_general_error;
    }
    if (use_is_full(p.use, writable)) {
        return GNTST_no_space;
    }
    part.mfn = mfn(p.use->mfn);
    /* Each use of a part reads the entry anew: none keeps it for long. */
    if (is_new || p.use->is_part) {
        if (!v2_mark(&p, user, how, &word)) {
            return GNTST_general_error;
        }
        is_part = v2_read(p.v2, word, &part);
    } else if (writable && p.use->writers == 0 &&
               !v2_mark(&p, user, GRANT_WRITE, &word)) {
        return GNTST_general_error;
    }
    if (is_new) {
        p.use->user = user;
        p.use->is_part = is_part;
        p.use->mfn = mfn_x(part.mfn);
        granter->grants->pinned++;
    }
    use_count(p.use, writable);
    *ret_part = part;
    return GNTST_okay;
}

/* An entry that is in use is there; between two versions one of the first. */
static ALWAYS_INLINE struct grant_use *use_in_use(const struct grant_table *gt,
                                                  grant_ref_t ref)
{
    return &gt->use[ref / USES_PER_PAGE][ref % USES_PER_PAGE];
}

/* ---- either ---------------------------------------------------------------- */

/* Lock held. */
static ALWAYS_INLINE void unpin(struct domain *granter, grant_ref_t ref,
                                unsigned int how)
{
    struct grant_table *gt = granter->grants;
    struct grant_use *use = use_in_use(gt, ref);
    uint16_t clear = use_uncount(gt, use, (how & GRANT_WRITE) != 0);

    if (clear == 0) {
        return;
    }
    if (likely(gt->version == 1)) {
        (void)atomic_and(entry_word(v1_at(gt, ref)), ~(uint32_t)clear);
    } else if (gt->version == 2) {
        (void)atomic_and(
            &gt->status[ref / STATUS_PER_FRAME][ref % STATUS_PER_FRAME],
            (grant_status_t)~clear);
    }
}

int16_t grant_acquire(struct domain *granter, domid_t user, grant_ref_t ref,
                      unsigned int how, struct grant_part *ret_part)
{
    struct grant_table *gt = granter->grants;
    int16_t status;
    int rc;

    if (domain_is_dying(granter) || gt == NULL) {
        return GNTST_bad_domain;
    }
    ret_part->start = 0;
    ret_part->length = PAGE_SIZE;
    ret_part->is_via = false;
    spin_lock(&gt->lock);
    status = likely(gt->version == 1)
                 ? v1_pin(granter, user, ref, how, &ret_part->mfn)
                 : v2_pin(granter, user, ref, how, ret_part);
    spin_unlock(&gt->lock);
    if (unlikely(status != GNTST_okay || ret_part->is_via)) {
        return status;
    }
    /* Not under the lock: giving up a frame may need the domain's. */
    rc =
        frame_use_hold(ret_part->mfn, granter->domid, (how & GRANT_WRITE) != 0);
    if (likely(rc == 0)) {
        return GNTST_okay;
    }
    spin_lock(&gt->lock);
    unpin(granter, ref, how);
    spin_unlock(&gt->lock);
    return rc == -EBUSY ? GNTST_general_error : GNTST_bad_page;
}

void grant_release(struct domain *granter, grant_ref_t ref, unsigned int how,
                   mfn_t m)
{
    struct grant_table *gt = granter->grants;

    if (likely(!mfn_eq(m, INVALID_MFN))) {
        frame_use_release(m, (how & GRANT_WRITE) != 0);
    }
    spin_lock(&gt->lock);
    unpin(granter, ref, how);
    spin_unlock(&gt->lock);
}
