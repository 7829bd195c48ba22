/* SPDX-License-Identifier: MIT */
/*
 * pv/cpu_policy: what is hidden, what is kept, what a toolstack can change.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "pv/cpu_policy.h"
#include "fake_hw.h"

#define NO_SUB XEN_CPUID_NO_SUBLEAF

static struct cpu_policy p;

/* A processor that claims to have everything. */
static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_cpuid_set(0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69);
    fake_cpuid_set(1, 0, 0x906ea, 0xff100800, ~0U, ~0U);
    fake_cpuid_set(4, 0, 0x121, 1, 2, 3);
    fake_cpuid_set(4, 1, 0x122, 1, 2, 3);
    fake_cpuid_set(5, 0, 1, 2, 3, 4);
    fake_cpuid_set(7, 0, 9, ~0U, ~0U, ~0U);
    fake_cpuid_set(7, 1, ~0U, ~0U, ~0U, ~0U);
    fake_cpuid_set(7, 2, ~0U, ~0U, ~0U, ~0U);
    fake_cpuid_set(0xa, 0, 1, 2, 3, 4);
    fake_cpuid_set(0xd, 0, 0x2ff, 0xa88, 0xa88, 0);
    fake_cpuid_set(0xd, 1, 0xf, 0x500, 0x100, 0);
    fake_cpuid_set(0xd, 2, 256, 576, 0, 0);
    fake_cpuid_set(0xd, 3, 64, 960, 0, 0);
    fake_cpuid_set(0xd, 4, 64, 1024, 0, 0);
    fake_cpuid_set(0xd, 5, 64, 1088, 0, 0);
    fake_cpuid_set(0xd, 6, 512, 1152, 0, 0);
    fake_cpuid_set(0xd, 7, 1024, 1664, 0, 0);
    fake_cpuid_set(0xd, 9, 8, 2688, 0, 0);
    fake_cpuid_set(0x80000000, 0, 0x80000022, 0, 0, 0);
    fake_cpuid_set(0x80000001, 0, 0, 0, ~0U, ~0U);
    fake_cpuid_set(0x80000007, 0, ~0U, 0, ~0U, ~0U);
    fake_cpuid_set(0x80000008, 0, 0x403028, ~0U, ~0U, ~0U);
    fake_cpuid_set(0x8000000a, 0, 1, 1, 1, 1);
    fake_cpuid_set(0x80000021, 0, ~0U, ~0U, ~0U, ~0U);
    policy_from_hardware(&p);
    return 0;
}

static bool has(unsigned int feature)
{
    return policy_feature_word(&p, feature / 32) >> (feature % 32) & 1;
}

static void enumerated(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < p.count; i++) {
        const xen_cpuid_leaf_t *a = &p.leaf[i - 1], *b = &p.leaf[i];

        assert_true(a->leaf < b->leaf ||
                    (a->leaf == b->leaf && a->subleaf < b->subleaf));
    }
    assert_non_null(policy_find(&p, 4, 1));
    /* Empty subleaves are listed, too: as many as the toolstack knows. */
    assert_non_null(policy_find(&p, 4, 5));
    assert_null(policy_find(&p, 4, 6));
    assert_non_null(policy_find(&p, 0xd, 62));
    assert_null(policy_find(&p, 0xd, 63));
    assert_non_null(policy_find(&p, 0x40000000, 0));
    assert_non_null(policy_find(&p, 0x40000100, 0));
    assert_null(policy_find(&p, 0xe, 0));
    assert_null(policy_find(&p, 0x80000022, 0));
    /* Leaves without subleaves answer to any. */
    assert_ptr_equal(policy_find(&p, 1, 0), policy_find(&p, 1, 77));
}

