/* SPDX-License-Identifier: MIT */
/*
 * ras/watchdog: hearts that beat and hearts that do not, seen by CPU 0's NMIs
 * and by a neighbour; sources that prove themselves, or not.
 */
#include "tests/unit/ras/watchdog_machine.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "x86/percpu.h"
#include "ras/watchdog.h"

static uint64_t nmis(void)
{
    struct watchdog_state s;

    watchdog_get_state(&s);
    return s.nmis;
}

static void options(void **state)
{
    (void)state;
    assert_int_equal(watchdog_option("maybe"), -EINVAL);
    assert_int_equal(watchdog_timeout_option("4000"), -ERANGE);
    assert_int_equal(watchdog_timeout_option("x"), -EINVAL);
    start("no");
    run(60000 * MS);
    assert_int_equal(running, NMI_TIMER_NONE);
    assert_int_equal(fake_cpu_blocks[0].heartbeat, 0);
    assert_int_equal(watchdog_timeout_option("0"), 0);
    start("yes");
    assert_int_equal(running, NMI_TIMER_NONE);
    assert_int_equal(watchdog_timeout_option("5"), 0);
}

static void all_beat(void **state)
{
    uint64_t before;

    (void)state;
    start("");
    before = nmis();
    run(600000 * MS);
    assert_int_equal(dumps, 0);
    assert_in_range(nmis() - before, 470, 482);
    assert_in_range(fake_cpu_blocks[2].heartbeat, 470, 480);
    assert_true(fake_printk_said("NMIs from the one, time-out 5 s"));
}

/* The machine stands for a minute: nobody beats, nobody looks. */
static void elsewhere(void **state)
{
    (void)state;
    start("force");
    run(10000 * MS);
    for (unsigned int i = 0; i < 10; i++) {
        fake_now_ns += 60000 * MS;
        fake_cpu = 0;
        assert_true(watchdog_nmi(&regs)); /* it runs first */
        run(100 * MS);
    }
    assert_int_equal(dumps, 0);
}

static void other_hangs(void **state)
{
    uint64_t start_ns;

    (void)state;
    start("yes");
    run(10000 * MS);
    hangs = CPUMASK_OF(2);
    start_ns = fake_now_ns;
    EXPECT_PANIC(run(60000 * MS));
    /* That CPU's own handler did it, before twice the time-out. */
    assert_non_null(strstr(fire_alarm_text, "this CPU, 2, hangs"));
    assert_in_range(fake_now_ns - start_ns, 5000 * MS - LOOK, 10000 * MS);
    assert_int_equal(dumps, 1);
    assert_ptr_equal(asked_with, &regs);
}

static void other_is_dead(void **state)
{
    (void)state;
    start("yes");
    run(10000 * MS);
    hangs = silent = CPUMASK_OF(1);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "CPU 1 hangs, for "));
    assert_int_equal(dumps, 1);
}

/* Each a mask of those that hang, whom each waits for + 1, and who panics. */
static void waits(cpumask_t still, const uint32_t (*for_whom)[CPUS],
                  const char *says)
{
    start("yes");
    run(10000 * MS);
    for (unsigned int i = 0; i < CPUS; i++) {
        fake_cpu_blocks[i].waits_for = (*for_whom)[i];
    }
    hangs = still;
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, says));
    assert_int_equal(dumps, 1);
}

/* Not who waits in vain is named, but who is waited for. */
static void waited_for(void **state)
{
    (void)state;
    waits(7, &(uint32_t[CPUS]){2, 3, 0}, "this CPU, 2, hangs");
    assert_true(fake_printk_said("watchdog: CPU 0 waits for CPU 2"));
    waits(3, &(uint32_t[CPUS]){2, 0, 0}, "this CPU, 1, hangs");
    /* What it waits for goes on. */
    waits(2, &(uint32_t[CPUS]){0, 3, 0}, "this CPU, 1, hangs");
    /* In a circle: the first. */
    waits(6, &(uint32_t[CPUS]){0, 3, 2}, "this CPU, 1, hangs");
    waits(6, &(uint32_t[CPUS]){0, 2, 2}, "this CPU, 1, hangs");
    /* CPU 0 has no NMIs: its neighbour finds who is at fault as well. */
    start("yes");
    run(10000 * MS);
    fake_cpu_blocks[0].waits_for = 2;
    hangs = 3;
    no_nmi = 1;
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 1, hangs"));
}

/* Two that have nothing to do with each other: both are reported. */
static void two_hang(void **state)
{
    (void)state;
    for (unsigned int beats = 0; beats < CPUS; beats++) {
        /* One whose heart beats is enough, wherever it is in the ring. */
        start("report");
        run(10000 * MS);
        hangs = 7 & ~CPUMASK_OF(beats);
        run(60000 * MS);
        assert_int_equal(dumps, 2);
        for (unsigned int i = 0; i < CPUS; i++) {
            char words[40];

            (void)snprintf(words, sizeof(words), "watchdog: CPU %u hangs", i);
            assert_int_equal(fake_printk_said(words), i != beats);
        }
        assert_null(asked_with);
    }
    start("yes");
    run(10000 * MS);
    hangs = 6;
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 1, hangs"));
}

