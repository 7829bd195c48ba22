/* SPDX-License-Identifier: MIT */
/* Log cells: order, gaps, torn cells, long lines, other boots, noise. */
#include "tests/unit/unit.h"

#include <vigil/log.h>
#include <vigil/log_sum.h>

#include "lib/checksum.h"
#include "lib/log_decode.h"

#define CELLS 8

static struct vigil_log_cell ring[CELLS];

static void put(size_t at, uint64_t seq, uint64_t boot_id, uint8_t flags,
                const char *text)
{
    struct vigil_log_cell *cell = &ring[at];

    memset(cell, 0, sizeof(*cell));
    cell->seq = seq;
    cell->boot_id = boot_id;
    cell->tsc = seq * 1000;
    cell->flags = flags;
    cell->level = VIGIL_LOG_INFO;
    cell->len = (uint16_t)strlen(text);
    memcpy(cell->text, text, strlen(text));
    cell->sum = vigil_log_sum(cell);
}

static int empty_ring(void **state)
{
    (void)state;
    memset(ring, 0, sizeof(ring));
    return 0;
}

static void test_checksum(void **state)
{
    (void)state;
    assert_int_equal(checksum_crc32("", 0), 0);
    assert_int_equal(checksum_crc32("123456789", 9), 0xcbf43926);
}

static void test_order_after_wrap(void **state)
{
    struct log_decoded log;

    (void)state;
    for (uint64_t seq = 5; seq < 5 + CELLS; seq++) {
        char text[2] = {(char)('a' + seq), '\0'};

        put(seq % CELLS, seq, 1, 0, text);
    }
    log_decode(ring, sizeof(ring), 1, &log);
    assert_int_equal(log.line_count, CELLS);
    for (size_t i = 0; i < CELLS; i++) {
        assert_int_equal(log.lines[i].seq, 5 + i);
        assert_int_equal(log.lines[i].text[0], 'a' + 5 + (int)i);
    }
    assert_int_equal(log.lost_cells, 0);
    assert_int_equal(log.torn_cells, 0);
    log_decoded_free(&log);
}

static void test_torn_and_lost(void **state)
{
    struct log_decoded log;

    (void)state;
    put(0, 1, 1, 0, "one");
    put(1, 2, 1, 0, "two");
    put(2, 3, 1, 0, "three");
    put(3, 6, 1, 0, "six");
    ring[1].text[0] = 'T'; /* torn: checksum no longer agrees */
    log_decode(ring, sizeof(ring), 1, &log);
    assert_int_equal(log.line_count, 3);
    assert_string_equal(log.lines[1].text, "three");
    assert_int_equal(log.torn_cells, 1);
    assert_int_equal(log.lost_cells, 3); /* 2, 4 and 5 */
    log_decoded_free(&log);
}

static void test_long_line(void **state)
{
    struct log_decoded log;

    (void)state;
    put(0, 1, 1, VIGIL_LOG_F_MORE, "begins ");
    put(1, 2, 1, VIGIL_LOG_F_MORE, "goes on ");
    put(2, 3, 1, 0, "ends");
    put(3, 4, 1, VIGIL_LOG_F_MORE, "lost end");
    put(4, 6, 1, 0, "next");
    put(5, 7, 1, VIGIL_LOG_F_MORE, "last");
    log_decode(ring, sizeof(ring), 1, &log);
    assert_int_equal(log.line_count, 4);
    assert_string_equal(log.lines[0].text, "begins goes on ends");
    assert_int_equal(log.lines[0].cut, 0);
    assert_string_equal(log.lines[1].text, "lost end");
    assert_int_equal(log.lines[1].cut, 1);
    assert_string_equal(log.lines[2].text, "next");
    assert_int_equal(log.lines[3].cut, 1);
    log_decoded_free(&log);
}