static void hidden_from_pv(void **state)
{
    static const unsigned int hidden[] = {
        0 * 32 + 1,  0 * 32 + 3,  0 * 32 + 12, 0 * 32 + 13, 0 * 32 + 17,
        0 * 32 + 21, 1 * 32 + 3,  1 * 32 + 5,  1 * 32 + 17, 1 * 32 + 21,
        1 * 32 + 24, 1 * 32 + 27, 2 * 32 + 26, 3 * 32 + 2,  3 * 32 + 22,
        4 * 32 + 3,  5 * 32 + 1,  5 * 32 + 4,  5 * 32 + 7,  5 * 32 + 10,
        5 * 32 + 11, 5 * 32 + 14, 5 * 32 + 20, 6 * 32 + 2,  6 * 32 + 3,
        7 * 32 + 8,  9 * 32 + 28, 9 * 32 + 13, 9 * 32 + 20,
    };
    static const unsigned int shown[] = {
        0 * 32 + 7,  0 * 32 + 14, 0 * 32 + 9,  FEATURE_XSAVE,    1 * 32 + 28,
        1 * 32 + 31, 2 * 32 + 20, 2 * 32 + 11, FEATURE_FSGSBASE, 5 * 32 + 16,
        9 * 32 + 26, 9 * 32 + 27, 9 * 32 + 31, /* SPEC_CTRL */
    };

    (void)state;
    policy_for_pv(&p, 0xe7, false);
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        assert_false(has(hidden[i]));
    }
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        assert_true(has(shown[i]));
    }
    assert_int_equal(policy_find(&p, 0, 0)->a, 0xd);
    assert_int_equal(policy_find(&p, 7, 0)->a, 2);
    assert_int_equal(policy_find(&p, 5, 0)->a, 0);
    assert_int_equal(policy_find(&p, 0xa, 0)->a, 0);
    assert_int_equal(policy_find(&p, 1, 0)->b >> 24, 0);
    assert_int_equal(policy_find(&p, 0x80000000, 0)->a, 0x80000021);
    assert_int_equal(policy_find(&p, 0x8000000a, 0)->a, 0);
    assert_int_equal(policy_find(&p, 0x80000007, 0)->b, 0);
    assert_int_equal(policy_find(&p, 0x80000008, 0)->a, 0x3028);
}

static void amd(void **state)
{
    (void)state;
    policy_for_pv(&p, 0xe7, true);
    /* Leaf 1's bits are repeated, and no hidden one comes back with them. */
    assert_true(has(2 * 32 + 7));
    assert_false(has(2 * 32 + 13));
    assert_false(has(2 * 32 + 12));
    assert_int_equal(policy_find(&p, 0x80000007, 0)->b, 3);
}

static void xstate(void **state)
{
    (void)state;
    policy_for_pv(&p, 0xe7, false);
    assert_int_equal(policy_find(&p, 0xd, 0)->a, 0xe7);
    assert_int_equal(policy_find(&p, 0xd, 0)->c, 2688);
    assert_int_equal(policy_find(&p, 0xd, 1)->a, 7);
    assert_int_equal(policy_find(&p, 0xd, 1)->c, 0);
    assert_int_equal(policy_find(&p, 0xd, 3)->a, 0);
    assert_int_equal(policy_find(&p, 0xd, 9)->a, 0);
    assert_int_equal(policy_xstate_bytes(&p, 1, false), 576);
    assert_int_equal(policy_xstate_bytes(&p, 7, false), 832);
    assert_int_equal(policy_xstate_bytes(&p, 0xe7, true), 2432);
}

static void no_xsave(void **state)
{
    (void)state;
    policy_for_pv(&p, 0, false);
    assert_false(has(FEATURE_XSAVE));
    assert_false(has(1 * 32 + 28));
    assert_false(has(5 * 32 + 5));
    assert_false(has(5 * 32 + 16));
    assert_int_equal(policy_find(&p, 0xd, 0)->a, 0);
    assert_int_equal(policy_find(&p, 0xd, 0)->c, 0);
}

static void no_avx512(void **state)
{
    (void)state;
    policy_for_pv(&p, 7, false);
    assert_true(has(5 * 32 + 5));
    assert_false(has(5 * 32 + 16));
    assert_false(has(6 * 32 + 1));
    assert_int_equal(policy_find(&p, 0xd, 0)->c, 832);
}

/* The places noted for each leaf have followed the list. */
static void every_leaf_is_found(void)
{
    for (unsigned int i = 0; i < p.count; i++) {
        assert_ptr_equal(policy_find(&p, p.leaf[i].leaf, p.leaf[i].subleaf),
                         &p.leaf[i]);
    }
}

/* A toolstack adds leaves the processor does not have, in any order. */
static void merge_in_front(void **state)
{
    static const xen_cpuid_leaf_t added[] = {
        {0x7, 2, 1, 1, 1, 1}, {0x7, 1, 1, 1, 1, 1}, {0x4, 0, 1, 1, 1, 1},
        {0xb, 1, 1, 1, 1, 1}, {0xb, 0, 1, 1, 1, 1},
        {0x80000001, NO_SUB, 1, 1, 1, 1},
    };
    struct cpu_policy max;

    (void)state;
    fake_hw_reset();
    fake_cpuid_set(0, 0, 0x2, 0, 0, 0);
    fake_cpuid_set(0x80000000, 0, 0x80000000, 0, 0, 0);
    policy_from_hardware(&p);
    max = p;
    every_leaf_is_found();
    assert_null(policy_find(&p, 7, 0));
    for (size_t i = 0; i < ARRAY_SIZE(added); i++) {
        assert_int_equal(policy_merge(&p, &max, &added[i]), 0);
        every_leaf_is_found();
        assert_non_null(policy_find(&p, added[i].leaf, added[i].subleaf));
    }
    assert_null(policy_find(&p, 7, 0));
    assert_null(policy_find(&p, 0xb, 2));
    assert_null(policy_find(&p, 3, 0));
}

