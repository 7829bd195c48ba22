/* SPDX-License-Identifier: MIT */
/*
 * domain/grant*.c: entry flags as the granter sees them, records of mappings,
 * copies, the death of either side.
 */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "lib/errno.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "domain/frame_use.h"
#include "domain/grant.h"
#include "domain/grant_impl.h"
#include "fake_hw.h"

/* Frames 0-15 belong to a, 16-31 to b, 32- are the hypervisor's pages. */
#define PAGES    256
#define FIRST_HV 32

static struct domain a, b;
static int readers[PAGES], writers[PAGES];
static unsigned int next_hv, hv_shared;
static bool a_is_known;

/* ---- what the code under test calls ------------------------------------ */

void *heap_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

void *hv_page_alloc(void)
{
    return next_hv < PAGES ? mfn_to_ptr(mfn(next_hv++)) : NULL;
}

void hv_page_free(void *p)
{
    (void)p;
}

void account_share_hv_page(struct domain *d, void *p)
{
    (void)d;
    (void)p;
    hv_shared++;
}

void account_unshare_hv_page(void *p)
{
    (void)p;
    assert_true(hv_shared > 0);
    hv_shared--;
}

int frame_use_hold(mfn_t m, domid_t owner, bool writable)
{
    uint64_t n = mfn_x(m);

    if (n >= FIRST_HV || owner != (n < 16 ? a.domid : b.domid)) {
        return -EINVAL;
    }
    if (writable) {
        writers[n]++;
    } else {
        readers[n]++;
    }
    return 0;
}

void frame_use_release(mfn_t m, bool writable)
{
    int *count = writable ? &writers[mfn_x(m)] : &readers[mfn_x(m)];

    assert_true(*count > 0);
    (*count)--;
}

struct domain *domain_get(domid_t domid)
{
    struct domain *d = domid == a.domid && a_is_known ? &a
                       : domid == b.domid             ? &b
                                                      : NULL;

    if (d != NULL) {
        d->refs++;
    }
    return d;
}

void domain_put(struct domain *d)
{
    assert_true(d->refs > 1);
    d->refs--;
}

/* ---- set-up -------------------------------------------------------------- */

static int group_setup(void **state)
{
    void *want = (void *)DIRECTMAP_VA;

    (void)state;
    assert_ptr_equal(mmap(want, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                          0),
                     want);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(mfn_to_ptr(mfn(0)), 0, PAGES * PAGE_SIZE);
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    a.domid = 1;
    b.domid = 2;
    a.refs = b.refs = 1;
    a.state = b.state = DOMAIN_RUNNING;
    next_hv = FIRST_HV;
    hv_shared = 0;
    a_is_known = true;
    assert_int_equal(grant_domain_init(&a, 4, -1), 0);
    assert_int_equal(grant_domain_init(&b, -1, 1), 0);
    assert_int_equal(hv_shared, 0); /* on demand */
    assert_int_equal(grant_table_grow(&a, 1), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(grant_domain_destroy(&b, NULL), 0);
    assert_int_equal(grant_domain_destroy(&a, NULL), 0);
    assert_int_equal(a.refs, 1);
    assert_int_equal(b.refs, 1);
    for (unsigned int i = 0; i < PAGES; i++) {
        assert_int_equal(readers[i] + writers[i], 0);
    }
    grant_domain_free(&a);
    grant_domain_free(&b);
    assert_int_equal(hv_shared, 0);
    return 0;
}

static grant_entry_v1_t *entry(grant_ref_t ref)
{
    return &a.grants->shared[ref / 512][ref % 512];
}

static void grant(grant_ref_t ref, uint16_t flags, uint32_t frame)
{
    entry(ref)->domid = b.domid;
    entry(ref)->frame = frame;
    entry(ref)->flags = GTF_permit_access | flags;
}

/* ---- entries -------------------------------------------------------------- */

static void flags_follow_the_uses(void **state)
{
    mfn_t m;

    (void)state;
    grant(5, 0, 3);
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m), GNTST_okay);
    assert_int_equal(mfn_x(m), 3);
    assert_int_equal(entry(5)->flags, GTF_permit_access | GTF_reading);
    assert_int_equal(grant_acquire(&a, b.domid, 5, false, &m), GNTST_okay);
    assert_int_equal(entry(5)->flags,
                     GTF_permit_access | GTF_reading | GTF_writing);
    assert_int_equal(readers[3], 1);
    assert_int_equal(writers[3], 1);
    /* The granter may not move the frame under a user. */
    entry(5)->frame = 4;
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m), GNTST_okay);
    assert_int_equal(mfn_x(m), 3);
    grant_release(&a, 5, true, m);
    grant_release(&a, 5, false, m);
    assert_int_equal(entry(5)->flags, GTF_permit_access | GTF_reading);
    grant_release(&a, 5, true, m);
    assert_int_equal(entry(5)->flags, GTF_permit_access);
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m), GNTST_okay);
    assert_int_equal(mfn_x(m), 4);
    grant_release(&a, 5, true, m);
}

