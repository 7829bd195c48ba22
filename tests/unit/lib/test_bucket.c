/* SPDX-License-Identifier: MIT */
/*
 * lib/bucket: burst, refill, fractions, time running backwards.
 */
#include "tests/unit/unit.h"

#include "lib/bucket.h"

static void burst_then_rate(void **state)
{
    struct bucket b;

    (void)state;
    bucket_init(&b, 3, 10, 1000);
    for (int i = 0; i < 3; i++) {
        assert_true(bucket_take(&b, 1000));
    }
    assert_false(bucket_take(&b, 1000));
    assert_false(bucket_take(&b, 1009));
    assert_true(bucket_take(&b, 1010));
    assert_false(bucket_take(&b, 1019));
    assert_true(bucket_take(&b, 1020));
    /* A long pause fills it, and no more than that. */
    for (int i = 0; i < 3; i++) {
        assert_true(bucket_take(&b, 100000));
    }
    assert_false(bucket_take(&b, 100000));
}

static void fractions_add_up(void **state)
{
    struct bucket b;
    unsigned int taken = 0;

    (void)state;
    bucket_init(&b, 1, 10, 0);
    assert_true(bucket_take(&b, 0));
    for (uint64_t now = 1; now <= 1000; now++) {
        taken += bucket_take(&b, now);
    }
    assert_int_equal(taken, 100);
}

static void strange_times(void **state)
{
    struct bucket b;

    (void)state;
    bucket_init(&b, 1, 0, 500);
    assert_true(bucket_take(&b, 500));
    assert_false(bucket_take(&b, 400));
    assert_true(bucket_take(&b, UINT64_MAX));
    bucket_init(&b, 0, 1, 0);
    assert_false(bucket_take(&b, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_then_rate),
        cmocka_unit_test(fractions_add_up),
        cmocka_unit_test(strange_times),
    };

    return UNIT_RUN(tests);
}
