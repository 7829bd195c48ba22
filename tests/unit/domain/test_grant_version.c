/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_version.c: the change of version, and status frames.
 */
#include "tests/unit/domain/grant_machine.h"

#include "lib/errno.h"

#define R GTF_reading
#define W GTF_writing

/* ---- the change of version ------------------------------------------------- */

static void versions_are_1_and_2(void **state)
{
    unsigned int frames, max;

    (void)state;
    assert_int_equal(grant_version(&dom_a), 1);
    assert_int_equal(grant_set_version(&dom_a, 0), -EINVAL);
    assert_int_equal(grant_set_version(&dom_a, 3), -EINVAL);
    assert_int_equal(grant_set_version(&dom_a, 1), 0);
    grant_status_size(&dom_a, &frames, &max);
    assert_int_equal(frames + max, 0);
    assert_int_equal(grant_set_version(&dom_a, 2), 0);
    assert_int_equal(grant_version(&dom_a), 2);
    assert_int_equal(grant_set_version(&dom_a, 2), 0);
    grant_status_size(&dom_a, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(max, 1); /* four frames of entries need no more */
    assert_int_equal(hv_shared, 2);
    assert_int_equal(grant_set_version(&dom_a, 1), 0);
    assert_int_equal(hv_shared, 1);
    dom_a.grants->max_version = 1;
    assert_int_equal(grant_set_version(&dom_a, 2), -ENOSYS);
    assert_int_equal(grant_version(&dom_a), 1);
}

static void a_table_without_frames_changes_too(void **state)
{
    unsigned int frames, max;
    mfn_t m;

    (void)state;
    assert_int_equal(grant_set_version(&dom_b, 2), 0);
    assert_int_equal(hv_shared, 1); /* a's */
    grant_status_size(&dom_b, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(max, 8);
    assert_int_equal(grant_status_frame(&dom_b, 0, &m), 0);
    full2(&dom_b, 9, dom_a.domid, 0, 16);
    assert_int_equal(grant_set_version(&dom_b, 1), 0);
}

static void first_entries_are_kept_in_use(void **state)
{
    struct grant_part r, w;

    (void)state;
    grant(0, 0, 3);
    grant(1, GTF_readonly, 4);
    grant(7, 0, 5);
    grant(8, 0, 6); /* not one of the first */
    assert_int_equal(grant_acquire(&dom_a, 2, 0, GRANT_WRITE, &w), GNTST_okay);
    assert_int_equal(grant_acquire(&dom_a, 2, 1, GRANT_READ, &r), GNTST_okay);
    assert_int_equal(grant_set_version(&dom_a, 2), 0);

    assert_int_equal(entry2(&dom_a, 0)->hdr.flags, GTF_permit_access);
    assert_int_equal(entry2(&dom_a, 0)->hdr.domid, 2);
    assert_int_equal(entry2(&dom_a, 0)->full_page.frame, 3);
    assert_int_equal(*status2(&dom_a, 0), R | W);
    assert_int_equal(entry2(&dom_a, 1)->hdr.flags,
                     GTF_permit_access | GTF_readonly);
    assert_int_equal(*status2(&dom_a, 1), R);
    assert_int_equal(entry2(&dom_a, 7)->full_page.frame, 5);
    assert_int_equal(*status2(&dom_a, 7), 0);
    assert_int_equal(entry2(&dom_a, 8)->hdr.flags, 0);

    /* One is given back now, the other one in version 1 again. */
    grant_release(&dom_a, 1, GRANT_READ, r.mfn);
    assert_int_equal(*status2(&dom_a, 1), 0);
    assert_int_equal(grant_set_version(&dom_a, 1), 0);
    assert_int_equal(entry(0)->flags, GTF_permit_access | R | W);
    assert_int_equal(entry(0)->frame, 3);
    assert_int_equal(entry(1)->flags, GTF_permit_access | GTF_readonly);
    assert_int_equal(entry(8)->flags, 0);
    grant_release(&dom_a, 0, GRANT_WRITE, w.mfn);
    assert_int_equal(entry(0)->flags, GTF_permit_access);
}

static void others_must_not_be_in_use(void **state)
{
    struct grant_part p;

    (void)state;
    assert_int_equal(grant_table_grow(&dom_a, 4), 0);
    grant(8, 0, 3);
    grant(2047, 0, 3);
    for (grant_ref_t ref = 8; ref < 4096; ref = ref == 8 ? 2047 : 9999) {
        assert_int_equal(grant_acquire(&dom_a, 2, ref, GRANT_READ, &p),
                         GNTST_okay);
        assert_int_equal(grant_set_version(&dom_a, 2), -EBUSY);
        assert_int_equal(entry(ref)->flags, GTF_permit_access | R);
        grant_release(&dom_a, ref, GRANT_READ, p.mfn);
        assert_int_equal(entry(ref)->flags, GTF_permit_access);
    }
    assert_int_equal(grant_set_version(&dom_a, 2), 0);
    assert_int_equal(grant_acquire(&dom_a, 2, 1023, GRANT_READ, &p),
                     GNTST_general_error); /* cleared */
    assert_int_equal(grant_acquire(&dom_a, 2, 1024, GRANT_READ, &p),
                     GNTST_bad_gntref); /* half as many */
    full2(&dom_a, 1023, 2, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, 2, 1023, GRANT_WRITE, &p),
                     GNTST_okay);
    assert_int_equal(*status2(&dom_a, 1023), R | W);
    assert_int_equal(grant_set_version(&dom_a, 1), -EBUSY);
    grant_release(&dom_a, 1023, GRANT_WRITE, p.mfn);
    assert_int_equal(*status2(&dom_a, 1023), 0);
}

static void some_entries_do_not_fit_version_1(void **state)
{
    (void)state;
    to_version_2(&dom_a);
    full2(&dom_a, 7, 2, 0, 1UL << 32);
    assert_int_equal(grant_set_version(&dom_a, 1), -ERANGE);
    via2(&dom_a, 7, 2, 3, 9);
    assert_int_equal(grant_set_version(&dom_a, 1), -ERANGE);
    part2(&dom_a, 7, 2, 0, 3, 0, 8); /* or it would be the whole frame's */
    assert_int_equal(grant_set_version(&dom_a, 1), -ERANGE);
    full2(&dom_a, 7, 2, 0, (1UL << 32) - 1);
    via2(&dom_a, 8, 2, 3, 9);
    assert_int_equal(grant_set_version(&dom_a, 1), 0);
    assert_int_equal(entry(7)->frame, UINT32_MAX);
    assert_int_equal(entry(8)->flags, 0);
}

static void status_frames_a_guest_maps_stay(void **state)
{
    (void)state;
    to_version_2(&dom_a);
    full2(&dom_a, 9, 2, 0, 3);
    used_page = dom_a.grants->status[0];
    assert_int_equal(grant_set_version(&dom_a, 1), -EBUSY);
    assert_int_equal(grant_version(&dom_a), 2);
    assert_int_equal(entry2(&dom_a, 9)->hdr.flags, GTF_permit_access);
    used_page = NULL;
    assert_int_equal(grant_set_version(&dom_a, 1), 0);
}

static void without_memory_nothing_changes(void **state)
{
    struct grant_part p;

    (void)state;
    grant(0, 0, 4);
    grant(9, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, 2, 0, GRANT_WRITE, &p), GNTST_okay);
    hv_left = 0;
    assert_int_equal(grant_set_version(&dom_a, 2), -ENOMEM);
    assert_int_equal(grant_version(&dom_a), 1);
    assert_int_equal(entry(0)->flags, GTF_permit_access | R | W);
    assert_int_equal(entry(9)->flags, GTF_permit_access);
    grant_release(&dom_a, 0, GRANT_WRITE, p.mfn);
    assert_int_equal(entry(0)->flags, GTF_permit_access);
    hv_left = 1; /* a frame of status, but not one of entries */
    assert_int_equal(grant_set_version(&dom_a, 2), 0);
    assert_int_equal(grant_table_grow(&dom_a, 2), -ENOMEM);
    hv_left = 1;
    assert_int_equal(grant_table_grow(&dom_a, 2), 0);
}