static void entries_refuse(void **state)
{
    mfn_t m;

    (void)state;
    assert_int_equal(grant_acquire(&a, b.domid, 512, true, &m),
                     GNTST_bad_gntref);
    assert_int_equal(grant_acquire(&a, b.domid, ~0U, true, &m),
                     GNTST_bad_gntref);
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m),
                     GNTST_general_error); /* not granted */
    grant(5, GTF_readonly, 3);
    assert_int_equal(grant_acquire(&a, b.domid, 5, false, &m),
                     GNTST_general_error);
    assert_int_equal(grant_acquire(&a, 7, 5, true, &m), GNTST_general_error);
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m), GNTST_okay);
    /* A reader does not become a writer because it is one already. */
    assert_int_equal(grant_acquire(&a, b.domid, 5, false, &m),
                     GNTST_general_error);
    grant_release(&a, 5, true, m);
    entry(5)->flags = GTF_accept_transfer;
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m),
                     GNTST_general_error);
    grant(5, 0, 20); /* b's frame, not a's */
    assert_int_equal(grant_acquire(&a, b.domid, 5, false, &m), GNTST_bad_page);
    assert_int_equal(entry(5)->flags, GTF_permit_access); /* nothing stays */
    grant(5, 0, 3);
    a.state = DOMAIN_DYING;
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m), GNTST_bad_domain);
}

