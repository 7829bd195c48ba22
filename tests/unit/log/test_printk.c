/* SPDX-License-Identifier: MIT */
/*
 * log/printk and log/sink: what reaches the console, in which form, and what
 * does not; NMI context; emergency mode.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/percpu.h"
#include "log/conring.h"
#include "log/printk.h"
#include "fake_hw.h"
#include "fake_sink.h"


static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    assert_int_equal(log_set_levels(false, "info"), 0);
    assert_int_equal(log_set_levels(true, "warning"), 0);
    fake_shown_forget();
    return 0;
}

static void early_lines_are_replayed(void **state)
{
    (void)state;
    printk(LOG_INFO, "before any sink, number %d", 1);
    assert_int_equal(fake_shown_len, 0);
    log_sink_register(&fake_sink);
    assert_string_equal(fake_shown, "(XEN) before any sink, number 1\n");
}

static void lines_are_prefixed(void **state)
{
    (void)state;
    pr_info("one line\n");
    pr_err("two\nlines");
    assert_string_equal(fake_shown, "(XEN) one line\n(XEN) two\n(XEN) lines\n");
}

static void long_lines_stay_whole(void **state)
{
    char text[LOG_TEXT_MAX + 100];

    (void)state;
    memset(text, 'z', sizeof(text));
    printk(LOG_INFO, "%.*s", 400, text);
    assert_int_equal(fake_shown_len, 6 + 400 + 1);
    fake_shown_len = 0;
    printk(LOG_INFO, "%.*s", (int)sizeof(text), text);
    assert_int_equal(fake_shown_len, 6 + LOG_TEXT_MAX - 1 + 1);
}

static void only_line_ends(void **state)
{
    (void)state;
    pr_info("\n\n");
    assert_string_equal(fake_shown, "(XEN) \n");
}

/* The record says in which context it was written: the worst there is. */
static void contexts_are_kept(void **state)
{
    static const struct {
        uint32_t word;
        enum log_context context;
    } cases[] = {
        {0, LOG_CTX_NORMAL},
        {CTX_IRQ, LOG_CTX_IRQ},
        {CTX_NMI << 4 | CTX_IRQ, LOG_CTX_NMI},
        {CTX_NMI << 4 | CTX_MC, LOG_CTX_MC},
        {CTX_CRASH << 8 | CTX_MC << 4 | CTX_NMI, LOG_CTX_CRASH},
    };
    struct vigil_log_cell cell;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t seq = log_ring_next(log_ring_now());

        this_cpu()->context = cases[i].word;
        log_nmi(LOG_INFO, "in context");
        assert_int_equal(log_ring_read(log_ring_now(), seq, &cell),
                         LOG_READ_OK);
        assert_int_equal(cell.context, cases[i].context);
    }
    this_cpu()->context = 0;
    log_drain();
}

static void levels(void **state)
{
    uint64_t before = log_ring_next(log_ring_now());

    (void)state;
    pr_debug("hidden");
    assert_int_equal(fake_shown_len, 0);
    /* Hidden from the console, kept in the ring. */
    assert_int_equal(log_ring_next(log_ring_now()), before + 1);
    assert_int_equal(log_set_levels(false, "all"), 0);
    pr_debug("seen");
    assert_string_equal(fake_shown, "(XEN) seen\n");
    assert_int_equal(log_set_levels(false, "error"), 0);
    pr_warn("hidden");
    assert_string_equal(fake_shown, "(XEN) seen\n");
    assert_int_equal(log_set_levels(false, "none"), 0);
    pr_err("hidden");
    printk(LOG_PANIC, "always");
    assert_string_equal(fake_shown, "(XEN) seen\n(XEN) always\n");
    assert_int_equal(log_set_levels(false, "loud"), -EINVAL);
    assert_int_equal(log_set_levels(false, "error/loud"), -EINVAL);
    assert_int_equal(log_set_levels(false, ""), -EINVAL);
    assert_int_equal(log_set_levels(false, "/"), -EINVAL);
}

/* What a level is said to be, for all there are. */
static void levels_are_told(void **state)
{
    static const char *const names[] = {"none", "error", "warning", "info",
                                        "debug"};
    char text[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(log_set_levels(false, names[i]), 0);
        log_get_levels(false, text, sizeof(text));
        assert_string_equal(text, names[i]);
    }
    assert_int_equal(log_set_levels(true, "error/all"), 0);
    log_get_levels(true, text, sizeof(text));
    assert_string_equal(text, "error/debug");
    log_get_levels(false, text, sizeof(text));
    assert_string_equal(text, "debug");
    /* The second is never below the first. */
    assert_int_equal(log_set_levels(true, "info/error"), 0);
    log_get_levels(true, text, sizeof(text));
    assert_string_equal(text, "info");
}

