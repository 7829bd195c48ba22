/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc - frame table, buddy allocator, scrubbing, offlining, on a
 * machine with RAM at 1..96 MiB and, above a hole, 768..800 MiB.
 */
#include "tests/unit/unit.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/percpu.h"
#include "mm/boot_alloc.h"
#include "mm/directmap.h"
#include "mm/memmap.h"
#include "mm/offline.h"
#include "mm/page_alloc.h"
#include "mm/scrub.h"
#include "fake_machine.h"
#include "fire_alarm.h"

#define MIB         (1UL << 20)
#define TOP         (800 * MIB)
#define LOW_FRAMES  (95 * 256)
#define HIGH_FRAMES (32 * 256)

static maddr_t table_page;

static int set_up(void **state)
{
    (void)state;
    fake_machine_init(TOP);
    fake_machine_fill(MIB, 95 * MIB, 0x5a);
    fake_machine_fill(768 * MIB, 32 * MIB, 0x5a);
    memmap_add(0, 0xa0000, 1);
    memmap_add(MIB, 95 * MIB, 1);
    memmap_add(768 * MIB, 32 * MIB, 1);
    memmap_finish();
    memmap_reserve(2 * MIB, MIB); /* "image" */
    table_page = boot_alloc_pages(1, 1);
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    return 0;
}

static struct page_alloc_stats stats(void)
{
    struct page_alloc_stats s;

    page_alloc_stats(&s);
    return s;
}

/* Walk all frames: the lists and the records must agree (INV-MM-1). */
static void check_invariants(void)
{
    uint64_t free_frames = 0, dirty = 0;

    for (uint64_t n = 0; n < max_frame; n++) {
        const struct frame *f = &frame_table[n];

        if (f->state == FRAME_FREE) {
            assert_int_equal(f->count, 0);
            free_frames++;
            dirty += (f->flags & FRAME_F_DIRTY) != 0;
        }
        if ((f->flags & FRAME_F_HEAD) != 0) {
            uint64_t block_dirty = 0;

            assert_int_equal(f->state, FRAME_FREE);
            assert_true(IS_ALIGNED(n, BIT(f->order)));
            for (uint64_t i = 0; i < BIT(f->order); i++) {
                assert_int_equal(f[i].state, FRAME_FREE);
                assert_true(i == 0 || (f[i].flags & FRAME_F_HEAD) == 0);
                block_dirty += (f[i].flags & FRAME_F_DIRTY) != 0;
            }
            assert_int_equal(block_dirty, f->aux);
            /* Large blocks are of one kind: cutting one counts nothing. */
            assert_true(f->order <= 9 || f->aux == 0 ||
                        f->aux == BIT(f->order));
        }
        assert_true(f->count == 0 || f->state == FRAME_INUSE ||
                    f->state == FRAME_OFFLINING);
    }
    assert_int_equal(free_frames, stats().free_frames);
    assert_int_equal(dirty, stats().dirty_frames);
}

static void test_boot(void **state)
{
    struct page_alloc_stats s = stats();

    (void)state;
    /* Highest first, and it stays out of the allocator. */
    assert_int_equal(table_page, TOP - PAGE_SIZE);
    assert_int_equal(frame_of(maddr_to_mfn(table_page))->state, FRAME_RESERVED);
    assert_int_equal(max_frame, TOP >> PAGE_SHIFT);
    assert_int_equal(s.total_frames, LOW_FRAMES + HIGH_FRAMES + 0xa0);
    assert_int_equal(s.free_frames, s.dirty_frames);
    assert_int_equal(frame_of(mfn(0))->state, FRAME_RESERVED);
    assert_int_equal(frame_of(mfn(512))->state, FRAME_RESERVED);
    assert_int_equal(frame_of(mfn(512))->owner, DOMID_INVALID);
    assert_int_equal(frame_of(mfn(256))->state, FRAME_FREE);
    /* The hole's records: all RESERVED. */
    assert_int_equal(frame_of(mfn(0x20000))->state, FRAME_RESERVED);
    check_invariants();
    EXPECT_PANIC(boot_alloc_pages(1, 1)); /* over */
}

