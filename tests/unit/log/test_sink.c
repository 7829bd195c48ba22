/* SPDX-License-Identifier: MIT */
/*
 * log/sink: several sinks, one that another CPU holds, cells that are missing,
 * and what a dying machine takes over in the middle of.
 *
 * There is no way back from log_defer() and log_emergency(): whatever needs
 * one of them is a story of its own, told by a child.
 */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "x86/percpu.h"
#include "log/printk.h"
#include "fake_hw.h"
#include "fake_sink.h"

#define WAITING 32768U /* bytes that may wait at most */

static char other_text[4096];
static size_t other_len, other_longest;
static unsigned int other_calls;

static void other_write(const char *text, size_t len)
{
    assert_true(other_len + len < sizeof(other_text));
    memcpy(other_text + other_len, text, len);
    other_len += len;
    other_text[other_len] = '\0';
    other_longest = MAX(other_longest, len);
    other_calls++;
}

/* Nothing is polled with it, so a dying machine leaves it alone. */
static struct log_sink other = {.name = "other", .write = other_write};

static void other_forget(void)
{
    other_len = other_longest = 0;
    other_calls = 0;
    other_text[0] = '\0';
}

static int setup(void **state)
{
    (void)state;
    other_forget();
    fake_shown_forget();
    fake_hw_reset();
    log_sink_unregister(&other); /* where a test has failed in between */
    return 0;
}