static void levels_step(void **state)
{
    static const char *const names[] = {"none", "error", "warning", "info",
                                        "debug", "debug"};
    char text[32];

    (void)state;
    assert_int_equal(log_set_levels(true, "none/error"), 0);
    log_step_levels(true, false);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        log_get_levels(true, text, sizeof(text));
        assert_string_equal(text, names[i]);
        log_step_levels(true, true);
    }
    for (size_t i = ARRAY_SIZE(names) - 1; i-- > 0;) {
        log_get_levels(true, text, sizeof(text));
        assert_string_equal(text, names[i]);
        log_step_levels(true, false);
    }
    log_get_levels(true, text, sizeof(text));
    assert_string_equal(text, "none");
    /* Ours are others. */
    log_step_levels(false, true);
    log_get_levels(false, text, sizeof(text));
    assert_string_equal(text, "debug");
    log_get_levels(true, text, sizeof(text));
    assert_string_equal(text, "none");
}

static unsigned int count_lines(void)
{
    unsigned int n = 0;

    for (size_t i = 0; i < fake_shown_len; i++) {
        n += fake_shown[i] == '\n';
    }
    return n;
}

static void dom0_writes_through(void **state)
{
    struct vigil_log_cell cell;
    uint64_t before = log_ring_next(log_ring_now());

    (void)state;
    log_console_write("dom0# ", 6);
    assert_string_equal(fake_shown, "dom0# ");
    assert_int_equal(log_ring_next(log_ring_now()), before);
    log_console_write("ls\r\n", 4);
    assert_string_equal(fake_shown, "dom0# ls\r\n");
    /* Shown once, and its line is in the ring. */
    assert_int_equal(log_ring_read(log_ring_now(), before, &cell), LOG_READ_OK);
    assert_memory_equal(cell.text, "dom0# ls", 8);
    assert_int_equal(cell.flags, VIGIL_LOG_F_GUEST | VIGIL_LOG_F_QUIET);
    pr_info("x");
    assert_string_equal(fake_shown, "dom0# ls\r\n(XEN) x\n");
}

/* The console gets what Dom0 wrote, the ring what steers no terminal. */
static void dom0_lines_are_made_harmless(void **state)
{
    static const char text[] = "\n\r\na\tbcd\x1b[1mefghij\x7fklmnopqr\r\n";
    uint64_t before = log_ring_next(log_ring_now());
    struct vigil_log_cell cell;

    (void)state;
    log_console_write(text, sizeof(text) - 1);
    assert_string_equal(fake_shown, text);
    /* Lines with nothing in them are no records. */
    assert_int_equal(log_ring_next(log_ring_now()), before + 1);
    assert_int_equal(log_ring_read(log_ring_now(), before, &cell), LOG_READ_OK);
    assert_int_equal(cell.len, 24);
    assert_memory_equal(cell.text, "a\tbcd.[1mefghij.klmnopqr", 24);
}

static void nmi_leaves_it_for_later(void **state)
{
    (void)state;
    this_cpu()->context = CTX_NMI;
    log_nmi(LOG_ERROR, "from NMI");
    printk(LOG_ERROR, "by a shared helper");
    assert_int_equal(fake_shown_len, 0);
    assert_true(this_cpu()->work & WORK_LOG);
    this_cpu()->context = 0;
    log_drain();
    assert_string_equal(fake_shown, "(XEN) from NMI\n(XEN) by a shared helper\n");
}

static void interrupt_while_writing(void)
{
    printk(LOG_INFO, "from the interrupt");
}

static void interrupted_drain_takes_it_along(void **state)
{
    (void)state;
    fake_sink_hook = interrupt_while_writing;
    printk(LOG_INFO, "outer");
    assert_string_equal(fake_shown, "(XEN) outer\n(XEN) from the interrupt\n");
}

static void lost_cells_are_counted(void **state)
{
    struct log_stats before, after;
    uint64_t first = log_ring_next(log_ring_now());

    (void)state;
    log_get_stats(&before);
    this_cpu()->context = CTX_NMI;
    for (uint64_t i = 0; i < 500; i++) {
        log_nmi(LOG_INFO, "%d", (int)i);
    }
    this_cpu()->context = 0;
    log_drain();
    log_get_stats(&after);
    assert_int_equal(after.lost - before.lost, 500 - 128);
    assert_int_equal(after.cells, first + 500 - 1);
    assert_int_equal(count_lines(), 128);
}