static void test_other_boots(void **state)
{
    struct log_decoded log;

    (void)state;
    put(0, 9, 7, 0, "old");
    put(1, 1, 8, 0, "new one");
    put(2, 2, 8, 0, "new two");
    log_decode(ring, sizeof(ring), 7, &log);
    assert_int_equal(log.line_count, 1);
    assert_string_equal(log.lines[0].text, "old");
    assert_int_equal(log.other_boots, 2);
    log_decoded_free(&log);

    /* Nobody knows which boot: take the one with most cells. */
    log_decode(ring, sizeof(ring), 0, &log);
    assert_int_equal(log.line_count, 2);
    assert_string_equal(log.lines[0].text, "new one");
    log_decoded_free(&log);

    log_decode(ring, sizeof(ring), 99, &log);
    assert_int_equal(log.line_count, 0);
    assert_int_equal(log.other_boots, 3);
    log_decoded_free(&log);
}

static void test_hostile_fields(void **state)
{
    struct log_decoded log;

    (void)state;
    /* The checksum agrees, the fields are still impossible. */
    put(0, 1, 1, 0, "x");
    ring[0].len = VIGIL_LOG_TEXT_BYTES + 1;
    ring[0].sum = 0;
    ring[0].sum = vigil_log_sum(&ring[0]);
    put(1, 2, 1, 0, "y");
    ring[1].level = 200;
    ring[1].sum = 0;
    ring[1].sum = vigil_log_sum(&ring[1]);
    put(2, UINT64_MAX, 1, VIGIL_LOG_F_MORE, "z");
    put(3, UINT64_MAX, 1, 0, "z again");
    log_decode(ring, sizeof(ring), 1, &log);
    assert_int_equal(log.torn_cells, 2);
    assert_int_equal(log.line_count, 1);
    log_decoded_free(&log);

    /* Not a whole number of cells, odd address. */
    log_decode((const char *)ring + 1, sizeof(ring) - 100, 0, &log);
    log_decoded_free(&log);
    log_decode(ring, 0, 0, &log);
    assert_int_equal(log.line_count, 0);
    log_decoded_free(&log);
}

static void test_noise(void **state)
{
    uint32_t random = 12345;
    struct log_decoded log;

    (void)state;
    for (int round = 0; round < 200; round++) {
        unsigned char *byte = (unsigned char *)ring;

        for (size_t i = 0; i < sizeof(ring); i++) {
            random = random * 1664525 + 1013904223;
            byte[i] = (unsigned char)(random >> 24);
        }
        log_decode(ring, sizeof(ring), round & 1 ? 1 : 0, &log);
        assert_int_equal(log.line_count, 0);
        log_decoded_free(&log);
    }
}

static void test_text(void **state)
{
    struct log_decoded log;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    put(0, 1, 1, 0, "hello\n");
    put(1, 2, 1, VIGIL_LOG_F_GUEST, "\033[2J");
    ring[1].level = VIGIL_LOG_PANIC;
    ring[1].context = VIGIL_LOG_CTX_NMI;
    ring[1].cpu = 3;
    ring[1].sum = 0;
    ring[1].sum = vigil_log_sum(&ring[1]);
    log_decode(ring, sizeof(ring), 1, &log);
    log_write_text(out, &log, 1000); /* 1 MHz: 1000 ticks are 1 ms */
    fclose(out);
    assert_string_equal(text,
                        "[    0.001000] cpu0 info: hello\n"
                        "[    0.002000] cpu3 panic/nmi guest: \\x1b[2J\n");
    free(text);
    log_decoded_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),
        cmocka_unit_test_setup(test_order_after_wrap, empty_ring),
        cmocka_unit_test_setup(test_torn_and_lost, empty_ring),
        cmocka_unit_test_setup(test_long_line, empty_ring),
        cmocka_unit_test_setup(test_other_boots, empty_ring),
        cmocka_unit_test_setup(test_hostile_fields, empty_ring),
        cmocka_unit_test_setup(test_noise, empty_ring),
        cmocka_unit_test_setup(test_text, empty_ring),
    };

    return UNIT_RUN(tests);
}
