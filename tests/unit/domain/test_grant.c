/* SPDX-License-Identifier: MIT */
/*
 * domain/grant*.c, version 1: entry flags as the granter sees them, records of mappings,
 * copies, the death of either side.
 */
#include "tests/unit/domain/grant_machine.h"

#include "lib/errno.h"
#include "tests/fake/fake_printk.h"

/* ---- entries -------------------------------------------------------------- */

static void flags_follow_the_uses(void **state)
{
    struct grant_part m;

    (void)state;
    grant(5, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_okay);
    assert_int_equal(mfn_x(m.mfn), 3);
    assert_int_equal(entry(5)->flags, GTF_permit_access | GTF_reading);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_WRITE, &m),
                     GNTST_okay);
    assert_int_equal(entry(5)->flags,
                     GTF_permit_access | GTF_reading | GTF_writing);
    assert_int_equal(readers[3], 1);
    assert_int_equal(writers[3], 1);
    /* The granter may not move the frame under a user. */
    entry(5)->frame = 4;
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_okay);
    assert_int_equal(mfn_x(m.mfn), 3);
    grant_release(&dom_a, 5, GRANT_READ, m.mfn);
    grant_release(&dom_a, 5, GRANT_WRITE, m.mfn);
    assert_int_equal(entry(5)->flags, GTF_permit_access | GTF_reading);
    grant_release(&dom_a, 5, GRANT_READ, m.mfn);
    assert_int_equal(entry(5)->flags, GTF_permit_access);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_okay);
    assert_int_equal(mfn_x(m.mfn), 4);
    grant_release(&dom_a, 5, GRANT_READ, m.mfn);
}

static void entries_refuse(void **state)
{
    struct grant_part m;

    (void)state;
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 512, GRANT_READ, &m),
                     GNTST_bad_gntref);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, ~0U, GRANT_READ, &m),
                     GNTST_bad_gntref);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_general_error); /* not granted */
    grant(5, GTF_readonly, 3);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_WRITE, &m),
                     GNTST_general_error);
    assert_int_equal(grant_acquire(&dom_a, 7, 5, GRANT_READ, &m),
                     GNTST_general_error);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_okay);
    /* A reader does not become a writer because it is one already. */
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_WRITE, &m),
                     GNTST_general_error);
    grant_release(&dom_a, 5, GRANT_READ, m.mfn);
    entry(5)->flags = GTF_accept_transfer;
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_general_error);
    grant(5, 0, 20); /* b's frame, not a's */
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_WRITE, &m),
                     GNTST_bad_page);
    assert_int_equal(entry(5)->flags, GTF_permit_access); /* nothing stays */
    grant(5, 0, 3);
    dom_a.state = DOMAIN_DYING;
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_bad_domain);
}

static void first_frame_comes_on_demand(void **state)
{
    unsigned int frames, max;
    struct grant_part m;

    (void)state;
    grant_table_size(&dom_b, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(hv_shared, 1); /* a's */
    assert_int_equal(grant_acquire(&dom_b, dom_a.domid, 512, GRANT_READ, &m),
                     GNTST_bad_gntref);
    assert_int_equal(hv_shared, 1);
    assert_int_equal(grant_acquire(&dom_b, dom_a.domid, 5, GRANT_READ, &m),
                     GNTST_general_error); /* not granted */
    assert_int_equal(hv_shared, 2);
}

static void another_domain_cannot_join_a_use(void **state)
{
    struct grant_part m;

    (void)state;
    grant(5, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 5, GRANT_READ, &m),
                     GNTST_okay);
    entry(5)->domid = 9; /* the granter changes its mind meanwhile */
    assert_int_equal(grant_acquire(&dom_a, 9, 5, GRANT_READ, &m),
                     GNTST_general_error);
    grant_release(&dom_a, 5, GRANT_READ, mfn(3));
    assert_int_equal(entry(5)->flags, GTF_permit_access);
}

static void table_grows_to_its_limit(void **state)
{
    unsigned int frames, max;
    struct grant_part m;

    (void)state;
    grant_table_size(&dom_a, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(max, 4);
    assert_int_equal(grant_table_frame(&dom_a, 3, &m.mfn), 0);
    grant_table_size(&dom_a, &frames, &max);
    assert_int_equal(frames, 4);
    assert_int_equal(grant_table_frame(&dom_a, 4, &m.mfn), -EINVAL);
    assert_int_equal(grant_table_grow(&dom_a, 5), -EINVAL);
    assert_int_equal(hv_shared, 4);
    grant(2047, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 2047, GRANT_READ, &m),
                     GNTST_okay);
    grant_release(&dom_a, 2047, GRANT_READ, m.mfn);
    dom_a.state = DOMAIN_DYING;
    assert_int_equal(grant_table_grow(&dom_a, 4), -EINVAL);
}