static void dead_writer_is_passed(void **state)
{
    struct log_ring *ring = log_ring_now();
    struct log_stats before, after;

    (void)state;
    log_get_stats(&before);
    /* Draw a number and never finish. */
    __atomic_fetch_add(&ring->next, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 30; i++) {
        pr_info("waiting");
    }
    assert_int_equal(fake_shown_len, 0);
    for (int i = 0; i < 60; i++) {
        pr_info("waiting");
    }
    assert_int_equal(count_lines(), 90);
    log_get_stats(&after);
    assert_int_equal(after.lost - before.lost, 1);
}

static void moves_into_the_box(void **state)
{
    static struct vigil_log_cell box[512] __attribute__((aligned(64)));
    uint64_t next = log_ring_next(log_ring_now());
    struct vigil_log_cell cell;

    (void)state;
    log_attach(box, sizeof(box), 4242);
    assert_ptr_equal(log_ring_now()->cells, box);
    pr_info("in the box");
    assert_string_equal(fake_shown, "(XEN) in the box\n");
    assert_int_equal(log_ring_read(log_ring_now(), next - 1, &cell),
                     LOG_READ_OK);
    assert_int_equal(log_ring_read(log_ring_now(), next, &cell), LOG_READ_OK);
    assert_int_equal(cell.boot_id, 4242);
}

static void crlf_sink(void **state)
{
    (void)state;
    fake_sink.crlf = true;
    log_console_write("a\nb", 3);
    assert_string_equal(fake_shown, "a\r\nb");
    fake_sink.crlf = false;
}

static unsigned int wakes;
static size_t sink_room;

static void wake(void)
{
    wakes++;
}

static size_t room(void)
{
    return sink_room;
}

/* From here on: there is no way back from log_defer(). */
static void output_waits_for_the_pump(void **state)
{
    (void)state;
    fake_sink.crlf = true;
    fake_sink.room = room;
    log_defer(wake);
    log_console_write("abc\ndef", 7);
    pr_info("line");
    assert_int_equal(fake_shown_len, 0);
    assert_int_equal(wakes, 1);
    sink_room = 0;
    assert_true(log_pump());
    assert_int_equal(fake_shown_len, 0);
    /* A carriage return takes room, too: "abc" and the line end, not more. */
    fake_sink_hook = NULL;
    sink_room = 5;
    (void)!log_pump();
    assert_string_equal(fake_shown, "abc\r\ndef(XEN) line\r\n");
    assert_false(log_pump());
    /* An error may be the last word. */
    fake_shown_len = 0;
    log_console_write("x", 1);
    assert_int_equal(wakes, 2);
    pr_err("broken");
    assert_string_equal(fake_shown, "x(XEN) broken\r\n");
    fake_shown_len = 0;
    log_console_write("y", 1);
    log_flush();
    assert_string_equal(fake_shown, "y");
    fake_sink.crlf = false;
}

/* The writer waits for the sink rather than lose a byte. */
static void full_ring_is_written(void **state)
{
    static char block[1000];
    size_t total = 0, i;

    (void)state;
    memset(block, 'f', sizeof(block));
    sink_room = 0;
    for (i = 0; i < 40; i++) {
        log_console_write(block, sizeof(block));
        total += sizeof(block);
    }
    assert_in_range(fake_shown_len, 1, total);
    log_flush();
    assert_int_equal(fake_shown_len, total);
    /* What waits when the machine dies is fake_shown first. */
    fake_shown_len = 0;
    log_console_write("z\n", 2);
    assert_int_equal(fake_shown_len, 0);
}

#define CHATS 100U

static unsigned int chats;

/* Another CPU has something to say whenever this one has fake_shown a line. */
static void chatter(void)
{
    if (chats < CHATS) {
        chats++;
        fake_sink_hook = chatter;
        printk(LOG_INFO, "%0300u", chats);
    }
}

