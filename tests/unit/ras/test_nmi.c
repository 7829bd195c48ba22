/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi, nmi_note, nmi_storm: who sent it, what the policy makes of it, that
 * none is lost on its way to Dom0; lines that are written later; storms.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "x86/percpu.h"
#include "cpu/tenant.h"
#include "cpu/timer.h"
#include "crash/dump.h"
#include "crash/notes.h"
#include "ras/ghes.h"
#include "ras/mce.h"
#include "ras/nmi.h"
#include "ras/nmi_note.h"
#include "ras/nmi_storm.h"
#include "ras/watchdog.h"

struct ras_counters ras_counters;

#define RATE 50U /* nmi_storm.c, RATE_DEFAULT */

static uint8_t port61;
static unsigned int port61_writes;
static uint32_t port61_last;
static struct cpu_regs regs = {.rip = 0xffffffff81001234, .cs = 0xe033};

static bool dump_asked, was_told, is_watchdogs;

bool dump_if_asked(const struct cpu_regs *r)
{
    assert_ptr_equal(r, &regs);
    return dump_asked;
}

static cpumask_t dump_late;
static unsigned int late_said;

bool dump_is_late(cpu_t cpu)
{
    return (dump_late & CPUMASK_OF(cpu)) != 0;
}

void dump_say_late(cpu_t cpu)
{
    late_said += dump_is_late(cpu);
    dump_late &= ~CPUMASK_OF(cpu);
}

void watchdog_asked(const struct cpu_regs *r)
{
    assert_true(dump_asked);
    assert_ptr_equal(r, &regs);
    was_told = true;
}

bool watchdog_nmi(const struct cpu_regs *r)
{
    assert_ptr_equal(r, &regs);
    return is_watchdogs;
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    assert_int_equal(port, 0x61);
    assert_int_equal(bytes, 1);
    return port61;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    assert_int_equal(port, 0x61);
    assert_int_equal(bytes, 1);
    port61_writes++;
    port61_last = v;
}

static enum ghes_answer firmware;
static unsigned int firmware_looks; /* that ghes_say() still wants */

enum ghes_answer ghes_ask(void)
{
    return firmware;
}

static unsigned int firmware_said;
static void (*while_firmware_is_said)(void);

bool ghes_say(uint64_t now_ns)
{
    void (*hook)(void) = while_firmware_is_said;

    (void)now_ns;
    firmware_said++;
    while_firmware_is_said = NULL;
    if (hook != NULL) {
        hook();
    }
    firmware_looks -= firmware_looks != 0;
    return firmware_looks != 0;
}

static struct timer *armed;

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.fn = fn, .arg = arg};
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    t->deadline_ns = deadline_ns;
    armed = t;
}

/* Until the timer fires. */
static void wait_for_timer(void)
{
    struct timer *t = armed;

    assert_non_null(t);
    armed = NULL;
    fake_now_ns = t->deadline_ns;
    t->fn(t->arg);
}

/* What the way out does, and then the lines are written. */
static void write_lines(void)
{
    nmi_notes_soon();
    wait_for_timer();
}

/* What is left of the storms and notes of the test before. */
static void calm_down(void)
{
    fake_now_ns += 10000000000;
    nmi_notes_soon();
    while (armed != NULL) {
        wait_for_timer();
    }
    fake_now_ns += 10000000000;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    memset(&ras_counters, 0, sizeof(ras_counters));
    memset(this_cpu(), 0, sizeof(*this_cpu()));
    port61 = 0x20;
    port61_writes = 0;
    firmware = GHES_NOTHING;
    firmware_looks = 0;
    calm_down();
    fake_stop_requested = false;
    fake_dying = false;
    dump_asked = was_told = is_watchdogs = false;
    fake_printk_count = 0;
    tenant_set(0, 0);
    assert_int_equal(nmi_set_policy("dom0"), 0);
    while (nmi_next_for_dom0() != 0) {
    }
    return 0;
}

static void causes(void **state)
{
    (void)state;
    assert_int_equal(nmi_causes_of(0x00), NMI_CAUSE_UNKNOWN);
    assert_int_equal(nmi_causes_of(0x3f), NMI_CAUSE_UNKNOWN);
    assert_int_equal(nmi_causes_of(0x80), NMI_CAUSE_SERR);
    assert_int_equal(nmi_causes_of(0x6f), NMI_CAUSE_IOCHK);
    assert_int_equal(nmi_causes_of(0xc0), NMI_CAUSE_SERR | NMI_CAUSE_IOCHK);
    assert_int_equal(nmi_causes_of(0xff), NMI_CAUSE_UNKNOWN);
}

