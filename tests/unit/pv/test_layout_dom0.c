/* SPDX-License-Identifier: MIT */
/*
 * test_layout_dom0 - Debian's kernel, the other placements, hostile numbers.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/bits.h"
#include "pv/layout_dom0.h"

#define BASE 0xffffffff80000000
#define MIB  (1UL << 20)

/* The numbers of Debian 12's 6.1.0 kernel with a 20 MiB initrd, 800 MiB. */
static const struct dom0_layout_in debian = {
    .virt_base = BASE,
    .load_start = 0x1000000,
    .load_end = 0x4a00000,
    .entry = 0xffffffff830791c0,
    .initrd_bytes = 20 * MIB - 5,
    .initrd_by_pfn = true,
    .p2m_elsewhere = true,
    .init_p2m = 0x8000000000,
    .nr_pages = 204800,
};

static void check(const struct dom0_layout_in *in, const struct dom0_layout *l)
{
    uint64_t bytes = l->run_pages << PAGE_SHIFT;

    assert_int_equal(l->end_va, in->virt_base + bytes);
    assert_true(l->start_info_va >=
                in->virt_base + in->load_end - in->paddr_offset);
    assert_int_equal(l->pt_va, l->start_info_va + PAGE_SIZE);
    assert_int_equal(l->stack_va, l->pt_va + l->pt_pages * PAGE_SIZE);
    assert_true(bytes - (l->stack_va + PAGE_SIZE - in->virt_base) >= 512 << 10);
    assert_true(1 + layout_table_pages(in->virt_base, in->virt_base + bytes) <=
                l->pt_pages);
    assert_true(l->rest_pfn <= in->nr_pages);
    assert_true(l->p2m_pages * 512 >= in->nr_pages);
}

static void test_debian(void **state)
{
    struct dom0_layout l;
    const char *why;

    (void)state;
    assert_int_equal(layout_dom0(&debian, &l, &why), 0);
    check(&debian, &l);
    assert_int_equal(l.start_info_va, 0xffffffff84a00000);
    assert_int_equal(l.end_va, 0xffffffff84c00000);
    assert_int_equal(l.pt_pages, 41); /* L4, L3, L2, 38 L1 */
    assert_int_equal(l.initrd_pfn, l.run_pages);
    assert_int_equal(l.initrd_pages, 5120);
    assert_int_equal(l.p2m_pfn, l.initrd_pfn + 5120);
    assert_int_equal(l.p2m_pages, 400);
    assert_int_equal(l.p2m_table_pages, 3);
    assert_int_equal(l.rest_pfn, l.p2m_pfn + 403);
}

static void test_everything_in_the_run(void **state)
{
    struct dom0_layout_in in = debian;
    struct dom0_layout l;
    const char *why;

    (void)state;
    in.initrd_by_pfn = false;
    in.p2m_elsewhere = false;
    assert_int_equal(layout_dom0(&in, &l, &why), 0);
    check(&in, &l);
    assert_int_equal(l.initrd_va, BASE + 0x4a00000);
    assert_int_equal(l.initrd_pfn, 0x4a00);
    assert_int_equal(l.p2m_va, l.initrd_va + 20 * MIB);
    assert_int_equal(l.p2m_pfn, 0x4a00 + 5120);
    assert_int_equal(l.p2m_table_pages, 0);
    assert_int_equal(l.rest_pfn, l.run_pages);
}

static void test_no_initrd(void **state)
{
    struct dom0_layout_in in = debian;
    struct dom0_layout l;
    const char *why;

    (void)state;
    in.initrd_bytes = 0;
    assert_int_equal(layout_dom0(&in, &l, &why), 0);
    assert_int_equal(l.initrd_pages, 0);
    assert_int_equal(l.p2m_pfn, l.run_pages);
}

static void test_slack(void **state)
{
    struct dom0_layout l;
    const char *why;

    (void)state;
    /* Every kernel size around the 4 MiB boundary. */
    for (uint64_t end = 60 * MIB; end < 70 * MIB; end += 0x1000) {
        struct dom0_layout_in in = debian;

        in.load_end = end;
        assert_int_equal(layout_dom0(&in, &l, &why), 0);
        check(&in, &l);
    }
}

static void test_too_small(void **state)
{
    struct dom0_layout_in in = debian;
    struct dom0_layout l;
    const char *why = NULL;

    (void)state;
    in.nr_pages = 20000;
    assert_int_equal(layout_dom0(&in, &l, &why), -ENOMEM);
    assert_non_null(why);
    assert_int_equal(layout_dom0(&debian, &l, &why), 0);
    in.nr_pages = l.rest_pfn;
    assert_int_equal(layout_dom0(&in, &l, &why), 0);
}

static void test_hostile(void **state)
{
    struct dom0_layout_in in[14];
    struct dom0_layout l;

    (void)state;
    for (size_t i = 0; i < 14; i++) {
        in[i] = debian;
    }
    in[0].virt_base = 0xffff800000000000; /* ours */
    in[1].virt_base = 0x0000900000000000; /* not canonical */
    in[2].virt_base = BASE + 1;
    in[3].load_start = in[3].load_end;
    in[4].paddr_offset = 0x2000000; /* above load_start */
    in[5].load_end = ~0UL;
    in[6].entry = 0;
    in[7].entry = BASE + (1UL << 30);
    in[8].init_p2m = BASE + 64 * MIB;
    in[9].init_p2m = 0xffff830000000000;
    in[10].init_p2m = 0x8000000001;
    in[11].nr_pages = ~0UL;
    in[12].initrd_bytes = ~0UL;
    in[13].virt_base = 0UL - 32 * MIB; /* the run would go round */
    in[13].entry = in[13].virt_base + 0x1000;
    for (size_t i = 0; i < 14; i++) {
        const char *why = NULL;

        if (layout_dom0(&in[i], &l, &why) != -EINVAL || why == NULL) {
            fail_msg("row %zu was accepted", i);
        }
    }
}

static uint64_t random_number(void)
{
    uint64_t v =
        (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

    return (v >> (rand() % 64)) & (rand() % 2 ? ~0xfffUL : ~0UL);
}

/* Whatever is asked for, an accepted layout is consistent. */
static void test_fuzz(void **state)
{
    unsigned int accepted = 0;

    (void)state;
    srand(5);
    for (unsigned int round = 0; round < 300000; round++) {
        struct dom0_layout_in in = debian;
        struct dom0_layout l;
        const char *why;

        switch (rand() % 8) {
        case 0:
            in.virt_base = random_number();
            in.entry = in.virt_base + 0x1000;
            break;
        case 1:
            in.paddr_offset = random_number();
            break;
        case 2:
            in.load_end = random_number();
            break;
        case 3:
            in.initrd_bytes = random_number();
            break;
        case 4:
            in.init_p2m = random_number();
            break;
        case 5:
            in.nr_pages = random_number();
            break;
        case 6:
            in.entry = random_number();
            break;
        default:
            in.p2m_elsewhere = rand() % 2;
            in.initrd_by_pfn = rand() % 2;
            break;
        }
        if (layout_dom0(&in, &l, &why) == 0) {
            check(&in, &l);
            accepted++;
        }
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_debian),
        cmocka_unit_test(test_everything_in_the_run),
        cmocka_unit_test(test_no_initrd),
        cmocka_unit_test(test_slack),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_fuzz),
    };

    return UNIT_RUN(tests);
}
