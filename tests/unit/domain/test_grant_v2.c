/* SPDX-License-Identifier: MIT */
/*
 * domain/grant*.c, version 2: entries, mappings, parts of frames, transitive
 * grants.
 */
#include "tests/unit/domain/grant_machine.h"

#include <signal.h>
#include <sys/mman.h>

#include "lib/errno.h"

#define R GTF_reading
#define W GTF_writing

/* ---- entries ---------------------------------------------------------------- */

static void marks_are_in_the_status_frame(void **state)
{
    struct grant_part r, w;

    (void)state;
    to_version_2(&dom_a);
    full2(&dom_a, 9, 2, 0, 3);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &r), GNTST_okay);
    assert_int_equal(*status2(&dom_a, 9), R);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &w), GNTST_okay);
    assert_int_equal(*status2(&dom_a, 9), R | W);
    assert_int_equal(entry2(&dom_a, 9)->hdr.flags, GTF_permit_access);
    grant_release(&dom_a, 9, GRANT_WRITE, w.mfn);
    assert_int_equal(*status2(&dom_a, 9), R);
    /* The granter takes it back: no new writer, and readers keep the frame. */
    entry2(&dom_a, 9)->hdr.flags = 0;
    entry2(&dom_a, 9)->full_page.frame = ~0UL;
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &w),
                     GNTST_general_error);
    assert_int_equal(*status2(&dom_a, 9), R);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &w), GNTST_okay);
    assert_int_equal(mfn_x(w.mfn), 3);
    grant_release(&dom_a, 9, GRANT_READ, w.mfn);
    grant_release(&dom_a, 9, GRANT_READ, r.mfn);
    assert_int_equal(*status2(&dom_a, 9), 0);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &r),
                     GNTST_general_error);
}

/* ---- another processor, at the worst moment ---------------------------------- */

static void *watched; /* a page; the first store to it is the moment */
static void (*at_moment)(void);

static void moment(int sig)
{
    if (watched == NULL ||
        mprotect(watched, PAGE_SIZE, PROT_READ | PROT_WRITE) != 0) {
        (void)sig;
        abort();
    }
    watched = NULL;
    at_moment();
}

static void watch(void *page, void (*what)(void))
{
    const struct sigaction action = {.sa_handler = moment};

    assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
    watched = page;
    at_moment = what;
    assert_int_equal(mprotect(page, PAGE_SIZE, PROT_READ), 0);
}

static void takes_back_2(void)
{
    entry2(&dom_a, 9)->hdr.flags = 0;
}

static void makes_read_only_2(void)
{
    entry2(&dom_a, 9)->hdr.flags |= GTF_readonly;
}

static void gives_another_2(void)
{
    entry2(&dom_a, 9)->hdr.domid = dom_c.domid;
}

static void makes_part_2(void)
{
    part2(&dom_a, 9, 2, 0, 3, 16, 32);
}

/* What was granted when we looked is not when the mark is set. */
static void an_entry_changes_before_its_mark(void **state)
{
    void (*const changes[])(void) = {takes_back_2, makes_read_only_2,
                                     gives_another_2, makes_part_2};
    struct grant_part p, r;

    (void)state;
    to_version_2(&dom_a);
    for (unsigned int i = 0; i < 4; i++) {
        full2(&dom_a, 9, 2, 0, 3);
        watch(dom_a.grants->status[0], changes[i]);
        assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &p),
                         GNTST_general_error);
        assert_null(watched);
        assert_int_equal(*status2(&dom_a, 9), 0);
        assert_int_equal(dom_a.grants->pinned, 0);
        /* Beside a reader, who stays. */
        full2(&dom_a, 9, 2, 0, 3);
        assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &r),
                         GNTST_okay);
        watch(dom_a.grants->status[0], changes[i]);
        assert_int_equal(
            grant_acquire(&dom_a, 2, 9, GRANT_WRITE | GRANT_PART, &p),
            GNTST_general_error);
        assert_int_equal(*status2(&dom_a, 9), R);
        grant_release(&dom_a, 9, GRANT_READ, r.mfn);
        assert_int_equal(*status2(&dom_a, 9), 0);
    }
    /* For a copy, a part will do: what counts is what it says now. */
    full2(&dom_a, 9, 2, 0, 3);
    watch(dom_a.grants->status[0], makes_part_2);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ | GRANT_PART, &p),
                     GNTST_okay);
    assert_int_equal(p.start, 16);
    assert_int_equal(p.length, 32);
    grant_release(&dom_a, 9, GRANT_READ, p.mfn);
}