static void first_frame_comes_on_demand(void **state)
{
    unsigned int frames, max;
    mfn_t m;

    (void)state;
    grant_table_size(&b, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(hv_shared, 1); /* a's */
    assert_int_equal(grant_acquire(&b, a.domid, 512, true, &m),
                     GNTST_bad_gntref);
    assert_int_equal(hv_shared, 1);
    assert_int_equal(grant_acquire(&b, a.domid, 5, true, &m),
                     GNTST_general_error); /* not granted */
    assert_int_equal(hv_shared, 2);
}

static void another_domain_cannot_join_a_use(void **state)
{
    mfn_t m;

    (void)state;
    grant(5, 0, 3);
    assert_int_equal(grant_acquire(&a, b.domid, 5, true, &m), GNTST_okay);
    entry(5)->domid = 9; /* the granter changes its mind meanwhile */
    assert_int_equal(grant_acquire(&a, 9, 5, true, &m), GNTST_general_error);
    grant_release(&a, 5, true, mfn(3));
    assert_int_equal(entry(5)->flags, GTF_permit_access);
}

static void table_grows_to_its_limit(void **state)
{
    unsigned int frames, max;
    mfn_t m;

    (void)state;
    grant_table_size(&a, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(max, 4);
    assert_int_equal(grant_table_frame(&a, 3, &m), 0);
    grant_table_size(&a, &frames, &max);
    assert_int_equal(frames, 4);
    assert_int_equal(grant_table_frame(&a, 4, &m), -EINVAL);
    assert_int_equal(grant_table_grow(&a, 5), -EINVAL);
    assert_int_equal(hv_shared, 4);
    grant(2047, 0, 3);
    assert_int_equal(grant_acquire(&a, b.domid, 2047, true, &m), GNTST_okay);
    grant_release(&a, 2047, true, m);
    a.state = DOMAIN_DYING;
    assert_int_equal(grant_table_grow(&a, 4), -EINVAL);
}

static void seeds_and_swaps(void **state)
{
    mfn_t m;

    (void)state;
    assert_int_equal(grant_seed(&a, 1, b.domid, mfn(6)), 0);
    assert_int_equal(grant_seed(&a, 512, b.domid, mfn(6)), -EINVAL);
    assert_int_equal(grant_swap(&a, 1, 2), GNTST_okay);
    assert_int_equal(entry(1)->flags, 0);
    assert_int_equal(entry(2)->frame, 6);
    assert_int_equal(grant_acquire(&a, b.domid, 2, false, &m), GNTST_okay);
    assert_int_equal(grant_swap(&a, 1, 2), GNTST_eagain);
    grant_release(&a, 2, false, m);
    assert_int_equal(grant_swap(&a, 1, 9999), GNTST_bad_gntref);
}

/* ---- mappings -------------------------------------------------------------- */

static void mappings_have_a_life(void **state)
{
    struct grant_map_state s, u;

    (void)state;
    grant(7, 0, 3);
    assert_int_equal(grant_map_begin(&b, a.domid, 7, GNTMAP_readonly, &s),
                     GNTST_bad_gntref); /* neither host nor device */
    assert_int_equal(grant_map_begin(&b, 77, 7, GNTMAP_host_map, &s),
                     GNTST_bad_domain);
    assert_int_equal(grant_map_begin(&b, a.domid, 7, GNTMAP_host_map, &s),
                     GNTST_okay);
    assert_int_equal(a.refs, 2);
    /* Not to be found before it is complete. */
    assert_int_equal(grant_unmap_begin(&b, s.handle, &u), GNTST_bad_handle);
    grant_map_commit(&b, &s);
    assert_int_equal(grant_unmap_begin(&b, s.handle, &u), GNTST_okay);
    assert_int_equal(mfn_x(u.mfn), 3);
    assert_ptr_equal(u.granter, &a);
    assert_int_equal(grant_unmap_begin(&b, s.handle, &u), GNTST_bad_handle);
    grant_unmap_end(&b, &u, 0); /* could not be taken down: stays */
    assert_int_equal(writers[3], 1);
    /* The granter dies meanwhile; the unmap works all the same. */
    a.state = DOMAIN_DYING;
    a_is_known = false;
    assert_int_equal(grant_unmap_begin(&b, s.handle, &u), GNTST_okay);
    grant_unmap_end(&b, &u, GNTMAP_host_map);
    assert_int_equal(writers[3], 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access);
    assert_int_equal(a.refs, 1);
    assert_int_equal(grant_unmap_begin(&b, s.handle, &u), GNTST_bad_handle);
    assert_int_equal(grant_unmap_begin(&b, ~0U, &u), GNTST_bad_handle);
}

static void both_parts_must_go(void **state)
{
    struct grant_map_state s;

    (void)state;
    grant(7, 0, 3);
    assert_int_equal(grant_map_begin(&b, a.domid, 7,
                                     GNTMAP_host_map | GNTMAP_device_map, &s),
                     GNTST_okay);
    grant_map_commit(&b, &s);
    assert_int_equal(grant_unmap_begin(&b, s.handle, &s), GNTST_okay);
    grant_unmap_end(&b, &s, GNTMAP_host_map);
    assert_int_equal(writers[3], 1);
    assert_int_equal(grant_unmap_begin(&b, s.handle, &s), GNTST_okay);
    assert_int_equal(s.flags & (GNTMAP_host_map | GNTMAP_device_map),
                     GNTMAP_device_map);
    grant_unmap_end(&b, &s, GNTMAP_device_map);
    assert_int_equal(writers[3], 0);
}

static void records_run_out_and_come_back(void **state)
{
    struct grant_map_state s[RECORDS_PER_PAGE], one;
    unsigned int i;

    (void)state;
    grant(7, 0, 3);
    for (i = 0; i < RECORDS_PER_PAGE; i++) {
        assert_int_equal(
            grant_map_begin(&b, a.domid, 7, GNTMAP_host_map, &s[i]),
            GNTST_okay);
        grant_map_commit(&b, &s[i]);
    }
    assert_int_equal(grant_map_begin(&b, a.domid, 7, GNTMAP_host_map, &one),
                     GNTST_no_space);
    assert_int_equal(writers[3], RECORDS_PER_PAGE);
    assert_int_equal(grant_unmap_begin(&b, s[9].handle, &one), GNTST_okay);
    grant_unmap_end(&b, &one, GNTMAP_host_map);
    assert_int_equal(grant_map_begin(&b, a.domid, 7, GNTMAP_host_map, &one),
                     GNTST_okay);
    assert_int_equal(one.handle, s[9].handle);
    grant_map_abort(&b, &one);
    assert_int_equal(writers[3], RECORDS_PER_PAGE - 1);
    /* teardown: b dies with the rest mapped */
}

static bool stop_always(void)
{
    return true;
}

static void death_of_a_mapper_is_a_step_at_a_time(void **state)
{
    struct grant_map_state s;
    unsigned int steps = 0;

    (void)state;
    grant(7, 0, 3);
    for (unsigned int i = 0; i < 150; i++) {
        assert_int_equal(grant_map_begin(&b, a.domid, 7,
                                         GNTMAP_host_map | GNTMAP_readonly, &s),
                         GNTST_okay);
        grant_map_commit(&b, &s);
    }
    b.state = DOMAIN_DYING;
    while (grant_domain_destroy(&b, stop_always) == -ERESTART) {
        steps++;
    }
    assert_true(steps >= 2);
    assert_int_equal(readers[3], 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access);
}

/* ---- copies ----------------------------------------------------------------- */

static uint8_t *byte(unsigned int frame, unsigned int offset)
{
    return (uint8_t *)mfn_to_ptr(mfn(frame)) + offset;
}

static void copies(void **state)
{
    struct gnttab_copy op = {
        .source = {.u.ref = 7, .domid = 1, .offset = 100},
        .dest = {.u.gmfn = 20, .domid = DOMID_SELF, .offset = 4000},
        .len = 96,
        .flags = GNTCOPY_source_gref,
    };

    (void)state;
    grant(7, GTF_readonly, 3);
    memset(byte(3, 100), 0x5a, 96);
    assert_int_equal(grant_copy(&b, &op), GNTST_okay);
    assert_memory_equal(byte(20, 4000), byte(3, 100), 96);
    assert_int_equal(*byte(20, 3999), 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access | GTF_readonly);

    op.len = 97;
    assert_int_equal(grant_copy(&b, &op), GNTST_bad_copy_arg);
    op.len = 0xffff;
    op.source.offset = op.dest.offset = 0xffff;
    assert_int_equal(grant_copy(&b, &op), GNTST_bad_copy_arg);

    op.source.offset = op.dest.offset = 0;
    op.len = 8;
    op.dest.u.gmfn = 3; /* not b's */
    assert_int_equal(grant_copy(&b, &op), GNTST_bad_page);
    op.dest.domid = a.domid; /* a frame of another domain without a grant */
    assert_int_equal(grant_copy(&b, &op), GNTST_permission_denied);
    op.flags |= GNTCOPY_dest_gref; /* read-only */
    op.dest.u.ref = 7;
    assert_int_equal(grant_copy(&b, &op), GNTST_general_error);
    op.dest.domid = 99;
    assert_int_equal(grant_copy(&b, &op), GNTST_bad_domain);
}

static void copies_within_a_frame_may_overlap(void **state)
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = 20, .domid = DOMID_SELF, .offset = 0},
        .dest = {.u.gmfn = 20, .domid = DOMID_SELF, .offset = 1},
        .len = 16,
    };

    (void)state;
    for (unsigned int i = 0; i < 16; i++) {
        *byte(20, i) = (uint8_t)i;
    }
    assert_int_equal(grant_copy(&b, &op), GNTST_okay);
    for (unsigned int i = 0; i < 16; i++) {
        assert_int_equal(*byte(20, i + 1), i);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(flags_follow_the_uses),
        T(entries_refuse),
        T(first_frame_comes_on_demand),
        T(another_domain_cannot_join_a_use),
        T(table_grows_to_its_limit),
        T(seeds_and_swaps),
        T(mappings_have_a_life),
        T(both_parts_must_go),
        T(records_run_out_and_come_back),
        T(death_of_a_mapper_is_a_step_at_a_time),
        T(copies),
        T(copies_within_a_frame_may_overlap),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