static void policies(void **state)
{
    (void)state;
    assert_int_equal(nmi_set_policy("panic"), -EINVAL);
    assert_int_equal(nmi_set_policy(""), -EINVAL);
    assert_int_equal(nmi_set_policy("ignore"), 0);
    ras_nmi(&regs);
    assert_false(nmi_waits_for_dom0());
    assert_int_equal(fake_printk_count, 0);
    write_lines();
    assert_int_equal(fake_printk_count, 1);
    assert_non_null(strstr(fake_printk_last, "ignored"));
    assert_int_equal(nmi_set_policy("fatal"), 0);
    EXPECT_PANIC(ras_nmi(&regs));
    assert_non_null(strstr(fire_alarm_text, "NMI"));
    assert_non_null(strstr(fake_printk_last, "fatal")); /* logged before */
    assert_int_equal(ras_counters.nmi_total, 2);
    assert_int_equal(ras_counters.nmi_unknown, 2);
}

static void each_is_counted(void **state)
{
    unsigned int unknown = 0, serr = 0, both = 0, c;

    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        ras_nmi(&regs);
    }
    port61 = 0x80;
    ras_nmi(&regs);
    port61 = 0xc0;
    ras_nmi(&regs);
    assert_int_equal(this_cpu()->work & WORK_NMI, WORK_NMI);
    assert_true(nmi_waits_for_dom0());
    while ((c = nmi_next_for_dom0()) != 0) {
        unknown += c == NMI_CAUSE_UNKNOWN;
        serr += c == NMI_CAUSE_SERR;
        both += c == (NMI_CAUSE_SERR | NMI_CAUSE_IOCHK);
    }
    assert_int_equal(unknown, 5);
    assert_int_equal(serr, 1);
    assert_int_equal(both, 1);
    assert_false(nmi_waits_for_dom0());
    assert_int_equal(ras_counters.nmi_total, 7);
    assert_int_equal(ras_counters.nmi_serr, 2);
    assert_int_equal(ras_counters.nmi_iochk, 1);
}

/* The line is acknowledged; one that does not stop is switched off. */
static void lines_are_settled(void **state)
{
    (void)state;
    ras_nmi(&regs);
    assert_int_equal(port61_writes, 0);
    port61 = 0x80;
    for (unsigned int i = 0; i < RATE; i++) {
        ras_nmi(&regs);
    }
    assert_int_equal(port61_writes, 2 * RATE); /* off and on again */
    assert_int_equal(port61_last & 0x04, 0);
    fake_printk_forget();
    ras_nmi(&regs);
    assert_int_equal(port61_writes, 2 * RATE + 1);
    assert_int_equal(port61_last & 0x04, 0x04);
    write_lines();
    assert_true(fake_printk_said("SERR), disabled"));
}

/* One that is noted before there is room is written at once: none is lost. */
static void no_room_for_a_note(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RATE; i++) {
        ras_nmi(&regs);
    }
    assert_in_range(fake_printk_count, 1, RATE - 1);
    write_lines();
    assert_int_equal(fake_printk_count, RATE);
    assert_null(armed);
}

/* One line at its begin, one at its end, and every one counted. */
static void storm(void **state)
{
    unsigned int told = 0;

    (void)state;
    fake_printk_forget();
    for (unsigned int i = 0; i < 10000; i++) {
        ras_nmi(&regs);
        fake_now_ns += 10000; /* 100,000 a second */
    }
    assert_int_equal(ras_counters.nmi_total, 10000);
    write_lines();
    assert_true(fake_printk_said("NMI storm on CPU 0: unknown source: from"));
    while (nmi_next_for_dom0() != 0) {
        told++;
    }
    /* As many as at once may come, and what was added until it was empty. */
    assert_in_range(told, RATE, RATE + 1);
    assert_int_equal(ras_counters.nmi_left_out, 10000 - told);
    assert_int_equal(fake_printk_count, told + 1);
    /* Others go on. */
    port61 = 0x80;
    ras_nmi(&regs);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_SERR);
    port61 = 0x20;
    write_lines();
    assert_int_equal(fake_printk_count, told + 2);
    /* As long as more come than may, it goes on. */
    for (unsigned int second = 0; second < 5; second++) {
        for (unsigned int i = 0; i <= RATE; i++) {
            ras_nmi(&regs);
        }
        wait_for_timer();
    }
    assert_int_equal(fake_printk_count, told + 2);
    for (unsigned int i = 0; i < RATE; i++) {
        ras_nmi(&regs);
    }
    wait_for_timer();
    assert_int_equal(fake_printk_count, told + 3);
    assert_true(fake_printk_said("NMI storm on CPU 0 is over: unknown source: "
                                 "10255 only counted"));
    assert_int_equal(ras_counters.nmi_left_out, 10255);
    assert_null(armed);
    ras_nmi(&regs);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_UNKNOWN);
    assert_int_equal(ras_counters.nmi_left_out, 10255);
}

