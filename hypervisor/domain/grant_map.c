/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_map.c - records of the foreign grants a domain maps.
 *
 * A handle is an index; free records form a list.  RECORD_BUSY marks one that
 * an operation works on, between two takes of the lock.
 */
#include "domain/grant.h"

#include "lib/errno.h"
#include "x86/barrier.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/frame_use.h"
#include "domain/grant_impl.h"

#define MAP_PARTS ((uint32_t)(GNTMAP_host_map | GNTMAP_device_map))

/* NULL: no such record.  Lock held, or the record is RECORD_BUSY for us. */
static struct grant_record *record_of(const struct grant_table *gt,
                                      grant_handle_t handle)
{
    uint64_t page = handle / RECORDS_PER_PAGE;

    if (page >= gt->record_pages) {
        return NULL;
    }
    page = index_nospec(page, gt->record_pages);
    return &gt->record[page][handle % RECORDS_PER_PAGE];
}

/* Put a page of new records on the free list.  Lock held. */
static bool records_add(struct grant_table *gt)
{
    grant_handle_t first =
        (grant_handle_t)(gt->record_pages * RECORDS_PER_PAGE);
    struct grant_record *page;

    if (gt->record_pages == gt->max_record_pages) {
        return false;
    }
    if (gt->record == NULL) {
        gt->record = heap_alloc(gt->max_record_pages * sizeof(*gt->record));
        if (gt->record == NULL) {
            return false;
        }
    }
    page = hv_page_alloc();
    if (page == NULL) {
        return false;
    }
    for (unsigned int i = 0; i < RECORDS_PER_PAGE; i++) {
        page[i].ref = i + 1 < RECORDS_PER_PAGE ? first + i + 1 : RECORD_NONE;
    }
    gt->record[gt->record_pages++] = page;
    gt->free_record = first;
    return true;
}

static bool record_take(struct grant_table *gt,
                        const struct grant_map_state *state,
                        grant_handle_t *ret_handle)
{
    struct grant_record *r;
    bool found;

    spin_lock(&gt->lock);
    found = gt->free_record != RECORD_NONE || records_add(gt);
    if (found) {
        *ret_handle = gt->free_record;
        r = record_of(gt, gt->free_record);
        gt->free_record = r->ref;
        r->granter = state->granter;
        r->mfn = mfn_x(state->mfn);
        r->ref = state->ref;
        r->flags = state->flags | RECORD_BUSY;
    }
    spin_unlock(&gt->lock);
    return found;
}

/* Lock held. */
static void record_free(struct grant_table *gt, grant_handle_t handle)
{
    struct grant_record *r = record_of(gt, handle);

    r->granter = NULL;
    r->mfn = 0;
    r->flags = 0;
    r->ref = gt->free_record;
    gt->free_record = handle;
}

static unsigned int how_of(uint32_t flags)
{
    return flags & GNTMAP_readonly ? GRANT_READ : GRANT_WRITE;
}

/* What a record stood for goes, too. */
static void use_end(const struct grant_map_state *state)
{
    grant_release(state->granter, state->ref, how_of(state->flags), state->mfn);
    domain_put(state->granter);
}

int16_t grant_map_begin(struct domain *mapper, domid_t granter, grant_ref_t ref,
                        uint32_t flags, struct grant_map_state *ret_state)
{
    struct grant_map_state s = {
        .ref = ref,
        .flags = flags & (MAP_PARTS | GNTMAP_readonly | GNTMAP_contains_pte),
    };
    struct grant_part part;
    int16_t status;

    if ((flags & MAP_PARTS) == 0) {
        return GNTST_bad_gntref;
    }
    s.granter = domain_get(granter);
    if (s.granter == NULL) {
        return GNTST_bad_domain;
    }
    status = grant_acquire(s.granter, mapper->domid, ref, how_of(flags), &part);
    s.mfn = part.mfn;
    if (status != GNTST_okay) {
        domain_put(s.granter);
        return status;
    }
    if (!record_take(mapper->grants, &s, &s.handle)) {
        use_end(&s);
        return GNTST_no_space;
    }
    *ret_state = s;
    return GNTST_okay;
}