static void test_alloc_and_free(void **state)
{
    uint64_t before = stats().free_frames;
    struct frame *f = page_alloc(3, 0, PA_ANY_BITS);

    (void)state;
    assert_non_null(f);
    assert_true(mfn_x(frame_mfn(f)) >= 768 * 256); /* high memory first */
    assert_true(IS_ALIGNED(mfn_x(frame_mfn(f)), 8));
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(f[i].state, FRAME_INUSE);
        assert_int_equal(f[i].count, 1);
        assert_int_equal(f[i].owner, DOMID_XEN);
        assert_int_equal(f[i].flags, 0);
    }
    assert_int_equal(stats().free_frames, before - 8);
    check_invariants();
    page_free(f + 4, 2); /* smaller pieces are fine */
    page_free(f, 2);
    assert_int_equal(stats().free_frames, before);
    check_invariants();
    assert_null(page_alloc(MAX_ORDER, 0, PA_ANY_BITS));
    assert_null(page_alloc(MAX_ORDER + 1, 0, PA_ANY_BITS));
    EXPECT_PANIC(page_free(f, 0)); /* twice */
    spin_unlock(&heap_lock);
}

static void test_address_limit(void **state)
{
    struct frame *f;

    (void)state;
    for (unsigned int bits = 1; bits <= 20; bits++) {
        assert_null(page_alloc(0, 0, bits)); /* nothing below 1 MiB */
    }
    for (unsigned int bits = 21; bits <= 34; bits++) {
        f = page_alloc(6, PA_CLEAN, bits);
        assert_non_null(f);
        assert_true((mfn_x(frame_mfn(f)) + 64) << PAGE_SHIFT <= 1UL << bits);
        page_free(f, 6);
    }
    check_invariants();
}