static void storms_of_two_cpus(void **state)
{
    (void)state;
    fake_in_hook = NULL;
    this_cpu()->cpu_id = 1;
    for (unsigned int i = 0; i < 2 * RATE; i++) {
        ras_nmi(&regs);
    }
    write_lines();
    assert_int_equal(ras_counters.nmi_left_out, RATE);
    fake_in_hook = port_in;
    this_cpu()->cpu_id = 0;
    ras_nmi(&regs);
    assert_int_equal(ras_counters.nmi_left_out, RATE);
    fake_printk_forget();
    while (armed != NULL) {
        wait_for_timer();
    }
    assert_true(fake_printk_said("CPU 1 is over: unknown source: 50 only"));
}

static void no_limit(void **state)
{
    (void)state;
    nmi_storm_set_rate(0);
    for (unsigned int i = 0; i < 10000; i++) {
        ras_nmi(&regs);
    }
    nmi_storm_set_rate(RATE);
    assert_int_equal(ras_counters.nmi_left_out, 0);
    for (unsigned int i = 0; i < 10000; i++) {
        assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_UNKNOWN);
    }
}

static void other_cpus_do_not_ask_the_port(void **state)
{
    (void)state;
    fake_in_hook = NULL;
    this_cpu()->cpu_id = 1;
    ras_nmi(&regs);
    this_cpu()->cpu_id = 0;
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_UNKNOWN);
}

/* Whoever has the line asks, and nobody else. */
static void the_line_moves(void **state)
{
    (void)state;
    port61 = 0x80;
    nmi_set_line_cpu(1);
    ras_nmi(&regs);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_UNKNOWN);
    this_cpu()->cpu_id = 1;
    ras_nmi(&regs);
    this_cpu()->cpu_id = 0;
    nmi_set_line_cpu(0);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_SERR);
    assert_int_equal(port61_writes, 2);
}

/* Dom0 is told, and looks itself; a fatal one ends it, unless ignored. */
static void firmware_first(void **state)
{
    (void)state;
    firmware = GHES_ERROR;
    ras_nmi(&regs);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_FIRMWARE);
    port61 = 0x80;
    ras_nmi(&regs);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_FIRMWARE | NMI_CAUSE_SERR);
    assert_int_equal(ras_counters.nmi_unknown, 0);
    assert_int_equal(ras_counters.nmi_firmware, 2);
    port61 = 0x20;
    firmware_looks = 3;
    write_lines();
    wait_for_timer();
    wait_for_timer();
    assert_null(armed);
    firmware = GHES_FATAL;
    assert_int_equal(nmi_set_policy("ignore"), 0);
    ras_nmi(&regs);
    assert_int_equal(nmi_set_policy("dom0"), 0);
    EXPECT_PANIC(ras_nmi(&regs));
    assert_non_null(strstr(fire_alarm_text, "firmware"));
    fake_dying = true;
    ras_nmi(&regs);
}

static char last_words[8][200];
static unsigned int last_word_count;

void crash_note(const char *fmt, ...)
{
    va_list args;

    assert_in_range(last_word_count, 0, 7);
    va_start(args, fmt);
    vsnprintf(last_words[last_word_count++], sizeof(last_words[0]), fmt, args);
    va_end(args);
}

/* Who dies says what nobody has put into words, and only that. */
static void last_notes_say_the_rest(void **state)
{
    (void)state;
    assert_int_equal(__crash_notes_end - __crash_notes_start, 1);
    assert_string_equal(__crash_notes_start->name, "nmis");
    last_word_count = 0;
    ras_nmi(&regs);
    write_lines();
    __crash_notes_start->write();
    assert_int_equal(last_word_count, 0);
    port61 = 0x80;
    ras_nmi(&regs);
    port61 = 0x20;
    fake_cpu = 1;
    ras_nmi(&regs);
    fake_cpu = 0;
    __crash_notes_start->write();
    assert_int_equal(last_word_count, 2);
    assert_non_null(
        strstr(last_words[0], "NMI on CPU 0: PCI system error (SERR)"));
    assert_non_null(strstr(last_words[1], "NMI on CPU 1: unknown source"));
    write_lines();
    fake_cpu = 1;
    write_lines();
    fake_cpu = 0;
}

/* The timer is set once, however often somebody looks. */
static void one_timer_for_all_notes(void **state)
{
    struct timer *t;

    (void)state;
    ras_nmi(&regs);
    nmi_notes_soon();
    t = armed;
    assert_non_null(t);
    armed = NULL;
    ras_nmi(&regs);
    nmi_notes_soon();
    assert_null(armed);
    armed = t;
    wait_for_timer();
    assert_int_equal(fake_printk_count, 2);
}