static void status_frames_come_with_the_entries(void **state)
{
    unsigned int frames, max;
    struct grant_part p;
    mfn_t m;

    (void)state;
    assert_int_equal(grant_status_frame(&dom_c, 0, &m),
                     -EINVAL); /* version 1 */
    to_version_2(&dom_c);
    assert_int_equal(grant_table_grow(&dom_c, 8), 0);
    grant_status_size(&dom_c, &frames, &max);
    assert_int_equal(frames, 1);
    assert_int_equal(max, 8);
    assert_int_equal(grant_table_grow(&dom_c, 9), 0);
    grant_status_size(&dom_c, &frames, &max);
    assert_int_equal(frames, 2);
    full2(&dom_c, 2048, 2, 0, 32);
    assert_int_equal(grant_acquire(&dom_c, 2, 2048, GRANT_READ, &p),
                     GNTST_okay);
    assert_int_equal(grant_status_frame(&dom_c, 1, &m), 0);
    assert_int_equal(*(grant_status_t *)mfn_to_ptr(m), R);
    grant_release(&dom_c, 2048, GRANT_READ, p.mfn);
    /* By asking for one. */
    assert_int_equal(grant_status_frame(&dom_c, 7, &m), 0);
    grant_table_size(&dom_c, &frames, &max);
    assert_int_equal(frames, 57);
    assert_int_equal(grant_status_frame(&dom_c, 8, &m), -EINVAL);
    assert_int_equal(grant_table_grow(&dom_c, 64), 0);
    assert_int_equal(grant_table_grow(&dom_c, 65), -EINVAL);
    dom_c.state = DOMAIN_DYING;
    assert_int_equal(grant_status_frame(&dom_c, 7, &m), 0); /* is there */
}