void grant_map_commit(struct domain *mapper,
                      const struct grant_map_state *state)
{
    struct grant_record *r = record_of(mapper->grants, state->handle);

    /* Without the lock: RECORD_BUSY made it ours; nobody else writes it. */
    __atomic_store_n(&r->flags, r->flags & ~RECORD_BUSY, __ATOMIC_RELEASE);
}

void grant_map_abort(struct domain *mapper, const struct grant_map_state *state)
{
    struct grant_table *gt = mapper->grants;

    spin_lock(&gt->lock);
    record_free(gt, state->handle);
    spin_unlock(&gt->lock);
    use_end(state);
}

int16_t grant_unmap_begin(struct domain *mapper, grant_handle_t handle,
                          struct grant_map_state *ret_state)
{
    struct grant_table *gt = mapper->grants;
    struct grant_record *r;
    int16_t status = GNTST_bad_handle;

    spin_lock(&gt->lock);
    r = record_of(gt, handle);
    if (r != NULL && r->granter != NULL && !(r->flags & RECORD_BUSY)) {
        *ret_state = (struct grant_map_state){
            .granter = r->granter,
            .handle = handle,
            .ref = r->ref,
            .mfn = mfn(r->mfn),
            .flags = r->flags,
        };
        r->flags |= RECORD_BUSY;
        status = GNTST_okay;
    }
    spin_unlock(&gt->lock);
    return status;
}

void grant_unmap_end(struct domain *mapper, grant_handle_t handle,
                     uint32_t gone)
{
    struct grant_table *gt = mapper->grants;
    struct grant_map_state s UNINITIALISED;
    struct grant_record *r;
    bool is_last;

    spin_lock(&gt->lock);
    r = record_of(gt, handle);
    r->flags &= ~(RECORD_BUSY | (gone & MAP_PARTS));
    is_last = (r->flags & MAP_PARTS) == 0;
    if (is_last) {
        s.granter = r->granter;
        s.ref = r->ref;
        s.mfn = mfn(r->mfn);
        s.flags = r->flags;
        record_free(gt, handle);
    }
    spin_unlock(&gt->lock);
    if (is_last) {
        use_end(&s);
    }
}

/* ---- caches -------------------------------------------------------------- */

#define CACHE_LINE_BYTES 64U

static int lines_flush(mfn_t m, const struct gnttab_cache_flush *op)
{
    uint8_t *page = mfn_to_ptr(m);
    unsigned int at = op->offset - op->offset % CACHE_LINE_BYTES;

    if (!(op->op & GNTTAB_CACHE_CLEAN)) {
        return -EOPNOTSUPP;
    }
    for (; at < (unsigned int)op->offset + op->length; at += CACHE_LINE_BYTES) {
        cache_flush_line(page + at);
    }
    smp_mb(); /* CLFLUSH is ordered with this, not with other stores */
    return 0;
}

/* Does one of these records stand for a mapping of @m?  Lock held. */
static bool records_have(const struct grant_record *page, mfn_t m)
{
    for (unsigned int i = 0; i < RECORDS_PER_PAGE; i++) {
        if (page[i].granter != NULL && page[i].mfn == mfn_x(m)) {
            return true;
        }
    }
    return false;
}

/* A page of records at a time. */
static int foreign_flush(struct grant_table *gt, mfn_t m,
                         const struct gnttab_cache_flush *op, uint32_t *cursor,
                         bool (*should_stop)(void))
{
    bool found = false;
    int rc = -EINVAL;

    for (;;) {
        spin_lock(&gt->lock);
        if (*cursor >= gt->record_pages) {
            spin_unlock(&gt->lock);
            return rc;
        }
        found = records_have(gt->record[*cursor], m);
        if (found) {
            rc = lines_flush(m, op); /* the record keeps the frame */
        }
        spin_unlock(&gt->lock);
        if (found) {
            return rc;
        }
        (*cursor)++;
        if (should_stop()) {
            return -ERESTART;
        }
    }
}