static struct timer *timer_of_cpu_1;

static void cpu_1_is_due(void)
{
    timer_of_cpu_1->fn(timer_of_cpu_1->arg);
}

/* Another CPU's timer comes while one says what the firmware has: it looks again. */
static void one_says_what_the_firmware_has(void **state)
{
    (void)state;
    fake_cpu = 1;
    ras_nmi(&regs);
    nmi_notes_soon();
    fake_cpu = 0;
    timer_of_cpu_1 = armed;
    ras_nmi(&regs);
    firmware_said = 0;
    while_firmware_is_said = cpu_1_is_due;
    write_lines();
    assert_int_equal(firmware_said, 1);
    assert_int_equal(fake_printk_count, 2);
    assert_ptr_equal(armed, timer_of_cpu_1); /* a second later */
    wait_for_timer();
    assert_int_equal(firmware_said, 2);
    assert_null(armed);
}

/* One more panic would cost the record of the first one a stage. */
static void not_fatal_while_dying(void **state)
{
    (void)state;
    fake_dying = true;
    assert_int_equal(nmi_set_policy("fatal"), 0);
    ras_nmi(&regs);
    assert_int_equal(ras_counters.nmi_total, 1);
}

/* A dying CPU's request comes before anything else. */
static void stop_comes_first(void **state)
{
    (void)state;
    fake_in_hook = NULL;
    fake_stop_requested = true;
    EXPECT_PANIC(ras_nmi(&regs));
    assert_int_equal(fake_parked, 1);
    assert_int_equal(ras_counters.nmi_total, 0);
    assert_int_equal(fake_printk_count, 0);
}

static void says_whom_it_interrupted(void **state)
{
    (void)state;
    tenant_set(7, 2);
    ras_nmi(&regs);
    tenant_set(8, 0); /* when it is written, another runs */
    write_lines();
    assert_non_null(strstr(fake_printk_last, "in guest d7v2"));
    regs.cs = 0xe008;
    tenant_set(7, 2);
    ras_nmi(&regs);
    write_lines();
    assert_non_null(strstr(fake_printk_last, "in hypervisor for d7v2"));
    tenant_set(TENANT_NONE, 0);
    ras_nmi(&regs);
    write_lines();
    assert_non_null(strstr(fake_printk_last, "in hypervisor, idle"));
    regs.cs = 0xe033;
}

/* Those that we sent ourselves are nobody else's business. */
static void our_own(void **state)
{
    (void)state;
    dump_asked = true;
    ras_nmi(&regs);
    assert_true(was_told);
    dump_asked = was_told = false;
    is_watchdogs = true;
    ras_nmi(&regs);
    assert_false(was_told);
    assert_int_equal(fake_printk_count, 0);
    assert_int_equal(ras_counters.nmi_total, 0);
    assert_false(nmi_waits_for_dom0());
    /* One that came together with another is still that other. */
    port61 = 0x80;
    ras_nmi(&regs);
    assert_int_equal(ras_counters.nmi_serr, 1);
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_SERR);
}

/* An answer that comes too late: the CPU itself writes it, without any note. */
static void late_answer(void **state)
{
    (void)state;
    nmi_notes_soon();
    assert_null(armed);
    dump_late = CPUMASK_OF(0);
    late_said = 0;
    write_lines();
    assert_int_equal(late_said, 1);
    nmi_notes_soon();
    assert_null(armed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* No other has left notes on CPU 1 before them. */
        cmocka_unit_test_setup(last_notes_say_the_rest, set_up),
        cmocka_unit_test_setup(one_timer_for_all_notes, set_up),
        cmocka_unit_test_setup(one_says_what_the_firmware_has, set_up),
        cmocka_unit_test_setup(causes, set_up),
        cmocka_unit_test_setup(our_own, set_up),
        cmocka_unit_test_setup(late_answer, set_up),
        cmocka_unit_test_setup(policies, set_up),
        cmocka_unit_test_setup(each_is_counted, set_up),
        cmocka_unit_test_setup(lines_are_settled, set_up),
        cmocka_unit_test_setup(no_room_for_a_note, set_up),
        cmocka_unit_test_setup(storm, set_up),
        cmocka_unit_test_setup(storms_of_two_cpus, set_up),
        cmocka_unit_test_setup(no_limit, set_up),
        cmocka_unit_test_setup(other_cpus_do_not_ask_the_port, set_up),
        cmocka_unit_test_setup(the_line_moves, set_up),
        cmocka_unit_test_setup(firmware_first, set_up),
        cmocka_unit_test_setup(not_fatal_while_dying, set_up),
        cmocka_unit_test_setup(stop_comes_first, set_up),
        cmocka_unit_test_setup(says_whom_it_interrupted, set_up),
    };

    return UNIT_RUN(tests);
}