static void merge(void **state)
{
    struct cpu_policy max;
    xen_cpuid_leaf_t l = {1, NO_SUB, 0x1234, 0xff000000, ~0U, ~0U};

    (void)state;
    policy_for_pv(&p, 0xe7, false);
    max = p;
    /* Asking for everything gives no more than there is. */
    assert_int_equal(policy_merge(&p, &max, &l), 0);
    assert_int_equal(policy_feature_word(&p, 0), policy_feature_word(&max, 0));
    assert_int_equal(policy_feature_word(&p, 1), policy_feature_word(&max, 1));
    assert_int_equal(policy_find(&p, 1, 0)->b, 0);
    /* Taking away works, but not for the hypervisor bit. */
    l.c = l.d = 0;
    assert_int_equal(policy_merge(&p, &max, &l), 0);
    assert_int_equal(policy_feature_word(&p, 1), 1U << 31);
    /* Sizes of state components are no choice. */
    l = (xen_cpuid_leaf_t){0xd, 2, 1, 2, 3, 4};
    assert_int_equal(policy_merge(&p, &max, &l), 0);
    assert_int_equal(policy_find(&p, 0xd, 2)->a, 256);
    l = (xen_cpuid_leaf_t){0xd, 0, ~0U, 1, 1, ~0U};
    assert_int_equal(policy_merge(&p, &max, &l), 0);
    assert_int_equal(policy_find(&p, 0xd, 0)->a, 0xe7);
    assert_int_equal(policy_find(&p, 0xd, 0)->d, 0);
    /* Hypervisor leaves are ours; unknown ones are an error. */
    l = (xen_cpuid_leaf_t){0x40000000, NO_SUB, 1, 2, 3, 4};
    assert_int_equal(policy_merge(&p, &max, &l), 0);
    l.leaf = 0x40000100;
    assert_int_equal(policy_merge(&p, &max, &l), 0);
    l.leaf = 0x14;
    assert_int_equal(policy_merge(&p, &max, &l), -ERANGE);
    l.leaf = 0x80000022;
    assert_int_equal(policy_merge(&p, &max, &l), -ERANGE);
    l = (xen_cpuid_leaf_t){7, 3, 0, 0, 0, 0};
    assert_int_equal(policy_merge(&p, &max, &l), -ERANGE);
    l = (xen_cpuid_leaf_t){1, 0, 0, 0, 0, 0};
    assert_int_equal(policy_merge(&p, &max, &l), -ERANGE);
}

static void merge_every_place(void **state)
{
    struct cpu_policy max;
    xen_cpuid_leaf_t l = {0};

    (void)state;
    policy_for_pv(&p, 0xe7, false);
    max = p;
    /* All places that exist fit: a policy cannot overflow. */
    for (l.leaf = 0; l.leaf <= POLICY_BASIC_MAX; l.leaf++) {
        for (l.subleaf = 0; l.subleaf < 64; l.subleaf++) {
            (void)!policy_merge(&p, &max, &l);
        }
        l.subleaf = NO_SUB;
        (void)!policy_merge(&p, &max, &l);
    }
    for (l.leaf = POLICY_EXT_FIRST; l.leaf <= POLICY_EXT_MAX; l.leaf++) {
        assert_int_equal(policy_merge(&p, &max, &l), 0);
    }
    assert_in_range(p.count, 60, CPU_POLICY_LEAVES_MAX);
    every_leaf_is_found();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(enumerated, set_up),
        cmocka_unit_test_setup(hidden_from_pv, set_up),
        cmocka_unit_test_setup(amd, set_up),
        cmocka_unit_test_setup(xstate, set_up),
        cmocka_unit_test_setup(no_xsave, set_up),
        cmocka_unit_test_setup(no_avx512, set_up),
        cmocka_unit_test_setup(merge_in_front, set_up),
        cmocka_unit_test_setup(merge, set_up),
        cmocka_unit_test_setup(merge_every_place, set_up),
    };

    return UNIT_RUN(tests);
}
