/* SPDX-License-Identifier: MIT */
/*
 * lib/rangeset against an array of booleans, and at both ends of the number
 * line.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/rangeset.h"

#define N      64
#define RANGES 40

static void invariant(const struct rangeset *set)
{
    for (unsigned int i = 0; i < set->count; i++) {
        assert_true(set->ranges[i].first <= set->ranges[i].last);
        if (i > 0) {
            assert_true(set->ranges[i - 1].last + 1 < set->ranges[i].first);
        }
    }
}

static void like_booleans(void **state)
{
    struct range space[RANGES];
    struct rangeset set;
    bool model[N] = {false};

    (void)state;
    srand(2);
    rangeset_init(&set, space, RANGES);
    for (int step = 0; step < 20000; step++) {
        unsigned int first = (unsigned int)rand() % N;
        unsigned int last = first + (unsigned int)rand() % (N - first) % 7;
        bool add = rand() & 1, all = true, any = false;

        if (add) {
            assert_int_equal(rangeset_add(&set, first, last), 0);
        } else {
            assert_int_equal(rangeset_remove(&set, first, last), 0);
        }
        for (unsigned int i = first; i <= last; i++) {
            model[i] = add;
        }
        invariant(&set);
        first = (unsigned int)rand() % N;
        last = first + (unsigned int)rand() % (N - first);
        for (unsigned int i = first; i <= last; i++) {
            all = all && model[i];
            any = any || model[i];
        }
        assert_int_equal(rangeset_contains(&set, first, last), all);
        assert_int_equal(rangeset_overlaps(&set, first, last), any);
    }
}

static void whole_number_line(void **state)
{
    struct range space[4];
    struct rangeset set;

    (void)state;
    rangeset_init(&set, space, 4);
    assert_int_equal(rangeset_add(&set, UINT64_MAX, UINT64_MAX), 0);
    assert_int_equal(rangeset_add(&set, 0, 0), 0);
    assert_int_equal(set.count, 2);
    assert_int_equal(rangeset_add(&set, 1, UINT64_MAX - 1), 0);
    assert_int_equal(set.count, 1);
    assert_true(rangeset_contains(&set, 0, UINT64_MAX));
    assert_int_equal(rangeset_remove(&set, 5, 5), 0);
    assert_int_equal(set.count, 2);
    assert_false(rangeset_contains(&set, 0, UINT64_MAX));
    assert_true(rangeset_contains(&set, 6, UINT64_MAX));
    assert_int_equal(rangeset_remove(&set, 0, UINT64_MAX), 0);
    assert_int_equal(set.count, 0);
}

static void refusals_change_nothing(void **state)
{
    struct range space[2];
    struct rangeset set;

    (void)state;
    rangeset_init(&set, space, 2);
    assert_int_equal(rangeset_add(&set, 5, 4), -EINVAL);
    assert_int_equal(rangeset_remove(&set, 5, 4), -EINVAL);
    assert_int_equal(rangeset_add(&set, 0, 10), 0);
    assert_int_equal(rangeset_add(&set, 20, 30), 0);
    assert_int_equal(rangeset_add(&set, 40, 50), -ENOMEM);
    assert_int_equal(rangeset_remove(&set, 5, 6), -ENOMEM);
    assert_true(rangeset_contains(&set, 0, 10));
    assert_true(rangeset_contains(&set, 20, 30));
    /* Joining two needs no room. */
    assert_int_equal(rangeset_add(&set, 11, 19), 0);
    assert_int_equal(set.count, 1);
    assert_false(rangeset_contains(&set, 9, 3));
    assert_false(rangeset_overlaps(&set, 9, 3));
    rangeset_clear(&set);
    assert_false(rangeset_overlaps(&set, 0, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_booleans),
        cmocka_unit_test(whole_number_line),
        cmocka_unit_test(refusals_change_nothing),
    };

    return UNIT_RUN(tests);
}
