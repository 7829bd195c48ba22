/* SPDX-License-Identifier: MIT */
/*
 * test_idset - against a plain array, number by number.
 */
#include "tests/unit/unit.h"

#include "lib/idset.h"

static struct idset set;
static bool in[IDSET_MAX];

static unsigned int slow_next(unsigned int from, bool used)
{
    while (from < IDSET_MAX) {
        if (in[from] == used) {
            return from;
        }
        from++;
    }
    return IDSET_NONE;
}

static void check_at(unsigned int from)
{
    assert_int_equal(idset_next(&set, from), slow_next(from, true));
    assert_int_equal(idset_next_free(&set, from), slow_next(from, false));
}

static void test_empty_and_ends(void **state)
{
    (void)state;
    memset(&set, 0, sizeof(set));
    memset(in, 0, sizeof(in));
    assert_int_equal(idset_next(&set, 0), IDSET_NONE);
    assert_int_equal(idset_next_free(&set, 5), 5);
    assert_int_equal(idset_next(&set, IDSET_MAX), IDSET_NONE);
    assert_int_equal(idset_next_free(&set, IDSET_NONE), IDSET_NONE);
    idset_add(&set, IDSET_MAX - 1);
    assert_int_equal(idset_next(&set, 0), IDSET_MAX - 1);
    assert_int_equal(idset_next(&set, IDSET_MAX - 1), IDSET_MAX - 1);
    assert_int_equal(idset_next_free(&set, IDSET_MAX - 1), IDSET_NONE);
    idset_remove(&set, IDSET_MAX - 1);
    assert_int_equal(idset_next(&set, 0), IDSET_NONE);
}

static void test_full(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < IDSET_MAX; i++) {
        idset_add(&set, i);
        in[i] = true;
    }
    assert_int_equal(idset_next_free(&set, 0), IDSET_NONE);
    assert_int_equal(idset_next(&set, 777), 777);
    idset_remove(&set, 20000);
    assert_int_equal(idset_next_free(&set, 1), 20000);
    idset_add(&set, 20000);
}

static void test_against_array(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 2000; round++) {
        unsigned int first = (unsigned int)rand() % IDSET_MAX;
        unsigned int count = (unsigned int)rand() % 300;
        bool add = rand() % 3 == 0;

        for (unsigned int i = first; i < first + count && i < IDSET_MAX; i++) {
            in[i] = add;
            (add ? idset_add : idset_remove)(&set, i);
        }
        check_at((unsigned int)rand() % IDSET_MAX);
        check_at(first);
        check_at(first + count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_and_ends),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_against_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
