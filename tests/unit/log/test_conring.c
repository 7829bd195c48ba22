/* SPDX-License-Identifier: MIT */
/*
 * log/conring: readconsole's semantics, over the wrap of ring and counters.
 */
#include "tests/unit/unit.h"

#include "log/conring.h"

static char buf[2 * CONRING_BYTES];

static void put(const char *text)
{
    conring_put(text, strlen(text));
}

static void reads_and_clears(void **state)
{
    uint32_t index;

    (void)state;
    assert_int_equal(conring_read(buf, sizeof(buf), false, 0, &index), 0);
    put("one\ntwo\n");
    assert_int_equal(conring_read(buf, sizeof(buf), false, 0, &index), 8);
    assert_memory_equal(buf, "one\ntwo\n", 8);
    assert_int_equal(index, 8);
    /* Reading again without the index begins at the oldest. */
    assert_int_equal(conring_read(buf, 4, false, 0, &index), 4);
    assert_int_equal(index, 4);
    /* Incremental goes on where it stopped. */
    assert_int_equal(conring_read(buf, sizeof(buf), true, index, &index), 4);
    assert_memory_equal(buf, "two\n", 4);
    assert_int_equal(conring_read(buf, sizeof(buf), true, index, &index), 0);
    put("three\n");
    assert_int_equal(conring_read(buf, sizeof(buf), true, index, &index), 6);

    conring_clear(8);
    assert_int_equal(conring_read(buf, sizeof(buf), false, 0, &index), 6);
    assert_memory_equal(buf, "three\n", 6);
    /* Clearing backwards, or what was never written, does nothing. */
    conring_clear(2);
    conring_clear(5000);
    assert_int_equal(conring_read(buf, sizeof(buf), false, 0, &index), 6);
}

static void strange_start_is_moved(void **state)
{
    uint32_t index;

    (void)state;
    assert_int_equal(conring_read(buf, sizeof(buf), true, 0, &index), 6);
    assert_int_equal(conring_read(buf, sizeof(buf), true, 0x80000000, &index),
                     6);
    assert_int_equal(conring_read(buf, sizeof(buf), true, UINT32_MAX, &index),
                     6);
}

static void keeps_the_newest(void **state)
{
    uint32_t index;
    size_t n;

    (void)state;
    for (int i = 0; i < 40000; i++) {
        char line[16];

        snprintf(line, sizeof(line), "%07d\n", i);
        put(line);
    }
    n = conring_read(buf, sizeof(buf), false, 0, &index);
    assert_int_equal(n, CONRING_BYTES - 1);
    assert_memory_equal(buf + n - 8, "0039999\n", 8);
    /* Piece by piece gives the same. */
    conring_read(buf, 0, false, 0, &index);
    for (size_t at = 0; at < n;) {
        char piece[1000];
        size_t got = conring_read(piece, sizeof(piece), true, index, &index);

        assert_true(got > 0);
        assert_memory_equal(piece, buf + at, got);
        at += got;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_clears),
        cmocka_unit_test(strange_start_is_moved),
        cmocka_unit_test(keeps_the_newest),
    };

    return UNIT_RUN(tests);
}