/* Each has NMIs of its own, and looks at its own heart: no dump from outside. */
static void counters(void **state)
{
    uint64_t start_ns;

    (void)state;
    has_counters = true;
    start("yes");
    run(10000 * MS);
    assert_true(fake_printk_said("NMIs from the counters"));
    assert_int_equal(joined, 7);
    /* One that sleeps has no NMIs, and nobody minds. */
    sleeps = 5;
    run(60000 * MS);
    assert_int_equal(dumps, 0);
    assert_false(fake_printk_said("do not come any more"));
    sleeps = 0;
    hangs = CPUMASK_OF(2);
    start_ns = fake_now_ns;
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "CPU 2 hangs, for "));
    assert_int_equal(fake_cpu, 2); /* it is the one that says so */
    assert_in_range(fake_now_ns - start_ns, 5000 * MS - LOOK, 10000 * MS);
    assert_int_equal(dumps, 1);

    /* Dead, it is found by its neighbour. */
    start("yes");
    run(10000 * MS);
    hangs = silent = no_nmi = CPUMASK_OF(1);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "CPU 1 hangs, for "));
    assert_non_null(strstr(fire_alarm_text, "does not answer"));

    /* It goes, and comes back. */
    start("yes");
    run(10000 * MS);
    take_offline(1);
    assert_int_equal(joined, 5);
    run(10000 * MS);
    fake_cpu = 1;
    watchdog_cpu_init();
    cpus_online |= CPUMASK_OF(1);
    run(10000 * MS);
    assert_int_equal(joined, 7);
    assert_int_equal(dumps, 0);

    /* They do not count: the next source. */
    start("yes");
    works[NMI_TIMER_PMU] = false;
    run(10000 * MS);
    assert_true(fake_printk_said("no NMI from the counters"));
    assert_true(fake_printk_said("NMIs from the one"));
    assert_int_equal(joined, 1);
    has_counters = false;
}

static void own_hangs(void **state)
{
    (void)state;
    start("yes");
    run(10000 * MS);
    hangs = CPUMASK_OF(0);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "CPU 0 hangs, for "));
}

/* CPU 0 hangs and gets no NMIs: CPU 2, whose neighbour it is, finds it. */
static void neighbour(void **state)
{
    uint64_t start_ns;

    (void)state;
    start("yes");
    run(10000 * MS);
    hangs = silent = no_nmi = CPUMASK_OF(0);
    start_ns = fake_now_ns;
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "CPU 0 hangs, for "));
    assert_non_null(strstr(fire_alarm_text, "does not answer"));
    assert_in_range(fake_now_ns - start_ns, 5000 * MS, 10000 * MS);
    assert_null(asked_with);
}

/* These hang after a while, which is only reported. */
static void report_hangs(cpumask_t cpus)
{
    start("report");
    run(10000 * MS);
    hangs = cpus;
    run(60000 * MS);
}

/* None is left whose timer could write it: then the NMI does, once for each. */
static void all_hang(void **state)
{
    (void)state;
    report_hangs(7);
    assert_int_equal(dumps, 3);
    assert_ptr_equal(asked_with, &regs);
    hangs = 0;
    run(10000 * MS);
    for (unsigned int i = 0; i < CPUS; i++) {
        char words[40];

        (void)snprintf(words, sizeof(words), "CPU %u goes on, after 6", i);
        assert_true(fake_printk_said(words));
    }
    /* The only CPU: nobody else is there. */
    start("report");
    take_offline(1);
    take_offline(2);
    run(10000 * MS);
    hangs = 1;
    run(60000 * MS);
    assert_int_equal(dumps, 1);
    assert_ptr_equal(asked_with, &regs);
    /* Counters: each looks at its own only, and leaves it to the others. */
    has_counters = true;
    report_hangs(3);
    assert_int_equal(dumps, 2);
    assert_null(asked_with);
    report_hangs(7);
    assert_int_equal(dumps, 3);
    assert_ptr_equal(asked_with, &regs);
    has_counters = false;
}

static void reports(void **state)
{
    struct watchdog_state s;
    uint64_t before;

    (void)state;
    start("report");
    watchdog_get_state(&s);
    before = s.stalls;
    run(10000 * MS);
    hangs = CPUMASK_OF(2);
    run(60000 * MS);
    assert_int_equal(dumps, 1);
    assert_null(asked_with); /* by a timer: NMIs are open there */
    hangs = 0;
    run(10000 * MS);
    assert_true(fake_printk_said("CPU 2 goes on, after 6"));
    hangs = CPUMASK_OF(2);
    run(60000 * MS);
    assert_int_equal(dumps, 2);
    watchdog_get_state(&s);
    assert_int_equal(s.stalls - before, 2);
    assert_false(s.is_fatal);
}

