/* SPDX-License-Identifier: MIT */
/*
 * log/conring: readconsole's semantics, over the wrap of ring and counters; a
 * writer that overtakes a reader in the middle.
 */
#define _GNU_SOURCE
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/mman.h>

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

#define PAGE 4096UL

/* The reader's buffer, of two pages, each of which takes turns to be missing. */
static char *pages;
static unsigned int laps, laps_max;

/* What stands at a position: nowhere near is the same run of bytes. */
static char byte_at(uint32_t position)
{
    return (char)(position * 2654435761U >> 24);
}

static uint32_t written;

static void write_on(uint32_t n)
{
    for (; n > 0; n--, written++) {
        char c = byte_at(written);

        conring_put(&c, 1);
    }
}

/* Some of its bytes are copied: another CPU writes a whole ring meanwhile. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    size_t page = (size_t)((char *)info->si_addr - pages) / PAGE;

    (void)sig;
    (void)context;
    if (page > 1) {
        abort();
    }
    (void)mprotect(pages + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
    if (page == 1 && laps < laps_max) {
        laps++;
        (void)mprotect(pages, PAGE, PROT_NONE);
        write_on(CONRING_BYTES);
    } else if (laps < laps_max) {
        (void)mprotect(pages + PAGE, PAGE, PROT_NONE);
    }
}

/* Read both pages while the ring is written anew @max times, as tries go. */
static size_t read_overtaken(unsigned int max, uint32_t *ret_index)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    struct sigaction before;
    size_t n;

    laps = 0;
    laps_max = max;
    assert_int_equal(sigaction(SIGSEGV, &sa, &before), 0);
    assert_int_equal(mprotect(pages, 2 * PAGE, PROT_NONE), 0);
    n = conring_read(pages, 2 * PAGE, false, 0, ret_index);
    assert_int_equal(mprotect(pages, 2 * PAGE, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    return n;
}

static void overtaken_reader_begins_again(void **state)
{
    uint32_t index;

    (void)state;
    pages = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    conring_read(buf, sizeof(buf), false, 0, &written);
    write_on(CONRING_BYTES);
    for (unsigned int max = 1; max < 8; max++) {
        assert_int_equal(read_overtaken(max, &index), 2 * PAGE);
        assert_int_equal(laps, max);
        /* Of one piece, and the oldest there is. */
        assert_int_equal(index, written - (CONRING_BYTES - 1) + 2 * PAGE);
        for (size_t i = 0; i < 2 * PAGE; i++) {
            assert_int_equal(pages[i],
                             byte_at(index - (uint32_t)(2 * PAGE - i)));
        }
    }
    /* By a writer that never rests it is not kept for ever. */
    assert_int_equal(read_overtaken(1000, &index), 2 * PAGE);
    assert_int_equal(laps, 8);
    assert_int_equal(index,
                     written - CONRING_BYTES - (CONRING_BYTES - 1) + 2 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_clears),
        cmocka_unit_test(strange_start_is_moved),
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(overtaken_reader_begins_again),
    };

    return UNIT_RUN(tests);
}
