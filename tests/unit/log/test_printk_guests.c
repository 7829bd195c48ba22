/* SPDX-License-Identifier: MIT */
/*
 * log/printk on guests: each has its share of lines, counted by itself, and
 * its text steers no terminal.
 */
#include "tests/unit/unit.h"

#include "log/printk.h"
#include "fake_hw.h"
#include "fake_sink.h"


static int begin(void **state)
{
    (void)state;
    log_sink_register(&fake_sink);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    assert_int_equal(log_set_levels(false, "info"), 0);
    assert_int_equal(log_set_levels(true, "warning"), 0);
    fake_shown_forget();
    return 0;
}

static unsigned int count_lines(void)
{
    unsigned int n = 0;

    for (size_t i = 0; i < fake_shown_len; i++) {
        n += fake_shown[i] == '\n';
    }
    return n;
}

/* The text of the newest cell but @back; "" if it is not there. */
static const char *kept(unsigned int back)
{
    static struct vigil_log_cell cell;
    static char text[VIGIL_LOG_TEXT_BYTES + 1];
    uint64_t seq = log_ring_next(log_ring_now()) - 1 - back;

    if (log_ring_read(log_ring_now(), seq, &cell) != LOG_READ_OK) {
        return "";
    }
    memcpy(text, cell.text, cell.len);
    text[cell.len] = '\0';
    return text;
}

static struct log_guest noisy, other;

static void two_guests(void)
{
    log_guest_init(&noisy, 5);
    log_guest_init(&other, 6);
    log_set_clock(1000); /* one cycle is one microsecond */
    fake_tsc_step = 0;
}

static void guests_are_limited(void **state)
{
    struct log_stats before, stats;
    uint64_t cells = log_ring_next(log_ring_now());

    (void)state;
    two_guests();
    log_get_stats(&before);
    assert_int_equal(log_set_levels(true, "error/warning"), 0);
    for (int i = 0; i < 100; i++) {
        log_about(LOG_WARNING, &noisy, 2, "silly thing %d", i);
    }
    assert_int_equal(count_lines(), 10);
    assert_memory_equal(fake_shown, "(XEN) d5v2 silly thing 0\n", 25);
    log_get_stats(&stats);
    assert_int_equal(stats.limited - before.limited, 90);
    /* Nor do they take the place of others' in the ring. */
    assert_int_equal(log_ring_next(log_ring_now()), cells + 10);
    fake_shown_len = 0;
    fake_tsc += 1000000;
    for (int i = 0; i < 100; i++) {
        log_about(LOG_WARNING, &noisy, -1, "again");
    }
    assert_string_equal(fake_shown, "(XEN) d5 too many lines: 90 left out\n"
                               "(XEN) d5 again\n(XEN) d5 again\n");
    log_about(LOG_ERROR, &noisy, -1, "below the first level: always");
    assert_int_equal(count_lines(), 4);
    log_about(LOG_INFO, &noisy, -1, "above the second: never");
    assert_int_equal(count_lines(), 4);
    assert_string_equal(kept(0), "d5 above the second: never");
    /* What is left is said when it goes, once. */
    fake_shown_len = 0;
    log_guest_end(&noisy);
    log_guest_end(&noisy);
    assert_string_equal(fake_shown, "(XEN) d5 too many lines: 98 left out\n");
}

/* A flood costs nobody else a line, nor the guest that has its number next. */
static void a_guest_has_its_own_limit(void **state)
{
    (void)state;
    two_guests();
    assert_int_equal(log_set_levels(true, "none/all"), 0);
    for (int i = 0; i < 1000; i++) {
        log_about(LOG_WARNING, &noisy, 0, "flood");
        log_guest_line(&noisy, "flood", 5);
    }
    assert_int_equal(count_lines(), 10);
    fake_shown_len = 0;
    log_guest_line(&other, "quiet", 5);
    pr_info("ours");
    log_guest_init(&noisy, 5);
    log_about(LOG_WARNING, &noisy, -1, "born again");
    assert_string_equal(fake_shown, "(d6) quiet\n(XEN) ours\n"
                               "(XEN) d5 born again\n");
}