static bool is_zero(struct frame *f)
{
    const uint64_t *p = mfn_to_ptr(frame_mfn(f));

    for (unsigned int i = 0; i < 512; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_clean_on_demand(void **state)
{
    struct frame *f = page_alloc(4, PA_CLEAN, PA_ANY_BITS);

    (void)state;
    for (unsigned int i = 0; i < 16; i++) {
        assert_true(is_zero(&f[i]));
        assert_int_equal(f[i].flags, 0);
    }
    memset(mfn_to_ptr(frame_mfn(f)), 1, 16 * PAGE_SIZE);
    page_free(f, 4);
    f = page_alloc(4, PA_CLEAN, PA_ANY_BITS);
    for (unsigned int i = 0; i < 16; i++) {
        assert_true(is_zero(&f[i]));
    }
    page_free(f, 4);
}

/* A softirq that is never handled, frames that take long: 16 of them each time,
 * and none twice. */
static void test_clean_until_a_softirq(void **state)
{
    struct page_alloc_stats before = stats();
    struct frame *f;

    (void)state;
    this_cpu()->softirq = 1;
    fake_machine_step_ns = 2000001;
    for (unsigned int i = 1; i < 32; i++) {
        assert_ptr_equal(page_alloc_chain(9, PA_STOPS), PAGE_ALLOC_STOPPED);
        assert_int_equal(stats().free_frames, before.free_frames);
        assert_int_equal(stats().dirty_frames, before.dirty_frames - 16 * i);
        if (i % 10 == 1) {
            check_invariants();
        }
    }
    /* Nothing is left to stop for. */
    f = page_alloc_chain(9, PA_STOPS);
    assert_true(f != NULL && f != PAGE_ALLOC_STOPPED);
    for (unsigned int i = 0; i < 512; i++) {
        assert_true(is_zero(&f[i]));
        assert_int_equal(f[i].flags, 0);
        assert_int_equal(f[i].next, i == 511 ? FRAME_NONE
                                             : mfn_x(frame_mfn(&f[i + 1])));
    }
    page_free(f, 9);
    assert_int_equal(stats().dirty_frames, before.dirty_frames);
    assert_ptr_equal(page_alloc_chain(MAX_ORDER, PA_STOPS), NULL);
    check_invariants();
}

/* Who does not want to be stopped is not; what is one piece is not, above order
 * 9; nor is what goes on in time, or with no softirq to stop for. */
static void test_clean_to_the_end(void **state)
{
    static const struct {
        unsigned int order, bits;
        uint16_t softirq;
        uint64_t step_ns;
    } cases[] = {
        {9, PA_ANY_BITS, 1, 2000001},
        {10, PA_STOPS, 1, 2000001},
        {9, PA_STOPS, 1, 2000000 / 32},
        {9, PA_STOPS, 0, 2000001},
        {1, PA_STOPS, 1, 2000001},
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        struct frame *f;

        this_cpu()->softirq = cases[i].softirq;
        fake_machine_step_ns = cases[i].step_ns;
        f = page_alloc_chain(cases[i].order, cases[i].bits);
        assert_true(f != NULL && f != PAGE_ALLOC_STOPPED);
        assert_true(is_zero(f) && is_zero(&f[BIT(cases[i].order) - 1]));
        page_free(f, cases[i].order);
    }
    this_cpu()->softirq = 0;
    check_invariants();
}

static void test_exact(void **state)
{
    uint64_t before = stats().free_frames;
    struct frame *f = page_alloc_exact(1000);

    (void)state;
    assert_non_null(f);
    assert_int_equal(stats().free_frames, before - 1000);
    check_invariants();
    page_free_exact(f, 1000);
    assert_int_equal(stats().free_frames, before);
    check_invariants();
    assert_null(page_alloc_exact(0));
    assert_null(page_alloc_exact(1UL << 20));
}

static void test_exhaustion(void **state)
{
    static struct frame *got[LOW_FRAMES + HIGH_FRAMES];
    uint64_t before = stats().free_frames;
    unsigned int count = 0;
    struct frame *f;

    (void)state;
    while ((f = page_alloc(0, 0, PA_ANY_BITS)) != NULL) {
        got[count++] = f;
    }
    assert_int_equal(count, before);
    assert_int_equal(stats().free_frames, 0);
    assert_null(hv_page_alloc());
    for (unsigned int i = 0; i < count; i += 2) {
        page_free(got[i], 0);
    }
    check_invariants();
    for (unsigned int i = 1; i < count; i += 2) {
        page_free(got[i], 0);
    }
    check_invariants();
    /* All merged again. */
    f = page_alloc(12, 0, PA_ANY_BITS);
    assert_non_null(f);
    page_free(f, 12);
}

static void test_reserved_memory_returns(void **state)
{
    uint64_t before = stats().free_frames - 1;
    domid_t owner;

    (void)state;
    /* One of them was reported broken while it was kept: it stays out. */
    assert_int_equal(frame_offline(mfn(600), OFFLINE_BROKEN, &owner), -EPERM);
    /* The image's MiB and the free frames around it: only it is added. */
    page_alloc_add(mfn(500), 300);
    assert_int_equal(stats().free_frames, before + 256);
    page_alloc_add(mfn(500), 300);
    page_alloc_add(mfn(0x20000), 10); /* the hole */
    assert_int_equal(stats().free_frames, before + 256);
    check_invariants();
}

static void test_offline(void **state)
{
    uint64_t before = stats().free_frames;
    struct frame *f;
    enum frame_state st;
    domid_t owner;
    uint8_t flags;

    (void)state;
    assert_int_equal(frame_offline(INVALID_MFN, OFFLINE_ASKED, &owner),
                     -EINVAL);
    assert_int_equal(frame_offline(mfn(0x20000), OFFLINE_ASKED, &owner),
                     -EINVAL);
    assert_int_equal(
        frame_offline(maddr_to_mfn(table_page), OFFLINE_ASKED, &owner), -EPERM);

    /* Free: at once, and back again. */
    assert_int_equal(frame_offline(mfn(0x1003), OFFLINE_ASKED, &owner), 0);
    assert_int_equal(owner, DOMID_INVALID);
    assert_int_equal(stats().free_frames, before - 1);
    assert_int_equal(frame_of(mfn(0x1003))->state, FRAME_OFFLINED);
    assert_int_equal(frame_offline(mfn(0x1003), OFFLINE_ASKED, &owner), 0);
    check_invariants();
    assert_int_equal(frame_online(mfn(0x1003)), 0);
    assert_int_equal(stats().free_frames, before);
    check_invariants();

    /* In use by a domain: when it is freed. */
    f = page_alloc(2, 0, PA_ANY_BITS);
    f[1].owner = 7;
    assert_int_equal(frame_offline(frame_mfn(&f[1]), OFFLINE_BROKEN, &owner),
                     0);
    assert_int_equal(owner, 7);
    assert_int_equal(f[1].state, FRAME_OFFLINING);
    assert_int_equal(frame_online(frame_mfn(&f[1])), -EPERM);
    page_free(f, 2);
    assert_int_equal(f[1].state, FRAME_OFFLINED);
    assert_int_equal(stats().free_frames, before - 1);
    assert_int_equal(frame_query(frame_mfn(&f[1]), &st, &flags, &owner), 0);
    assert_int_equal(st, FRAME_OFFLINED);
    assert_true((flags & FRAME_F_BROKEN) != 0);
    assert_int_equal(frame_online(frame_mfn(&f[1])), -EPERM);
    check_invariants();

    /* Ours: refused, but it never comes back once freed. */
    f = page_alloc(0, 0, PA_ANY_BITS);
    assert_int_equal(frame_offline(frame_mfn(f), OFFLINE_BROKEN, &owner),
                     -EPERM);
    page_free(f, 0);
    assert_int_equal(f->state, FRAME_OFFLINED);
    assert_int_equal(stats().free_frames, before - 2);
    check_invariants();
}

static void test_references(void **state)
{
    struct frame *f = page_alloc(0, 0, PA_ANY_BITS);

    (void)state;
    f->owner = 3;
    assert_false(frame_get(f, 4));
    assert_true(frame_get(f, 3));
    assert_true(frame_get_held(f));
    assert_int_equal(f->count, 3);
    assert_false(frame_put(f));
    assert_false(frame_put(f));
    assert_true(frame_put(f));
    assert_false(frame_get(f, 3));
    EXPECT_PANIC(assert_false(frame_put(f)));
    f->count = ~0u;
    assert_false(frame_get(f, 3));
    f->count = 0;
    page_free(f, 0);
    assert_false(frame_get(f, 3));
}

static void test_random(void **state)
{
    enum {
        SLOTS = 300
    };
    static struct frame *held[SLOTS];
    static unsigned int order[SLOTS];

    (void)state;
    srand(7);
    for (unsigned int round = 0; round < 20000; round++) {
        unsigned int i = (unsigned int)rand() % SLOTS;

        if (held[i] != NULL) {
            page_free(held[i], order[i]);
            held[i] = NULL;
        } else {
            unsigned int flags = rand() & 1 ? PA_CLEAN : 0;

            order[i] = (unsigned int)rand() % 7;
            held[i] = page_alloc(order[i], flags, rand() & 1 ? 26 : 0);
            if (held[i] != NULL) {
                memset(mfn_to_ptr(frame_mfn(held[i])), 0xee, PAGE_SIZE);
            }
        }
        if (round % 7 == 0) {
            (void)page_alloc_scrub_some(16);
        }
        if (round % 2000 == 0) {
            check_invariants();
        }
    }
    for (unsigned int i = 0; i < SLOTS; i++) {
        if (held[i] != NULL) {
            page_free(held[i], order[i]);
        }
    }
    check_invariants();
}

static void test_scrub_reaches_the_end(void **state)
{
    unsigned int steps = 0;
    struct frame *f;

    (void)state;
    while (scrub_idle_step()) {
        assert_true(++steps < 100000);
    }
    assert_int_equal(stats().dirty_frames, 0);
    check_invariants();
    /* Every clean frame is verified on the way out (INV-MM-2) ... */
    f = page_alloc(12, PA_CLEAN, PA_ANY_BITS);
    assert_non_null(f);
    page_free(f, 12);
    /* ... and a wild write is noticed. */
    while (scrub_idle_step()) {
    }
    memset(mfn_to_ptr(frame_mfn(f)), 1, 1);
    EXPECT_PANIC(f = page_alloc(12, PA_CLEAN, PA_ANY_BITS));
    assert_non_null(strstr(fire_alarm_text, "clean frame"));
}

/* One byte that is not zero, wherever it is, in both ways of looking. */
static void test_scrub_finds_each_byte(void **state)
{
    struct frame *f = page_alloc(0, 0, PA_ANY_BITS);
    unsigned char *p;

    (void)state;
    assert_non_null(f);
    p = mfn_to_ptr(frame_mfn(f));
    for (unsigned int vectors = 0; vectors < 2; vectors++) {
        scrub_use_vectors(vectors != 0);
        for (unsigned int at = 0; at < PAGE_SIZE; at += at < 300 ? 1 : 61) {
            memset(p, 0, PAGE_SIZE);
            p[at] = 0x80;
            scrub_page(frame_mfn(f));
            assert_int_equal(p[at], 0);
        }
        memset(p, 0x55, PAGE_SIZE);
        scrub_page(frame_mfn(f));
        for (unsigned int at = 0; at < PAGE_SIZE; at++) {
            assert_int_equal(p[at], 0);
        }
        p[PAGE_SIZE - 1] = 1;
        scrub_page(frame_mfn(f));
        assert_int_equal(p[PAGE_SIZE - 1], 0);
    }
    scrub_use_vectors(false);
    page_free(f, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boot),
        cmocka_unit_test(test_alloc_and_free),
        cmocka_unit_test(test_address_limit),
        cmocka_unit_test(test_clean_on_demand),
        cmocka_unit_test(test_clean_until_a_softirq),
        cmocka_unit_test(test_clean_to_the_end),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_reserved_memory_returns),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_offline),
        cmocka_unit_test(test_scrub_finds_each_byte),
        cmocka_unit_test(test_scrub_reaches_the_end),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
