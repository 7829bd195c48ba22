/* SPDX-License-Identifier: MIT */
/*
 * log/ring: whole messages, wrap, every reader's answer, damage.  Many writers
 * at once: test_ring_load.c.
 */
#include "tests/unit/unit.h"

#include "log/ring.h"
#include "fake_hw.h"

#define CELLS 8

static struct vigil_log_cell cells[1024] __attribute__((aligned(64)));
static struct log_ring ring;

static const struct log_tag tag = {.level = LOG_INFO,
                                   .context = LOG_CTX_NMI,
                                   .flags =
                                       VIGIL_LOG_F_GUEST | VIGIL_LOG_F_MORE,
                                   .cpu = 3,
                                   .tsc = 12345};

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    log_ring_init(&ring, cells, CELLS * sizeof(*cells), 99);
    return 0;
}

static void one_message(void **state)
{
    struct vigil_log_cell cell;

    (void)state;
    assert_int_equal(log_ring_read(&ring, 1, &cell), LOG_READ_EMPTY);
    assert_int_equal(log_ring_write(&ring, &tag, "hello", 5), 1);
    assert_int_equal(log_ring_read(&ring, 1, &cell), LOG_READ_OK);
    assert_int_equal(cell.seq, 1);
    assert_int_equal(cell.boot_id, 99);
    assert_int_equal(cell.len, 5);
    assert_int_equal(cell.cpu, 3);
    assert_int_equal(cell.tsc, 12345);
    assert_int_equal(cell.level, VIGIL_LOG_INFO);
    assert_int_equal(cell.context, VIGIL_LOG_CTX_NMI);
    assert_int_equal(cell.flags, VIGIL_LOG_F_GUEST);
    assert_memory_equal(cell.text, "hello", 5);
    assert_int_equal(cell.text[5], 0);
    assert_int_equal(log_ring_read(&ring, 0, &cell), LOG_READ_LOST);
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_EMPTY);
}

static void empty_and_full_cells(void **state)
{
    struct vigil_log_cell cell;
    char text[VIGIL_LOG_TEXT_BYTES + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    log_ring_write(&ring, &tag, text, 0);
    assert_int_equal(log_ring_read(&ring, 1, &cell), LOG_READ_OK);
    assert_int_equal(cell.len, 0);
    log_ring_write(&ring, &tag, text, VIGIL_LOG_TEXT_BYTES);
    assert_int_equal(log_ring_next(&ring), 3);
    log_ring_write(&ring, &tag, text, VIGIL_LOG_TEXT_BYTES + 1);
    assert_int_equal(log_ring_next(&ring), 5);
    assert_int_equal(log_ring_read(&ring, 3, &cell), LOG_READ_OK);
    assert_true(cell.flags & VIGIL_LOG_F_MORE);
    assert_int_equal(log_ring_read(&ring, 4, &cell), LOG_READ_OK);
    assert_int_equal(cell.len, 1);
    assert_false(cell.flags & VIGIL_LOG_F_MORE);
}

static void too_long_is_cut(void **state)
{
    char text[CELLS * VIGIL_LOG_TEXT_BYTES];

    (void)state;
    memset(text, 'y', sizeof(text));
    assert_int_equal(log_ring_write(&ring, &tag, text, sizeof(text)), 1);
    assert_int_equal(log_ring_next(&ring), 1 + CELLS / 2);
}

static void wraps_and_says_what_is_gone(void **state)
{
    struct vigil_log_cell cell;
    char text[16];

    (void)state;
    for (int i = 1; i <= 3 * CELLS + 2; i++) {
        int len = snprintf(text, sizeof(text), "line %d", i);

        assert_int_equal(log_ring_write(&ring, &tag, text, (size_t)len), i);
    }
    assert_int_equal(log_ring_oldest(&ring), 2 * CELLS + 3);
    assert_int_equal(log_ring_read(&ring, 2 * CELLS + 2, &cell), LOG_READ_LOST);
    for (uint64_t seq = 2 * CELLS + 3; seq < log_ring_next(&ring); seq++) {
        assert_int_equal(log_ring_read(&ring, seq, &cell), LOG_READ_OK);
        snprintf(text, sizeof(text), "line %d", (int)seq);
        assert_memory_equal(cell.text, text, cell.len);
    }
}

static void unfinished_and_damaged(void **state)
{
    struct vigil_log_cell cell;

    (void)state;
    for (int i = 0; i < 3; i++) {
        log_ring_write(&ring, &tag, "abc", 3);
    }
    cells[1].seq = 0; /* its writer has not come to the end */
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_PENDING);
    cells[1].seq = 2;
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_OK);
    cells[1].text[1] ^= 1;
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_LOST);
    cells[1].text[1] ^= 1;
    cells[1].len = 5000;
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_LOST);
    cells[1].len = 3;
    cells[1].seq = 2 + CELLS; /* somebody was faster */
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_LOST);
}