/* What only the ring gets has a limit, too, and costs nothing that is shown. */
static void hidden_lines_are_limited(void **state)
{
    uint64_t cells = log_ring_next(log_ring_now());

    (void)state;
    two_guests();
    assert_int_equal(log_set_levels(true, "none/warning"), 0);
    for (int i = 0; i < 1000; i++) {
        log_guest_line(&noisy, "flood", 5);
    }
    assert_int_equal(log_ring_next(log_ring_now()), cells + 100);
    assert_int_equal(fake_shown_len, 0);
    log_about(LOG_WARNING, &noisy, -1, "seen");
    assert_string_equal(fake_shown, "(XEN) d5 seen\n");
    fake_tsc += 500000;
    log_guest_line(&noisy, "later", 5);
    assert_string_equal(kept(0), "(d5) later");
    assert_string_equal(kept(1), "d5 too many lines: 900 left out");
    assert_string_equal(fake_shown, "(XEN) d5 seen\n");
}

/* One that has been shown all, and kept less: only the ring is told. */
static void what_was_hidden_is_told_hidden(void **state)
{
    (void)state;
    two_guests();
    assert_int_equal(log_set_levels(true, "none/warning"), 0);
    for (int i = 0; i < 103; i++) {
        log_guest_line(&noisy, "flood", 5);
    }
    log_guest_end(&noisy);
    assert_string_equal(kept(0), "d5 too many lines: 3 left out");
    assert_int_equal(fake_shown_len, 0);
}

/* By vcpus at once: who does not get at the count is left out, and counted. */
static void two_at_once_do_not_pass(void **state)
{
    (void)state;
    two_guests();
    assert_int_equal(log_set_levels(true, "none/all"), 0);
    noisy.busy = 1;
    log_about(LOG_WARNING, &noisy, 1, "meanwhile");
    assert_int_equal(fake_shown_len, 0);
    noisy.busy = 0;
    log_about(LOG_WARNING, &noisy, 0, "then");
    assert_string_equal(fake_shown, "(XEN) d5 too many lines: 1 left out\n"
                               "(XEN) d5v0 then\n");
}

/* The operator wants them all, or there is no clock yet. */
static void no_limit_at_all(void **state)
{
    (void)state;
    two_guests();
    assert_int_equal(log_set_levels(true, "all"), 0);
    for (int i = 0; i < 200; i++) {
        log_about(LOG_DEBUG, &noisy, -1, "x");
    }
    assert_int_equal(count_lines(), 200);
    log_set_clock(0);
    assert_int_equal(log_set_levels(true, "none/all"), 0);
    for (int i = 0; i < 200; i++) {
        log_about(LOG_DEBUG, &noisy, -1, "x");
    }
    assert_int_equal(count_lines(), 400);
}

static void guest_text_is_made_harmless(void **state)
{
    (void)state;
    assert_int_equal(log_set_levels(true, "all"), 0);
    two_guests();
    log_guest_line(&other, "a\x1b[2Jb\n", 7);
    assert_string_equal(fake_shown, "(d6) a.[2Jb\n");
    fake_shown_forget();
    log_guest_line(&other, "\t\x7f~ \xff\r\n\r\n", 9);
    log_guest_line(&other, "\r\n", 2);
    log_guest_line(&other, "", 0);
    assert_string_equal(fake_shown, "(d6) \t.~ \xff\n(d6) \n(d6) \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(guests_are_limited, setup),
        cmocka_unit_test_setup(a_guest_has_its_own_limit, setup),
        cmocka_unit_test_setup(hidden_lines_are_limited, setup),
        cmocka_unit_test_setup(what_was_hidden_is_told_hidden, setup),
        cmocka_unit_test_setup(two_at_once_do_not_pass, setup),
        cmocka_unit_test_setup(no_limit_at_all, setup),
        cmocka_unit_test_setup(guest_text_is_made_harmless, setup),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