static void takes_back_1(void)
{
    entry(9)->flags = 0;
}

static void grants_another_frame_1(void)
{
    entry(9)->frame = 4;
}

static void the_same_in_version_1(void **state)
{
    struct grant_part p;

    (void)state;
    grant(9, 0, 3);
    watch(dom_a.grants->shared[0], takes_back_1);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &p),
                     GNTST_general_error);
    assert_null(watched);
    assert_int_equal(entry(9)->flags, 0);
    grant(9, 0, 3);
    watch(dom_a.grants->shared[0], grants_another_frame_1);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &p), GNTST_okay);
    assert_int_equal(mfn_x(p.mfn), 4);
    grant_release(&dom_a, 9, GRANT_WRITE, p.mfn);
}

/* ---- entries again ------------------------------------------------------------ */

static void entries_refuse(void **state)
{
    struct grant_part p;

    (void)state;
    to_version_2(&dom_a);
    full2(&dom_a, 9, 2, GTF_readonly, 3);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &p),
                     GNTST_general_error);
    assert_int_equal(grant_acquire(&dom_a, 3, 9, GRANT_READ, &p),
                     GNTST_general_error);
    entry2(&dom_a, 9)->hdr.flags = GTF_accept_transfer;
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &p),
                     GNTST_general_error);
    /* Frames it does not own, or there are none of; and a page table. */
    full2(&dom_a, 9, 2, 0, 16);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &p),
                     GNTST_bad_page);
    full2(&dom_a, 9, 2, 0, ~0UL);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &p),
                     GNTST_bad_page);
    full2(&dom_a, 9, 2, 0, 3);
    table_frame = 3;
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE, &p),
                     GNTST_general_error);
    /* Less than a frame is not for who wants a frame. */
    part2(&dom_a, 9, 2, 0, 4, 0, PAGE_SIZE);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &p),
                     GNTST_general_error);
    via2(&dom_a, 9, 2, 3, 9);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ | GRANT_PART, &p),
                     GNTST_general_error);
    assert_int_equal(*status2(&dom_a, 9), 0);
    assert_int_equal(dom_a.grants->pinned, 0);
    dom_a.state = DOMAIN_DYING;
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &p),
                     GNTST_bad_domain);
}

static void nobody_maps_what_is_in_use_as_a_part(void **state)
{
    struct grant_part p, q;

    (void)state;
    to_version_2(&dom_a);
    part2(&dom_a, 9, 2, 0, 3, 16, 32);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ | GRANT_PART, &p),
                     GNTST_okay);
    assert_int_equal(p.start, 16);
    assert_int_equal(p.length, 32);
    full2(&dom_a, 9, 2, 0, 3); /* the granter changes its mind */
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &q),
                     GNTST_general_error);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE | GRANT_PART, &q),
                     GNTST_okay);
    assert_int_equal(q.length, PAGE_SIZE);
    assert_int_equal(*status2(&dom_a, 9), R | W);
    grant_release(&dom_a, 9, GRANT_WRITE, q.mfn);
    grant_release(&dom_a, 9, GRANT_READ, p.mfn);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ, &q), GNTST_okay);
    /* The other way round: a whole frame stays one. */
    part2(&dom_a, 9, 2, 0, 4, 16, 32);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_READ | GRANT_PART, &p),
                     GNTST_okay);
    assert_int_equal(mfn_x(p.mfn), 3);
    assert_int_equal(p.length, PAGE_SIZE);
    assert_int_equal(grant_acquire(&dom_a, 2, 9, GRANT_WRITE | GRANT_PART, &p),
                     GNTST_general_error);
    grant_release(&dom_a, 9, GRANT_READ, mfn(3));
    grant_release(&dom_a, 9, GRANT_READ, mfn(3));
}