/* Run @story where nothing that it does for good is kept. */
static void tell(void (*story)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        alarm(10); /* a lock that is waited for is never given back */
        story();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A number is drawn, and its cell not finished. */
static uint64_t draw(void)
{
    return __atomic_fetch_add(&log_ring_now()->next, 1, __ATOMIC_RELAXED);
}

static struct vigil_log_cell *cell_at(uint64_t seq)
{
    const struct log_ring *ring = log_ring_now();

    return &ring->cells[(seq - 1) % ring->count];
}

/* A message of @len bytes @c, which nobody has shown yet; its first cell. */
static uint64_t write_hidden(char c, size_t len)
{
    static char text[LOG_TEXT_MAX];
    uint64_t first = log_ring_next(log_ring_now());

    memset(text, c, len);
    this_cpu()->context = CTX_NMI;
    log_nmi(LOG_INFO, "%.*s", (int)len, text);
    this_cpu()->context = 0;
    return first;
}

/* ---- one sink of several ------------------------------------------------- */

static void sinks_come_and_go(void **state)
{
    static struct log_sink third = {.name = "third", .write = other_write};
    uint64_t broken = log_ring_next(log_ring_now());

    (void)state;
    pr_info("is damaged");
    pr_info("is whole");
    cell_at(broken)->text[0] ^= 1;
    log_sink_register(&other);
    /* It is shown what there was, without what cannot be believed. */
    assert_string_equal(other_text, "(XEN) is whole\n");
    log_sink_unregister(&third); /* not one of them */
    pr_info("to both");
    assert_string_equal(other_text, "(XEN) is whole\n(XEN) to both\n");
    /* From behind another, and from the front. */
    log_sink_register(&third);
    log_sink_unregister(&other);
    other_forget();
    pr_info("to the third");
    assert_string_equal(other_text, "(XEN) to the third\n");
    log_sink_unregister(&third);
    pr_info("to one");
    assert_string_equal(other_text, "(XEN) to the third\n");
    assert_non_null(strstr(fake_shown, "(XEN) to one\n"));
}

/* A carriage return is never parted from its line feed, nor a piece too long. */
static void pieces_are_bounded(void **state)
{
    char text[200] = "x", want[2 * sizeof(text)] = "x";

    (void)state;
    for (size_t i = 1; i < sizeof(text); i++) {
        text[i] = i < 100 ? '\n' : 'y';
        strcat(want, i < 100 ? "\r\n" : "y");
    }
    other.crlf = true;
    log_sink_register(&other);
    other_forget();
    log_sink_write(text, sizeof(text));
    assert_string_equal(other_text, want);
    assert_in_range(other_longest, 60, 64);
    /* What is nothing is no call. */
    other_forget();
    log_sink_write(text, 0);
    assert_int_equal(other_calls, 0);
    log_sink_unregister(&other);
    other.crlf = false;
}

static unsigned int three(void)
{
    return 3000;
}

static unsigned int five(void)
{
    return 5000;
}

static void slowest_reader_is_waited_for(void **state)
{
    (void)state;
    log_sink_register(&other);
    other.linger_ms = three;
    assert_int_equal(log_linger_ms(), 3000);
    fake_sink.linger_ms = five;
    assert_int_equal(log_linger_ms(), 5000);
    other.linger_ms = five;
    fake_sink.linger_ms = three;
    assert_int_equal(log_linger_ms(), 5000);
    other.linger_ms = fake_sink.linger_ms = NULL;
    log_sink_unregister(&other);
}

/* ---- held by another CPU ------------------------------------------------- */

static void holder_shows_what_others_write(void **state)
{
    uint64_t before = log_progress.drained;

    (void)state;
    log_hold();
    fake_cpu = 1;
    pr_info("from CPU 1");
    assert_true(log_pump()); /* it is tried again */
    log_sink_skip(before, 1);
    assert_int_equal(log_progress.drained, before);
    assert_int_equal(fake_shown_len, 0);
    assert_false(log_is_shown());
    fake_cpu = 0;
    log_release();
    log_drain();
    assert_string_equal(fake_shown, "(XEN) from CPU 1\n");
    assert_true(log_is_shown());
}

static void cpu_1_writes(void)
{
    fake_cpu = 1;
    pr_info("from CPU 1");
    fake_cpu = 0;
}

/* Its writer has gone away: whoever let it wait shows it. */
static void written_beside_the_console(void **state)
{
    (void)state;
    fake_sink_hook = cpu_1_writes;
    log_sink_write("dom0\n", 5);
    assert_string_equal(fake_shown, "dom0\n(XEN) from CPU 1\n");
}

/* ---- cells that are missing ------------------------------------------------ */

static void message_without_its_end(void **state)
{
    uint64_t lost = log_sink_lost();
    uint64_t first = write_hidden('m', VIGIL_LOG_TEXT_BYTES + 20);
    char want[VIGIL_LOG_TEXT_BYTES + 40] = "(XEN) ";

    (void)state;
    cell_at(first + 1)->text[0] ^= 1;
    pr_info("next");
    memset(want + 6, 'm', VIGIL_LOG_TEXT_BYTES);
    strcpy(want + 6 + VIGIL_LOG_TEXT_BYTES, "\n(XEN) next\n");
    assert_string_equal(fake_shown, want);
    assert_int_equal(log_sink_lost(), lost + 1);
}

/* What may be left out is only what would be next, and begins a message. */
static void not_everything_is_skipped(void **state)
{
    uint64_t first = write_hidden('m', VIGIL_LOG_TEXT_BYTES + 20);
    uint64_t pending;

    (void)state;
    cell_at(first + 1)->seq = 0; /* its writer has not come so far */
    log_drain();
    assert_int_equal(fake_shown_len, 6 + VIGIL_LOG_TEXT_BYTES);
    log_sink_skip(first + 1, 1);
    assert_int_equal(log_progress.drained, first + 1);
    cell_at(first + 1)->seq = first + 1;
    log_drain();
    assert_int_equal(fake_shown_len, 6 + VIGIL_LOG_TEXT_BYTES + 20 + 1);

    /* Behind one that is not finished. */
    fake_shown_forget();
    pending = draw();
    log_console_write("dom0\n", 5);
    assert_int_equal(log_progress.drained, pending);
    for (unsigned int i = 0; !log_is_shown(); i++) {
        pr_info("patience");
        assert_in_range(i, 0, 70);
    }
    assert_non_null(strstr(fake_shown, "dom0\n(XEN) patience\n"));
}

/* ---- the pump ---------------------------------------------------------------- */

static unsigned int wakes;
static size_t fake_room, other_room; /* for what they have been given in all */

static void wake(void)
{
    wakes++;
}

static size_t room_of_fake(void)
{
    return fake_room - fake_shown_len;
}

static size_t room_of_other(void)
{
    return other_room - other_len;
}

static void hidden_cells_are_pumped(void)
{
    uint64_t first = log_progress.drained;

    log_defer(wake);
    assert_int_equal(log_set_levels(false, "none"), 0);
    for (unsigned int i = 0; i < 20; i++) {
        (void)write_hidden('q', 1);
    }
    /* Nothing to write, and still there is more to do. */
    assert_true(log_pump());
    assert_int_equal(log_progress.drained, first + 16);
    assert_false(log_pump());
    assert_int_equal(log_progress.drained, first + 20);
    assert_int_equal(fake_shown_len, 0);
    /* Where it cannot go on, who has begun the cell will come. */
    (void)draw();
    (void)write_hidden('q', 1);
    assert_false(log_pump());
    assert_int_equal(log_progress.drained, first + 20);
}

static void fullest_sink_decides(void)
{
    static char block[2000];

    memset(block, 'b', sizeof(block));
    log_sink_register(&other);
    other_forget();
    log_defer(wake);
    other.room = room_of_other;
    log_sink_write(block, sizeof(block));
    other_room = 7;
    assert_true(log_pump());
    assert_int_equal(fake_shown_len, 7);
    assert_int_equal(other_len, 7);
    fake_sink.room = room_of_fake;
    fake_room = 12;
    other_room = 1000;
    assert_true(log_pump());
    assert_int_equal(fake_shown_len, 12);
    /* None says how much: so much at a time. */
    other.room = fake_sink.room = NULL;
    (void)!log_pump();
    assert_int_equal(fake_shown_len, 12 + 512);
    assert_int_equal(other_len, 12 + 512);
}

static void pumped(void **state)
{
    (void)state;
    tell(hidden_cells_are_pumped);
    tell(fullest_sink_decides);
}

/* ---- dying ---------------------------------------------------------------------- */

static void unfinished_cell(void)
{
    uint64_t lost = log_sink_lost();

    (void)draw();
    pr_info("waits for it");
    assert_int_equal(fake_shown_len, 0);
    log_emergency();
    printk(LOG_PANIC, "does not");
    assert_string_equal(fake_shown, "(XEN) waits for it\n(XEN) does not\n");
    assert_int_equal(log_sink_lost(), lost + 1);
}

/*
 * The holder was stopped, by an NMI, in which no lock can be taken: each way into
 * the sinks is open all the same.
 */
static void held_by_the_dead(void)
{
    static struct log_sink third = {.name = "third",
                                    .emergency_write = other_write};
    uint64_t next;

    log_sink_register(&other);
    log_defer(wake);
    log_sink_write("waits ", 6);
    other_forget();
    log_hold();
    fake_cpu = 1;
    this_cpu()->context = CTX_NMI;
    log_emergency();
    /* Neither of these is for a dying machine. */
    assert_true(log_pump());
    assert_int_equal(fake_shown_len, 0);
    next = log_progress.drained;
    log_sink_skip(next, 1);
    assert_int_equal(log_progress.drained, next);

    log_flush();
    assert_string_equal(fake_shown, "waits ");
    log_console_write("dom0\n", 5);
    assert_string_equal(fake_shown, "waits dom0\n");
    printk(LOG_PANIC, "last");
    assert_string_equal(fake_shown, "waits dom0\n(XEN) last\n");
    assert_int_equal(other_calls, 0); /* it cannot be polled */
    fake_shown_forget();
    log_sink_register(&third);
    log_sink_unregister(&fake_sink);
    other_forget();
    printk(LOG_PANIC, "words");
    assert_string_equal(other_text, "(XEN) words\n");
    assert_int_equal(fake_shown_len, 0);
}

static char line[401];
static size_t line_torn_at; /* so much of it was written by then */
static size_t line_again;   /* from here on it is said again     */

/* "(XEN) " and @line in two parts, a line end, @line from where it shall be. */
static void another_dies(void)
{
    char want[1000];

    fake_cpu = 1;
    log_emergency();
    printk(LOG_PANIC, "last");
    (void)snprintf(want, sizeof(want), "(XEN) %s", line);
    (void)snprintf(want + line_torn_at, sizeof(want) - line_torn_at,
                   "\n%s%s\n(XEN) last\n", line_again == 0 ? "(XEN) " : "",
                   line_again == 0 ? line : line + line_again - 6);
    assert_string_equal(fake_shown, want);
    _exit(0);
}

/* A line of @len bytes is torn by the second @rooms of two. */
static void tear(size_t len, const size_t rooms[2])
{
    for (size_t i = 0; i < len; i++) {
        line[i] = (char)('a' + i % 26);
    }
    fake_room = 0;
    fake_sink.room = room_of_fake;
    log_defer(wake);
    pr_info("a line before it");
    fake_room = 1000;
    while (log_pump()) {
    }
    fake_shown_forget();
    pr_info("%s", line);
    fake_room = rooms[0];
    (void)!log_pump();
    assert_int_equal(fake_shown_len, rooms[0]);
    fake_room = line_torn_at = rooms[0] + rooms[1];
    fake_sink_hook = another_dies;
    (void)!log_pump();
    fail();
}

/* All of it, also what had been written some time before. */
static void short_line_is_torn(void)
{
    tear(100, (const size_t[]){40, 20});
}

/* Of one that is too long, the last 256 bytes of what had been written. */
static void long_line_is_torn(void)
{
    line_again = 300 - 256;
    tear(400, (const size_t[]){300, 20});
}

static char full[WAITING];

/* The oldest byte is the first that has not been written: nothing before it. */
static void full_ring_dies(void)
{
    fake_cpu = 1;
    log_emergency();
    printk(LOG_PANIC, "last");
    assert_int_equal(fake_shown_len, 256 + 1 + WAITING + 11);
    assert_memory_equal(fake_shown, full, 256);
    assert_memory_equal(fake_shown + 256, "\n", 1);
    assert_memory_equal(fake_shown + 257, full, WAITING);
    assert_string_equal(fake_shown + 257 + WAITING, "(XEN) last\n");
    _exit(0);
}

static void full_ring_is_torn(void)
{
    memset(full, 'f', sizeof(full));
    log_defer(wake);
    fake_sink_hook = full_ring_dies;
    log_sink_write(full, sizeof(full));
    fail();
}

static void dying(void **state)
{
    (void)state;
    tell(unfinished_cell);
    tell(held_by_the_dead);
    tell(short_line_is_torn);
    tell(long_line_is_torn);
    tell(full_ring_is_torn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sinks_come_and_go, setup),
        cmocka_unit_test_setup(pieces_are_bounded, setup),
        cmocka_unit_test_setup(slowest_reader_is_waited_for, setup),
        cmocka_unit_test_setup(holder_shows_what_others_write, setup),
        cmocka_unit_test_setup(written_beside_the_console, setup),
        cmocka_unit_test_setup(message_without_its_end, setup),
        cmocka_unit_test_setup(not_everything_is_skipped, setup),
        cmocka_unit_test_setup(pumped, setup),
        cmocka_unit_test_setup(dying, setup),
    };

    fake_hw_reset();
    log_sink_register(&fake_sink);
    return UNIT_RUN(tests);
}