int grant_cache_flush(struct domain *d, const struct gnttab_cache_flush *op,
                      uint32_t *cursor, bool (*should_stop)(void))
{
    mfn_t m = maddr_to_mfn(op->a.dev_bus_addr);
    int rc;

    if (op->offset >= PAGE_SIZE || op->length > PAGE_SIZE - op->offset) {
        return -EINVAL;
    }
    if (op->length == 0 || op->op == 0) {
        return 0;
    }
    if (op->op & GNTTAB_CACHE_SOURCE_GREF) {
        return -EOPNOTSUPP;
    }
    if ((op->op & ~(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL)) ||
        !mfn_valid(m)) {
        return -EINVAL;
    }
    if (frame_use_hold(m, d->domid, false) == 0) {
        rc = lines_flush(m, op);
        frame_use_release(m, false);
        return rc;
    }
    if (READ_ONCE(frame_of(m)->owner) >= DOMID_FIRST_RESERVED) {
        return -EPERM;
    }
    return foreign_flush(d->grants, m, op, cursor, should_stop);
}

/* A page of records at a time: a dying domain's go. */
unsigned int grant_count(struct domain *d, unsigned int *ret_mapped)
{
    struct grant_table *gt = d->grants;
    unsigned int mapped = 0, pages = READ_ONCE(gt->record_pages);

    for (unsigned int page = 0; page < pages; page++) {
        spin_lock(&gt->lock);
        for (unsigned int i = 0;
             page < gt->record_pages && i < RECORDS_PER_PAGE; i++) {
            mapped += gt->record[page][i].granter != NULL;
        }
        spin_unlock(&gt->lock);
    }
    *ret_mapped = mapped;
    return READ_ONCE(gt->pinned);
}

/* Pages of records between two questions whether to stop. */
#define PAGES_PER_STEP 32

/*
 * All records are free, and none of its vcpus runs: nobody takes one any more.
 * The lock is for grant_count().
 */
static int record_pages_free(struct grant_table *gt, bool (*should_stop)(void))
{
    while (gt->record_pages != 0) {
        struct grant_record *page;

        spin_lock(&gt->lock);
        gt->free_record = RECORD_NONE;
        gt->record_pages--;
        page = gt->record[gt->record_pages];
        spin_unlock(&gt->lock);
        hv_page_free(page);
        if (gt->record_pages % PAGES_PER_STEP == 0 && should_stop != NULL &&
            should_stop()) {
            break;
        }
    }
    return gt->record_pages != 0 ? -ERESTART : 0;
}

int grant_domain_destroy(struct domain *d, bool (*should_stop)(void))
{
    struct grant_table *gt = d->grants;

    if (gt == NULL) {
        return 0;
    }
    while (gt->destroy_next < gt->record_pages * RECORDS_PER_PAGE) {
        grant_handle_t handle = gt->destroy_next++;
        struct grant_map_state s = {.granter = NULL};
        struct grant_record *r;

        spin_lock(&gt->lock);
        r = record_of(gt, handle);
        if (r->granter != NULL) {
            s.granter = r->granter;
            s.ref = r->ref;
            s.mfn = mfn(r->mfn);
            s.flags = r->flags;
            record_free(gt, handle);
        }
        spin_unlock(&gt->lock);
        if (s.granter != NULL) {
            gt->destroy_released++;
            use_end(&s);
        }
        if (handle % 32 == 31 && should_stop != NULL && should_stop()) {
            break;
        }
    }
    if (gt->destroy_next < gt->record_pages * RECORDS_PER_PAGE) {
        return -ERESTART;
    }
    /* Once, however many steps it took. */
    if (gt->destroy_released != 0) {
        pr_warn("domain: d%u died with %u grants mapped; released", d->domid,
                gt->destroy_released);
        gt->destroy_released = 0;
    }
    return record_pages_free(gt, should_stop);
}