static void swaps_take_the_status_along(void **state)
{
    struct grant_part p;

    (void)state;
    to_version_2(&dom_a);
    part2(&dom_a, 9, 2, 0, 3, 16, 32);
    *status2(&dom_a, 9) = 0x8000; /* the guest's own */
    assert_int_equal(grant_swap(&dom_a, 9, 10), GNTST_okay);
    assert_int_equal(entry2(&dom_a, 10)->sub_page.length, 32);
    assert_int_equal(*status2(&dom_a, 10), 0x8000);
    assert_int_equal(entry2(&dom_a, 9)->hdr.flags, 0);
    assert_int_equal(grant_acquire(&dom_a, 2, 10, GRANT_READ | GRANT_PART, &p),
                     GNTST_okay);
    assert_int_equal(grant_swap(&dom_a, 9, 10), GNTST_eagain);
    grant_release(&dom_a, 10, GRANT_READ, p.mfn);
    assert_int_equal(grant_swap(&dom_a, 10, 256), GNTST_bad_gntref);
}

static void mappings_of_version_2(void **state)
{
    struct grant_map_state s, u;

    (void)state;
    to_version_2(&dom_a);
    full2(&dom_a, 9, 2, 0, 3);
    assert_int_equal(grant_map_begin(&dom_b, 1, 9, GNTMAP_host_map, &s),
                     GNTST_okay);
    grant_map_commit(&dom_b, &s);
    assert_int_equal(grant_set_version(&dom_a, 1), -EBUSY);
    dom_a.state = DOMAIN_DYING;
    assert_int_equal(grant_unmap_begin(&dom_b, s.handle, &u), GNTST_okay);
    grant_unmap_end(&dom_b, u.handle, GNTMAP_host_map);
    assert_int_equal(*status2(&dom_a, 9), 0);
    assert_int_equal(writers[3], 0);
}

/* ---- copies ------------------------------------------------------------------ */

static void copies_keep_to_the_part(void **state)
{
    struct gnttab_copy op = {
        .source = {.u.ref = 9, .domid = 1, .offset = 100},
        .dest = {.u.gmfn = 16, .domid = DOMID_SELF},
        .len = 50,
        .flags = GNTCOPY_source_gref,
    };

    (void)state;
    to_version_2(&dom_a);
    part2(&dom_a, 9, 2, 0, 3, 100, 50);
    memset(byte(3, 100), 0x5a, 50);
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    assert_memory_equal(byte(16, 0), byte(3, 100), 50);
    op.len = 51;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    op.len = 50;
    op.source.offset = 99;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    op.source.offset = 101;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    op.len = 49;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);

    /* A part that leaves its frame: the frame still ends where it ends. */
    part2(&dom_a, 9, 2, 0, 3, 4090, 0xffff);
    op.source.offset = 4090;
    op.len = 7;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_copy_arg);
    op.len = 6;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);

    /* And as the target. */
    part2(&dom_a, 9, 2, 0, 3, 8, 8);
    op = (struct gnttab_copy){
        .source = {.u.gmfn = 16, .domid = DOMID_SELF},
        .dest = {.u.ref = 9, .domid = 1, .offset = 8},
        .len = 8,
        .flags = GNTCOPY_dest_gref,
    };
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    assert_memory_equal(byte(3, 8), byte(16, 0), 8);
    op.dest.offset = 9;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    entry2(&dom_a, 9)->hdr.flags |= GTF_readonly;
    op.dest.offset = 8;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    assert_int_equal(*status2(&dom_a, 9), 0);
}

/* c granted a; a lets b use that. */
static struct gnttab_copy three_domains(void)
{
    struct gnttab_copy op = {
        .source = {.u.ref = 9, .domid = 1, .offset = 4},
        .dest = {.u.gmfn = 16, .domid = DOMID_SELF},
        .len = 8,
        .flags = GNTCOPY_source_gref,
    };

    to_version_2(&dom_a);
    to_version_2(&dom_c);
    part2(&dom_c, 20, dom_a.domid, 0, 33, 4, 8);
    via2(&dom_a, 9, dom_b.domid, dom_c.domid, 20);
    memset(byte(33, 0), 0x77, 16);
    return op;
}

static uint16_t seen_a, seen_c;