/* One that drew its number a lap ago gives way to what stands there now. */
static void late_writer_gives_way(void **state)
{
    struct vigil_log_cell cell;

    (void)state;
    for (int i = 0; i < CELLS + 2; i++) {
        log_ring_write(&ring, &tag, "new", 3);
    }
    ring.next = 2;
    assert_int_equal(log_ring_write(&ring, &tag, "old", 3), 2);
    ring.next = CELLS + 3;
    assert_int_equal(log_ring_read(&ring, CELLS + 2, &cell), LOG_READ_OK);
    assert_memory_equal(cell.text, "new", 3);
    assert_int_equal(log_ring_read(&ring, 2, &cell), LOG_READ_LOST);
}

static void every_bit_is_covered_by_the_checksum(void **state)
{
    struct vigil_log_cell cell;
    unsigned char *raw = (unsigned char *)&cells[0];

    (void)state;
    log_ring_write(&ring, &tag, "abc", 3);
    for (size_t bit = 0; bit < sizeof(*cells) * 8; bit++) {
        bool used = bit / 8 < offsetof(struct vigil_log_cell, text) + 3;

        raw[bit / 8] ^= (unsigned char)(1 << bit % 8);
        /* What is not used may be the rest of an older cell. */
        assert_int_equal(log_ring_read(&ring, 1, &cell) == LOG_READ_OK, !used);
        raw[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_int_equal(log_ring_read(&ring, 1, &cell), LOG_READ_OK);
}

static void last_words_leave_the_cache(void **state)
{
    struct log_tag grave = tag;

    (void)state;
    log_ring_write(&ring, &tag, "abc", 3);
    assert_int_equal(fake_flushed_lines, 0);
    grave.level = LOG_ERROR;
    log_ring_write(&ring, &grave, "abc", 3);
    assert_int_equal(fake_flushed_lines, sizeof(*cells) / 64);
}

static void adopted_by_another_ring(void **state)
{
    static struct vigil_log_cell other[4] __attribute__((aligned(64)));
    struct log_ring to;
    struct vigil_log_cell cell;

    (void)state;
    for (int i = 0; i < 11; i++) {
        log_ring_write(&ring, &tag, "abc", 3);
    }
    log_ring_init(&to, other, sizeof(other), 100);
    log_ring_adopt(&to, &ring);
    assert_int_equal(log_ring_next(&to), 12);
    assert_int_equal(log_ring_read(&to, 7, &cell), LOG_READ_LOST);
    for (uint64_t seq = 8; seq < 12; seq++) {
        assert_int_equal(log_ring_read(&to, seq, &cell), LOG_READ_OK);
        assert_int_equal(cell.boot_id, 100);
    }
    assert_int_equal(log_ring_write(&to, &tag, "next", 4), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_message, setup),
        cmocka_unit_test_setup(empty_and_full_cells, setup),
        cmocka_unit_test_setup(too_long_is_cut, setup),
        cmocka_unit_test_setup(wraps_and_says_what_is_gone, setup),
        cmocka_unit_test_setup(unfinished_and_damaged, setup),
        cmocka_unit_test_setup(late_writer_gives_way, setup),
        cmocka_unit_test_setup(every_bit_is_covered_by_the_checksum, setup),
        cmocka_unit_test_setup(last_words_leave_the_cache, setup),
        cmocka_unit_test_setup(adopted_by_another_ring, setup),
    };

    return UNIT_RUN(tests);
}