static void endless_writers_do_not_keep_it(void **state)
{
    static char full[32768];
    unsigned int calls = 0, lines, at_once;

    (void)state;
    memset(full, 'f', sizeof(full));
    sink_room = 0;
    log_console_write(full, sizeof(full));
    wakes = 0;
    chatter();
    at_once = chats;
    assert_in_range(at_once, 10, CHATS - 1);
    assert_true(wakes > 0);
    /* The rest comes by the pump, all of it. */
    fake_sink_hook = NULL;
    sink_room = sizeof(fake_shown);
    while (log_pump()) {
        assert_true(++calls < 1000);
    }
    lines = count_lines();
    assert_int_equal(lines, at_once);
}

static unsigned int dying_calls;

static unsigned int linger(void)
{
    return 5000;
}

static void counts_dying(void)
{
    dying_calls++;
    /* What waited has been fake_shown before. */
    assert_non_null(strstr(fake_shown, "\n(XEN) in the midst of it\n"));
}

static void another_dies(void)
{
    log_emergency();
    printk(LOG_PANIC, "last");
}

/* Whoever dies stops the CPU that writes: its line is said again. */
static void torn_line_is_said_again(void **state)
{
    const char *again;

    (void)state;
    pr_info("before");
    sink_room = 1000;
    (void)!log_pump();
    pr_info("in the midst of it");
    fake_sink_hook = another_dies;
    fake_sink.dying = counts_dying;
    assert_int_equal(dying_calls, 0);
    (void)!log_pump();
    assert_int_equal(dying_calls, 1);
    fake_sink.dying = NULL;
    again = strstr(fake_shown, "midst of it\n\n(XEN) in the midst of it\n");
    assert_non_null(again);
    assert_non_null(strstr(again, "(XEN) last\n"));
    assert_null(strstr(again, "before"));
}

static void sinks_hear_of_dying(void **state)
{
    (void)state;
    assert_int_equal(log_linger_ms(), 0);
    fake_sink.dying = counts_dying; /* once, in the test before this */
    fake_sink.linger_ms = linger;
    log_emergency();
    printk(LOG_PANIC, "last");
    printk(LOG_PANIC, "words");
    assert_int_equal(dying_calls, 1);
    assert_string_equal(fake_shown, "(XEN) last\n(XEN) words\n");
    assert_int_equal(log_linger_ms(), 5000);
    fake_sink.dying = NULL;
    fake_sink.linger_ms = NULL;
}

static void fail_again(void)
{
    /* What panic_regs() does after a fault in the sink. */
    log_emergency();
    printk(LOG_PANIC, "second");
}

static void emergency_ignores_locks_and_drops_bad_sinks(void **state)
{
    (void)state;
    this_cpu()->context = CTX_NMI | CTX_CRASH;
    log_emergency();
    printk(LOG_PANIC, "dying");
    assert_string_equal(fake_shown, "(XEN) dying\n");
    /* It faults while writing: it is not asked again. */
    fake_shown_len = 0;
    fake_sink_hook = fail_again;
    printk(LOG_PANIC, "first");
    assert_null(strstr(fake_shown, "second"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(early_lines_are_replayed, setup),
        cmocka_unit_test_setup(lines_are_prefixed, setup),
        cmocka_unit_test_setup(long_lines_stay_whole, setup),
        cmocka_unit_test_setup(only_line_ends, setup),
        cmocka_unit_test_setup(contexts_are_kept, setup),
        cmocka_unit_test_setup(levels, setup),
        cmocka_unit_test_setup(levels_are_told, setup),
        cmocka_unit_test_setup(levels_step, setup),
        cmocka_unit_test_setup(dom0_writes_through, setup),
        cmocka_unit_test_setup(dom0_lines_are_made_harmless, setup),
        cmocka_unit_test_setup(nmi_leaves_it_for_later, setup),
        cmocka_unit_test_setup(interrupted_drain_takes_it_along, setup),
        cmocka_unit_test_setup(lost_cells_are_counted, setup),
        cmocka_unit_test_setup(dead_writer_is_passed, setup),
        cmocka_unit_test_setup(moves_into_the_box, setup),
        cmocka_unit_test_setup(crlf_sink, setup),
        cmocka_unit_test_setup(output_waits_for_the_pump, setup),
        cmocka_unit_test_setup(endless_writers_do_not_keep_it, setup),
        cmocka_unit_test_setup(full_ring_is_written, setup),
        cmocka_unit_test_setup(torn_line_is_said_again, setup),
        cmocka_unit_test_setup(sinks_hear_of_dying, setup),
        cmocka_unit_test_setup(emergency_ignores_locks_and_drops_bad_sinks,
                               setup),
    };

    return UNIT_RUN(tests);
}
