/* SPDX-License-Identifier: MIT */
/*
 * sync/seqcount and sync/refcount: readers see whole values; counts saturate.
 */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "sync/refcount.h"
#include "sync/seqcount.h"
#include "fire_alarm.h"

static struct seqcount seq;
static uint64_t pair[2];
static bool stop;

static void *write_pairs(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        seqcount_write_begin(&seq);
        __atomic_store_n(&pair[0], i, __ATOMIC_RELAXED);
        __atomic_store_n(&pair[1], i, __ATOMIC_RELAXED);
        seqcount_write_end(&seq);
    }
    return NULL;
}

static void readers_see_whole_values(void **state)
{
    pthread_t writer;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_pairs, NULL), 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t a, b;
        uint32_t s;

        do {
            s = seqcount_read_begin(&seq);
            a = __atomic_load_n(&pair[0], __ATOMIC_RELAXED);
            b = __atomic_load_n(&pair[1], __ATOMIC_RELAXED);
        } while (seqcount_read_retry(&seq, s));
        assert_int_equal(a, b);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(writer, NULL);
}

static void nmi_readers_give_up(void **state)
{
    struct seqcount s = {0};
    uint32_t at;

    (void)state;
    assert_true(seqcount_try_read_begin(&s, &at));
    seqcount_write_begin(&s);
    assert_true(seqcount_read_retry(&s, at));
    assert_false(seqcount_try_read_begin(&s, &at));
    seqcount_write_end(&s);
    assert_true(seqcount_try_read_begin(&s, &at));
    assert_false(seqcount_read_retry(&s, at));
}

static void refcounts(void **state)
{
    struct refcount ref;

    (void)state;
    refcount_init(&ref, 1);
    refcount_get(&ref);
    assert_true(refcount_get_unless_zero(&ref));
    assert_false(refcount_put(&ref));
    assert_false(refcount_put(&ref));
    assert_true(refcount_put(&ref));
    assert_false(refcount_get_unless_zero(&ref));
    EXPECT_PANIC(refcount_get(&ref));
    refcount_init(&ref, 0);
    EXPECT_PANIC((void)!refcount_put(&ref));

    refcount_init(&ref, REFCOUNT_SATURATED - 1);
    refcount_get(&ref);
    refcount_get(&ref);
    assert_int_equal(refcount_read(&ref), REFCOUNT_SATURATED);
    /* Saturated: leaks for ever rather than ever being freed. */
    assert_false(refcount_put(&ref));
    assert_true(refcount_get_unless_zero(&ref));
    assert_int_equal(refcount_read(&ref), REFCOUNT_SATURATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_whole_values),
        cmocka_unit_test(nmi_readers_give_up),
        cmocka_unit_test(refcounts),
    };

    return UNIT_RUN(tests);
}
