/* SPDX-License-Identifier: MIT */
/*
 * lib/bitmap against an array of booleans.
 */
#include "tests/unit/unit.h"

#include "lib/bitmap.h"

#define BITS 200

static void like_booleans(void **state)
{
    BITMAP(map, BITS);
    bool model[BITS] = {false};

    (void)state;
    bitmap_zero(map, BITS);
    srand(1);
    for (int step = 0; step < 5000; step++) {
        unsigned int first = (unsigned int)rand() % BITS;
        unsigned int count = (unsigned int)rand() % (BITS - first + 1) % 9;
        bool set = rand() & 1;
        unsigned int want_count = 0, next_set = BITS, next_clear = BITS;

        if (set) {
            bitmap_set_range(map, first, count);
        } else {
            bitmap_clear_range(map, first, count);
        }
        for (unsigned int i = first; i < first + count; i++) {
            model[i] = set;
        }
        for (unsigned int i = BITS; i-- > 0;) {
            assert_int_equal(bitmap_test(map, i), model[i]);
            want_count += model[i];
            if (i >= first && model[i]) {
                next_set = i;
            }
            if (i >= first && !model[i]) {
                next_clear = i;
            }
        }
        assert_int_equal(bitmap_count(map, BITS), want_count);
        assert_int_equal(bitmap_find_set(map, BITS, first), next_set);
        assert_int_equal(bitmap_find_clear(map, BITS, first), next_clear);
    }
}

static void edges(void **state)
{
    BITMAP(map, 64);

    (void)state;
    bitmap_zero(map, 64);
    assert_int_equal(bitmap_find_set(map, 64, 0), 64);
    assert_int_equal(bitmap_find_set(map, 64, 64), 64);
    bitmap_set_range(map, 0, 64);
    assert_int_equal(bitmap_find_clear(map, 64, 0), 64);
    assert_int_equal(bitmap_count(map, 64), 64);
    assert_int_equal(bitmap_count(map, 10), 10);
    /* Bits beyond the size are not found. */
    bitmap_zero(map, 64);
    bitmap_set(map, 20);
    assert_int_equal(bitmap_find_set(map, 20, 0), 20);
    assert_int_equal(bitmap_find_set(map, 10, 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_booleans),
        cmocka_unit_test(edges),
    };

    return UNIT_RUN(tests);
}
