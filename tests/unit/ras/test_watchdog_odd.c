/* SPDX-License-Identifier: MIT */
/*
 * ras/watchdog where the machine is not as usual: CPUs that are online and not
 * watched, who is to panic has to wait, sources that are fast or not there.
 */
#include "tests/unit/ras/watchdog_machine.h"

#include "x86/percpu.h"
#include "log/sink.h"
#include "crash/dump.h"
#include "ras/watchdog.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "tests/unit/ras/ras_fakes.h"

#define WAIT_NS (10 * MS)
#define LAST    (NR_CPUS - 1)

/* A machine that has run for a while. */
static void begin(const char *option)
{
    start(option);
    run(10000 * MS);
}

/* It goes, and is online again, but has not begun to beat. */
static void restart(unsigned int cpu)
{
    take_offline(cpu);
    cpus_online |= CPUMASK_OF(cpu);
}

/* ---- the CPU that hangs waits before it panics --------------------------- */

static unsigned int waits;

static void wait(void)
{
    fake_now_ns += WAIT_NS;
    waits++;
}

/* The log is shown, then a dump is on for a while. */
static void shown_then_dump(void)
{
    wait();
    if (waits == 3) {
        log_progress.shown = log_progress.put;
        round_is_on = true;
    } else if (waits == 5) {
        round_is_on = false;
    }
}

/* Another has begun to panic. */
static void other_dies(void)
{
    wait();
    if (waits == 2) {
        log_progress.shown = log_progress.put;
        fake_dying = true;
    }
}

/* CPU 2 hangs while lines of the log are on their way. */
static void hang_unshown(void (*relax)(void))
{
    begin("yes");
    waits = 0;
    log_progress.put = log_progress.shown + 10;
    fake_relax_hook = relax;
    hangs = CPUMASK_OF(2);
}

static void lines_are_waited_for(void **state)
{
    unsigned int panics;

    (void)state;
    hang_unshown(shown_then_dump);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 2, hangs"));
    assert_int_equal(waits, 5);
    /* They never get there: not for ever. */
    hang_unshown(wait);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 2, hangs"));
    assert_int_equal(waits, 2 * DUMP_LIMIT_NS / WAIT_NS);
    /* One panic is enough, and nobody panics for it. */
    panics = fire_alarm_count;
    hang_unshown(other_dies);
    while (dumps == 0) {
        run(MS);
    }
    assert_int_equal(waits, 2);
    assert_int_equal(fire_alarm_count, panics);
}

/* ---- CPUs that are online and not watched -------------------------------- */

/* Nobody is named who does not beat for a good reason. */
static void waits_for_one_that_starts(void **state)
{
    (void)state;
    begin("yes");
    restart(2);
    run(10000 * MS);
    fake_cpu_blocks[1].waits_for = 2 + 1;
    hangs = CPUMASK_OF(1);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 1, hangs"));
}

/* It has beaten a moment ago; nobody can leave it to that one. */
static void only_one_that_starts_is_left(void **state)
{
    (void)state;
    begin("report");
    hangs = 5;
    run(4000 * MS);
    restart(1);
    run(3000 * MS);
    assert_int_equal(dumps, 2);
    assert_ptr_equal(asked_with, &regs);
}

static void hardware_is_fed_meanwhile(void **state)
{
    unsigned int before;

    (void)state;
    has_esb = true;
    begin("yes");
    restart(1);
    run(10000 * MS);
    before = feeds;
    run(20 * LOOK);
    assert_in_range(feeds - before, 19, 21);
}

/* ---- the last CPU there can be ----------------------------------------------- */

static void last_cpu_looks_at_the_first(void **state)
{
    (void)state;
    start("yes");
    fake_cpu = LAST;
    cpu_blocks[LAST] = &fake_cpu_blocks[LAST];
    watchdog_cpu_init();
    cpus_online |= CPUMASK_OF(LAST);
    run(10000 * MS);
    hangs = silent = no_nmi = CPUMASK_OF(0);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "CPU 0 hangs, for "));
    assert_non_null(strstr(fire_alarm_text, "does not answer"));
    assert_int_equal(fake_cpu, LAST);
}

/* ---- sources --------------------------------------------------------------------- */

/* Its NMIs are counted, but no look comes early. */
static void fast_source(void **state)
{
    struct watchdog_state s;
    uint64_t before;

    (void)state;
    begin("yes");
    watchdog_get_state(&s);
    before = s.nmis;
    assert_int_equal(nmi_timer_start(running, MS, LOOK / 20), 0);
    run(60000 * MS);
    assert_int_equal(dumps, 0);
    watchdog_get_state(&s);
    assert_in_range(s.nmis - before, 900, 970);
    hangs = CPUMASK_OF(2);
    before = fake_now_ns;
    EXPECT_PANIC(run(60000 * MS));
    assert_in_range(fake_now_ns - before, 3 * LOOK, 5 * LOOK);
}

static void no_source(void **state)
{
    struct watchdog_state s;

    (void)state;
    start("yes");
    memset(here, 0, sizeof(here));
    fake_cpu = 0;
    watchdog_init();
    assert_true(fake_printk_said("no source of NMIs: CPUs watch each other, "
                                 "time-out 5 s"));
    assert_int_equal(running, NMI_TIMER_NONE);
    watchdog_get_state(&s);
    assert_string_equal(s.source, "none");
    assert_int_equal(s.timeout_ms, 5000);
    run(60000 * MS);
    assert_int_equal(dumps, 0);
    hangs = CPUMASK_OF(1);
    EXPECT_PANIC(run(60000 * MS));
    assert_null(asked_with); /* by a timer */
}

/* A CPU goes that nobody has watched. */
static void off(void **state)
{
    struct watchdog_state s;

    (void)state;
    start("no");
    take_offline(1);
    watchdog_get_state(&s);
    assert_int_equal(s.timeout_ms, 0);
    assert_false(s.is_fatal);
}

/* Also what a test that failed has left. */
static int all_is_shown(void **state)
{
    (void)state;
    log_progress.shown = log_progress.put;
    has_esb = false;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_are_waited_for, all_is_shown),
        cmocka_unit_test_setup(waits_for_one_that_starts, all_is_shown),
        cmocka_unit_test_setup(only_one_that_starts_is_left, all_is_shown),
        cmocka_unit_test_setup(hardware_is_fed_meanwhile, all_is_shown),
        cmocka_unit_test_setup(last_cpu_looks_at_the_first, all_is_shown),
        cmocka_unit_test_setup(fast_source, all_is_shown),
        cmocka_unit_test_setup(no_source, all_is_shown),
        cmocka_unit_test_setup(off, all_is_shown),
    };

    return UNIT_RUN(tests);
}
