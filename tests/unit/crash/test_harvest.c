/* SPDX-License-Identifier: MIT */
/*
 * crash/harvest: there is a copy until it is acknowledged, once.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "crash/harvest.h"

static const char first[] = "what the last boot left", second[] = "another";
static const void *dropped;
static size_t dropped_bytes;
static unsigned int drops;

static void drop(const void *copy, size_t bytes)
{
    size_t size = 77;

    /* Whoever looks meanwhile finds it gone. */
    assert_null(harvest_get(&size));
    assert_int_equal(size, 77);
    dropped = copy;
    dropped_bytes = bytes;
    drops++;
}

static void assert_nothing(void)
{
    size_t bytes = 77;

    assert_null(harvest_get(&bytes));
    assert_int_equal(bytes, 77);
    assert_int_equal(harvest_ack(), -ENOENT);
}

static void assert_there(const void *copy, size_t size)
{
    size_t bytes = 0;

    assert_ptr_equal(harvest_get(&bytes), copy);
    assert_int_equal(bytes, size);
}

static void acknowledged_once(void **state)
{
    (void)state;
    assert_nothing();
    harvest_set(first, sizeof(first), drop);
    /* To read it does not take it away. */
    assert_there(first, sizeof(first));
    assert_there(first, sizeof(first));
    assert_int_equal(drops, 0);
    assert_int_equal(harvest_ack(), 0);
    assert_int_equal(drops, 1);
    assert_ptr_equal(dropped, first);
    assert_int_equal(dropped_bytes, sizeof(first));
    assert_nothing();
    assert_int_equal(drops, 1);
}

/* Nobody wants to be told; nor is who wanted to be for another one. */
static void nobody_is_told(void **state)
{
    unsigned int before = drops;

    (void)state;
    harvest_set(first, sizeof(first), drop);
    harvest_set(second, sizeof(second), NULL);
    assert_there(second, sizeof(second));
    assert_int_equal(harvest_ack(), 0);
    assert_nothing();
    assert_int_equal(drops, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_once),
        cmocka_unit_test(nobody_is_told),
    };

    return UNIT_RUN(tests);
}