static void seeds_and_swaps(void **state)
{
    struct grant_part m;

    (void)state;
    assert_int_equal(grant_seed(&dom_a, 1, dom_b.domid, mfn(6)), 0);
    assert_int_equal(grant_seed(&dom_a, 512, dom_b.domid, mfn(6)), -EINVAL);
    assert_int_equal(grant_swap(&dom_a, 1, 2), GNTST_okay);
    assert_int_equal(entry(1)->flags, 0);
    assert_int_equal(entry(2)->frame, 6);
    assert_int_equal(grant_acquire(&dom_a, dom_b.domid, 2, GRANT_WRITE, &m),
                     GNTST_okay);
    assert_int_equal(grant_swap(&dom_a, 1, 2), GNTST_eagain);
    grant_release(&dom_a, 2, GRANT_WRITE, m.mfn);
    assert_int_equal(grant_swap(&dom_a, 1, 9999), GNTST_bad_gntref);
}

/* ---- mappings -------------------------------------------------------------- */

static void mappings_have_a_life(void **state)
{
    struct grant_map_state s, u;

    (void)state;
    grant(7, 0, 3);
    assert_int_equal(
        grant_map_begin(&dom_b, dom_a.domid, 7, GNTMAP_readonly, &s),
        GNTST_bad_gntref); /* neither host nor device */
    assert_int_equal(grant_map_begin(&dom_b, 77, 7, GNTMAP_host_map, &s),
                     GNTST_bad_domain);
    assert_int_equal(
        grant_map_begin(&dom_b, dom_a.domid, 7, GNTMAP_host_map, &s),
        GNTST_okay);
    assert_int_equal(dom_a.refs, 2);
    /* Not to be found before it is complete. */
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &u), GNTST_bad_handle);
    grant_map_commit(&dom_b, &s);
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &u), GNTST_okay);
    assert_int_equal(mfn_x(u.mfn), 3);
    assert_ptr_equal(u.granter, &dom_a);
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &u), GNTST_bad_handle);
    grant_unmap_end(&dom_b, u.handle, 0); /* could not be taken down: stays */
    assert_int_equal(writers[3], 1);
    /* The granter dies meanwhile; the unmap works all the same. */
    dom_a.state = DOMAIN_DYING;
    a_is_known = false;
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &u), GNTST_okay);
    grant_unmap_end(&dom_b, u.handle, GNTMAP_host_map);
    assert_int_equal(writers[3], 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access);
    assert_int_equal(dom_a.refs, 1);
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &u), GNTST_bad_handle);
    assert_int_equal(grant_unmap_begin(&dom_b, ~0U, &u), GNTST_bad_handle);
}

static void both_parts_must_go(void **state)
{
    struct grant_map_state s;

    (void)state;
    grant(7, 0, 3);
    assert_int_equal(grant_map_begin(&dom_b, dom_a.domid, 7,
                                     GNTMAP_host_map | GNTMAP_device_map, &s),
                     GNTST_okay);
    grant_map_commit(&dom_b, &s);
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &s), GNTST_okay);
    grant_unmap_end(&dom_b, s.handle, GNTMAP_host_map);
    assert_int_equal(writers[3], 1);
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &s), GNTST_okay);
    assert_int_equal(s.flags & (GNTMAP_host_map | GNTMAP_device_map),
                     GNTMAP_device_map);
    grant_unmap_end(&dom_b, s.handle, GNTMAP_device_map);
    assert_int_equal(writers[3], 0);
}

/* b has one frame of Xen's records, which are two pages of ours. */
#define PAGES_OF_B   2
#define RECORDS_OF_B (PAGES_OF_B * RECORDS_PER_PAGE)

static void take_one(struct grant_map_state *ret_state)
{
    assert_int_equal(
        grant_map_begin(&dom_b, dom_a.domid, 7, GNTMAP_host_map, ret_state),
        GNTST_okay);
    grant_map_commit(&dom_b, ret_state);
}

static void give_one(grant_handle_t handle)
{
    struct grant_map_state one;

    assert_int_equal(grant_unmap_begin(&dom_b, handle, &one), GNTST_okay);
    grant_unmap_end(&dom_b, handle, GNTMAP_host_map);
}

static void nothing_left(void)
{
    struct grant_map_state one;
    int uses = writers[3];
    unsigned int refs = dom_a.refs;

    assert_int_equal(
        grant_map_begin(&dom_b, dom_a.domid, 7, GNTMAP_host_map, &one),
        GNTST_no_space);
    assert_int_equal(writers[3], uses);
    assert_int_equal(dom_a.refs, refs);
}