static void look_at_marks(uint64_t n)
{
    if (n == 33) {
        seen_a = *status2(&dom_a, 9);
        seen_c = *status2(&dom_c, 20);
        /* Both take it back, which must not matter any more. */
        memset(entry2(&dom_a, 9), 0, 16);
        memset(entry2(&dom_c, 20), 0xff, 16);
    }
}

static void transitive_grants(void **state)
{
    struct gnttab_copy op = three_domains();

    (void)state;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    assert_memory_equal(byte(16, 0), byte(33, 4), 8);
    op.len = 9; /* c's part, not a's frame */
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    op.len = 8;

    /* To write, too; c's entry in version 1 does as well. */
    op = (struct gnttab_copy){
        .source = {.u.gmfn = 17, .domid = DOMID_SELF},
        .dest = {.u.ref = 9, .domid = 1, .offset = 4},
        .len = 8,
        .flags = GNTCOPY_dest_gref,
    };
    on_hold = look_at_marks;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    assert_int_equal(seen_a, R | W);
    assert_int_equal(seen_c, R | W);
    assert_int_equal(*byte(33, 4), 0);
    assert_int_equal(*status2(&dom_a, 9), 0);
    assert_int_equal(*status2(&dom_c, 20), 0);
}

static void transitive_grants_refuse(void **state)
{
    struct gnttab_copy op = three_domains();
    struct grant_map_state s;

    (void)state;
    assert_int_equal(grant_map_begin(&dom_b, 1, 9, GNTMAP_host_map, &s),
                     GNTST_general_error);
    via2(&dom_a, 9, 2, 77, 20); /* no such domain */
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    via2(&dom_a, 9, 2, DOMID_INVALID, 20);
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    via2(&dom_a, 9, 2, 1, 10); /* itself */
    full2(&dom_a, 10, 1, 0, 3);
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    via2(&dom_a, 9, 2, 3, 99999); /* no such entry */
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_gntref);
    via2(&dom_a, 9, 2, 3, 21); /* one that is not a's */
    part2(&dom_c, 21, dom_b.domid, 0, 33, 4, 8);
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    via2(&dom_a, 9, 2, 3, 22); /* a second step */
    to_version_2(&dom_b);
    via2(&dom_c, 22, 1, 2, 9);
    full2(&dom_b, 9, 3, 0, 17);
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    via2(&dom_a, 9, 2, 3, 20);
    dom_c.state = DOMAIN_DYING;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_bad_domain);
    dom_c.state = DOMAIN_RUNNING;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);

    /* Read-only on the first step, then on the second. */
    op.flags = GNTCOPY_dest_gref;
    op.dest = op.source;
    op.source.u.gmfn = 17;
    op.source.domid = DOMID_SELF;
    entry2(&dom_a, 9)->hdr.flags |= GTF_readonly;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    entry2(&dom_a, 9)->hdr.flags = GTF_transitive;
    entry2(&dom_c, 20)->hdr.flags |= GTF_readonly;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_general_error);
    entry2(&dom_c, 20)->hdr.flags &= (uint16_t)~GTF_readonly;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    for (grant_ref_t ref = 0; ref < 256; ref++) {
        assert_int_equal(*status2(&dom_a, ref) | *status2(&dom_c, ref), 0);
    }
}

/* From b by way of a back to b: allowed. */
static void transitive_grants_come_home(void **state)
{
    struct gnttab_copy op = three_domains();

    (void)state;
    to_version_2(&dom_b);
    full2(&dom_b, 9, 1, 0, 17);
    via2(&dom_a, 9, 2, 2, 9);
    *byte(17, 4) = 0x31;
    assert_int_equal(grant_copy(&dom_b, &op), GNTST_okay);
    assert_int_equal(*byte(16, 0), 0x31);
}

#define T(f) cmocka_unit_test_setup_teardown(f, grant_setup, grant_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(marks_are_in_the_status_frame),
        T(an_entry_changes_before_its_mark),
        T(the_same_in_version_1),
        T(entries_refuse),
        T(nobody_maps_what_is_in_use_as_a_part),
        T(swaps_take_the_status_along),
        T(mappings_of_version_2),
        T(copies_keep_to_the_part),
        T(transitive_grants),
        T(transitive_grants_refuse),
        T(transitive_grants_come_home),
    };

    return cmocka_run_group_tests(tests, grant_group_setup, NULL);
}