/* What a vcpu finds while another one is at a change. */
static void between_two_versions(void **state)
{
    struct gnttab_copy op = {
        .source = {.u.ref = 9, .domid = 1},
        .dest = {.u.gmfn = 16, .domid = DOMID_SELF},
        .len = 8,
        .flags = GNTCOPY_source_gref,
    };
    struct grant_map_state s;
    struct grant_part p;
    mfn_t m;

    (void)state;
    grant(0, 0, 3);
    grant(9, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, 2, 0, GRANT_WRITE, &p), GNTST_okay);
    dom_a.grants->version = VERSION_NONE;
    assert_int_equal(grant_map_begin(&dom_b, 1, 9, GNTMAP_host_map, &s),
                     GNTST_eagain);
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_eagain);
    assert_int_equal(grant_swap(&dom_a, 9, 10), GNTST_eagain);
    assert_int_equal(grant_set_version(&dom_a, 2), -EBUSY);
    assert_int_equal(grant_table_grow(&dom_a, 2), -EBUSY);
    assert_int_equal(grant_table_frame(&dom_a, 0, &m), 0);
    assert_int_equal(grant_seed(&dom_a, 1, 2, mfn(3)), -EINVAL);
    grant_release(&dom_a, 0, GRANT_WRITE, p.mfn);
    assert_int_equal(entry(0)->flags, GTF_permit_access | R | W);
    dom_a.grants->version = 1;
}

#define T(f) cmocka_unit_test_setup_teardown(f, grant_setup, grant_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(versions_are_1_and_2),
        T(a_table_without_frames_changes_too),
        T(first_entries_are_kept_in_use),
        T(others_must_not_be_in_use),
        T(some_entries_do_not_fit_version_1),
        T(status_frames_a_guest_maps_stay),
        T(without_memory_nothing_changes),
        T(status_frames_come_with_the_entries),
        T(between_two_versions),
    };

    return cmocka_run_group_tests(tests, grant_group_setup, NULL);
}