static void records_run_out_and_come_back(void **state)
{
    struct grant_map_state s[RECORDS_OF_B], one;
    unsigned int i;

    (void)state;
    assert_true(RECORDS_OF_B >= MAPTRACK_PER_FRAME);
    grant(7, 0, 3);
    for (i = 0; i < RECORDS_OF_B; i++) {
        take_one(&s[i]);
        for (unsigned int j = 0; j < i; j++) {
            assert_int_not_equal(s[j].handle, s[i].handle);
        }
    }
    nothing_left();
    assert_int_equal(writers[3], RECORDS_OF_B);
    give_one(s[9].handle);
    assert_int_equal(
        grant_map_begin(&dom_b, dom_a.domid, 7, GNTMAP_host_map, &one),
        GNTST_okay);
    assert_int_equal(one.handle, s[9].handle);
    grant_map_abort(&dom_b, &one);
    assert_int_equal(writers[3], RECORDS_OF_B - 1);
    /* All go, and all may come again. */
    for (i = 0; i < RECORDS_OF_B; i++) {
        if (i != 9) {
            give_one(s[i].handle);
        }
    }
    assert_int_equal(writers[3], 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access);
    for (i = 0; i < RECORDS_OF_B; i++) {
        take_one(&s[i]);
    }
    nothing_left();
    assert_int_equal(dom_b.grants->record_pages, PAGES_OF_B);
    /* teardown: b dies with all of them mapped */
}

/* Without memory those that are there stay good; with some it goes on. */
static void records_need_memory(void **state)
{
    struct grant_map_state s[RECORDS_PER_PAGE], one;
    unsigned int left = hv_left, i;

    (void)state;
    grant(7, 0, 3);
    take_one(&s[0]);
    give_one(s[0].handle); /* our side of the entry has its page now */
    hv_left = 0;
    for (i = 0; i < RECORDS_PER_PAGE; i++) {
        take_one(&s[i]);
    }
    nothing_left();
    assert_int_equal(dom_b.grants->record_pages, 1);
    give_one(s[3].handle);
    take_one(&s[3]);
    nothing_left();
    hv_left = left - hv_pages;
    take_one(&one);
    assert_int_equal(dom_b.grants->record_pages, 2);
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
        assert_int_equal(grant_map_begin(&dom_b, dom_a.domid, 7,
                                         GNTMAP_host_map | GNTMAP_readonly, &s),
                         GNTST_okay);
        grant_map_commit(&dom_b, &s);
    }
    dom_b.state = DOMAIN_DYING;
    while (grant_domain_destroy(&dom_b, stop_always) == -ERESTART) {
        steps++;
    }
    assert_true(steps >= 2);
    assert_int_equal(readers[3], 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access);
}

static unsigned int asked, pages_before, pages_at_once;

static bool stop_and_count(void)
{
    pages_at_once = pages_before - hv_pages > pages_at_once
                        ? pages_before - hv_pages
                        : pages_at_once;
    pages_before = hv_pages;
    asked++;
    return true;
}

/* The records go with the mappings: what is left to the end is not much. */
static void records_are_freed_a_step_at_a_time(void **state)
{
    const unsigned int pages = 100;
    struct grant_map_state s;

    (void)state;
    grant(7, 0, 3);
    dom_b.grants->max_record_pages = pages;
    for (unsigned int i = 0; i < pages * RECORDS_PER_PAGE; i++) {
        assert_int_equal(grant_map_begin(&dom_b, dom_a.domid, 7,
                                         GNTMAP_host_map | GNTMAP_readonly, &s),
                         GNTST_okay);
        grant_map_commit(&dom_b, &s);
    }
    pages_before = hv_pages;
    asked = pages_at_once = 0;
    fake_printk_forget();
    fake_printk_count = 0;
    dom_b.state = DOMAIN_DYING;
    while (grant_domain_destroy(&dom_b, stop_and_count) == -ERESTART) {
        unsigned int mapped;

        assert_int_equal(grant_count(&dom_b, &mapped), 0);
    }
    assert_int_equal(dom_b.grants->record_pages, 0);
    assert_int_equal(readers[3], 0);
    assert_in_range(pages_at_once, 1, 32);
    assert_true(asked > pages * RECORDS_PER_PAGE / 64);
    /* However many steps: one line. */
    assert_int_equal(fake_printk_count, 1);
    assert_true(fake_printk_said("d2 died with 17000 grants mapped"));
}