/* Somebody asks for a dump for long: it is looked at once more. */
static void not_now(void **state)
{
    (void)state;
    start("yes");
    run(10000 * MS);
    hangs = silent = CPUMASK_OF(1);
    round_is_on = true;
    run(20000 * MS);
    assert_int_equal(dumps, 0);
    round_is_on = false;
    EXPECT_PANIC(run(3000 * MS));
    assert_int_equal(dumps, 1);
    start("report");
    run(10000 * MS);
    hangs = silent = CPUMASK_OF(1);
    round_is_on = true;
    run(20000 * MS);
    round_is_on = false;
    run(3000 * MS);
    assert_int_equal(dumps, 1);
}

/* Those that were stopped for the end stand still rightly. */
static void leaving(void **state)
{
    (void)state;
    start("yes");
    run(10000 * MS);
    fake_stop_began = true;
    hangs = 7;
    run(60000 * MS);
    assert_int_equal(dumps, 0);
    fake_stop_began = false;
    start("yes");
    fake_dying = true;
    hangs = 7;
    run(60000 * MS);
    assert_int_equal(dumps, 0);
}
/* It has not beaten once, since it was started or since it came back. */
static void hangs_at_once(void **state)
{
    (void)state;
    start("yes");
    hangs = CPUMASK_OF(2);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 2, hangs"));
    assert_int_equal(fake_cpu_blocks[2].heartbeat, 0);

    start("yes");
    run(10000 * MS);
    take_offline(1);
    run(10000 * MS);
    fake_cpu = 1;
    watchdog_cpu_init();
    cpus_online |= CPUMASK_OF(1);
    hangs = CPUMASK_OF(1);
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 1, hangs"));
}

/* A CPU goes offline, and comes back. */
static void offline(void **state)
{
    (void)state;
    start("yes");
    run(10000 * MS);
    take_offline(1);
    run(60000 * MS);
    fake_cpu = 1;
    cpus_online |= CPUMASK_OF(1);
    run(60000 * MS); /* online, not yet watched: it is being started */
    fake_cpu = 1;
    watchdog_cpu_init();
    run(60000 * MS);
    assert_int_equal(dumps, 0);
}

/* Which source it is must show itself; without one they watch each other. */
static void sources(void **state)
{
    struct watchdog_state s;

    (void)state;
    start("yes");
    here[NMI_TIMER_PMU + 1] = works[NMI_TIMER_PMU + 2] = false;
    fake_cpu = 0;
    watchdog_init();
    assert_int_equal(running, NMI_TIMER_PMU + 2);
    /* What another left at its pin is nobody's NMI, and proves nothing. */
    left_over = true;
    assert_true(watchdog_nmi(&regs));
    left_over = false;
    run(10000 * MS);
    assert_int_equal(running, NMI_TIMER_PMU + 3);
    assert_true(fake_printk_said("no NMI from the two"));
    assert_true(fake_printk_said("NMIs from the three"));
    watchdog_get_state(&s);
    assert_true(s.is_proved);
    /* Dom0 takes it away. */
    works[NMI_TIMER_PMU + 3] = false;
    run(20000 * MS);
    assert_true(fake_printk_said("do not come any more (three)"));
    watchdog_get_state(&s);
    assert_false(s.is_proved);
    hangs = CPUMASK_OF(1);
    EXPECT_PANIC(run(60000 * MS));
    assert_int_equal(dumps, 1);
    assert_null(asked_with);
}

/* It is fed while all hearts beat, and not otherwise. */
static void hardware(void **state)
{
    unsigned int before;

    (void)state;
    assert_int_equal(watchdog_hardware_option("perhaps"), -EINVAL);
    has_esb = true;
    assert_int_equal(watchdog_hardware_option("no"), 0);
    start("yes");
    run(10000 * MS);
    assert_int_equal(esb_ms, 0);
    assert_int_equal(watchdog_hardware_option("yes"), 0);
    start("report"); /* a reset would be more than that */
    run(10000 * MS);
    assert_int_equal(esb_ms, 0);
    start("yes");
    /* Also where CPU 0 hangs before its first beat. */
    assert_int_equal(esb_ms, 15000);
    run(10000 * MS);
    assert_in_range(feeds, 6, 8);
    /* CPU 2 hangs, and all who could say so are busy with something else. */
    hangs = CPUMASK_OF(2);
    round_is_on = true;
    run(6000 * MS);
    before = feeds;
    run(30000 * MS);
    assert_int_equal(feeds, before);
    has_esb = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources),       cmocka_unit_test(options),
        cmocka_unit_test(all_beat),      cmocka_unit_test(elsewhere),
        cmocka_unit_test(other_hangs),   cmocka_unit_test(hangs_at_once),
        cmocka_unit_test(other_is_dead), cmocka_unit_test(waited_for),
        cmocka_unit_test(counters),      cmocka_unit_test(two_hang),
        cmocka_unit_test(own_hangs),     cmocka_unit_test(neighbour),
        cmocka_unit_test(reports),       cmocka_unit_test(not_now),
        cmocka_unit_test(leaving),       cmocka_unit_test(offline),
        cmocka_unit_test(hardware),      cmocka_unit_test(all_hang),
    };

    return UNIT_RUN(tests);
}