static void table_is_freed_a_few_frames_at_a_time(void **state)
{
    unsigned int budget = 0, calls = 1, frames;

    (void)state;
    assert_int_equal(grant_table_grow(&dom_b, 20), 0);
    to_version_2(&dom_b);
    frames = dom_b.grants->nr_frames + dom_b.grants->nr_status;
    assert_int_equal(grant_domain_destroy(&dom_b, NULL), 0);
    while (!grant_domain_free(&dom_b, &budget)) {
        assert_int_equal(budget, 0);
        assert_int_equal(dom_b.grants->nr_frames + dom_b.grants->nr_status,
                         frames + 4 - 4 * calls);
        calls++;
        budget = 4;
    }
    assert_int_equal(calls, (frames + 3) / 4 + (frames % 4 == 0 ? 0 : 1));
    assert_int_equal(grant_domain_init(&dom_b, -1, 1, 2), 0);
}

/* ---- copies ----------------------------------------------------------------- */

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
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    assert_memory_equal(byte(20, 4000), byte(3, 100), 96);
    assert_int_equal(*byte(20, 3999), 0);
    assert_int_equal(entry(7)->flags, GTF_permit_access | GTF_readonly);

    op.len = 97;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_copy_arg);
    op.len = 0xffff;
    op.source.offset = op.dest.offset = 0xffff;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_copy_arg);

    op.source.offset = op.dest.offset = 0;
    op.len = 8;
    op.dest.u.gmfn = 3; /* not b's */
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_page);
    op.dest.domid = dom_a.domid; /* a frame of another domain without a grant */
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_permission_denied);
    op.flags |= GNTCOPY_dest_gref; /* read-only */
    op.dest.u.ref = 7;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    op.dest.domid = 99;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_domain);
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
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    for (unsigned int i = 0; i < 16; i++) {
        assert_int_equal(*byte(20, i + 1), i);
    }
}

/* ---- caches ------------------------------------------------------------------ */

static bool go_on(void)
{
    return false;
}

static bool stop_at_once(void)
{
    return true;
}

static void caches_of_what_is_mapped(void **state)
{
    const uint32_t both = GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL;
    struct gnttab_cache_flush op = {.offset = 60, .length = 8, .op = both};
    struct grant_map_state s[RECORDS_PER_PAGE + 1];
    unsigned int lines = fake_flushed_lines;
    uint32_t cursor = 0;

    (void)state;
    op.a.dev_bus_addr = 20UL << PAGE_SHIFT; /* b's own */
    assert_int_equal(grant_cache_flush(&dom_b, &op, &cursor, go_on), 0);
    assert_int_equal(fake_flushed_lines - lines, 2);
    op.a.dev_bus_addr = 3UL << PAGE_SHIFT; /* a's */
    assert_int_equal(grant_cache_flush(&dom_b, &op, &cursor, go_on), -EINVAL);
    op.a.dev_bus_addr = (uint64_t)PAGES << PAGE_SHIFT;
    assert_int_equal(grant_cache_flush(&dom_b, &op, &cursor, go_on), -EINVAL);
    op.a.dev_bus_addr = FIRST_HV << PAGE_SHIFT; /* nobody's */
    assert_int_equal(grant_cache_flush(&dom_b, &op, &cursor, go_on), -EPERM);

    /* A page of mappings of another frame before it. */
    grant(7, 0, 4);
    grant(8, 0, 3);
    for (unsigned int i = 0; i <= RECORDS_PER_PAGE; i++) {
        entry(7)->domid = entry(8)->domid = dom_c.domid;
        assert_int_equal(grant_map_begin(&dom_c, dom_a.domid,
                                         i < RECORDS_PER_PAGE ? 7 : 8,
                                         GNTMAP_host_map, &s[i]),
                         GNTST_okay);
        grant_map_commit(&dom_c, &s[i]);
    }
    op.a.dev_bus_addr = 3UL << PAGE_SHIFT;
    cursor = 0;
    lines = fake_flushed_lines;
    assert_int_equal(grant_cache_flush(&dom_c, &op, &cursor, stop_at_once),
                     -ERESTART);
    assert_int_equal(cursor, 1);
    assert_int_equal(grant_cache_flush(&dom_c, &op, &cursor, stop_at_once), 0);
    assert_int_equal(fake_flushed_lines - lines, 2);
    op.op = GNTTAB_CACHE_INVAL;
    assert_int_equal(grant_cache_flush(&dom_c, &op, &cursor, go_on),
                     -EOPNOTSUPP);
    cursor = 99; /* whatever a guest says */
    assert_int_equal(grant_cache_flush(&dom_c, &op, &cursor, go_on), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, grant_setup, grant_teardown)

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
        T(records_need_memory),
        T(death_of_a_mapper_is_a_step_at_a_time),
        T(records_are_freed_a_step_at_a_time),
        T(table_is_freed_a_few_frames_at_a_time),
        T(copies),
        T(copies_within_a_frame_may_overlap),
        T(caches_of_what_is_mapped),
    };

    return cmocka_run_group_tests(tests, grant_group_setup, NULL);
}
