/* SPDX-License-Identifier: MIT */
/*
 * ras/watchdog: hearts that beat and hearts that do not, seen by CPU 0's NMIs
 * and by a neighbour; sources that prove themselves, or not.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "x86/percpu.h"
#include "cpu/smp.h"
#include "cpu/timer.h"
#include "crash/dump.h"
#include "dev/i6300esb.h"
#include "dev/nmi_timer.h"
#include "ras/mce.h"
#include "log/sink.h"
#include "ras/watchdog.h"

#define CPUS   3U
#define LOOK   1250000000ULL /* a quarter of 5 s */
#define MS     1000000ULL

struct ras_counters ras_counters;
cpumask_t cpus_online;
struct cpu_block *cpu_blocks[NR_CPUS];

/* The log, all of it shown. */
struct log_progress log_progress = {.drained = 1};

struct log_ring *log_ring_now(void)
{
    return NULL;
}

uint64_t log_ring_next(const struct log_ring *ring)
{
    (void)ring;
    return 1;
}

/* ---- timers: one of a heart for each CPU, and the one that proves ---------- */

#define TIMERS 8
static struct timer *timers[TIMERS];

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn, .arg = arg};
    for (unsigned int i = 0; i < TIMERS; i++) {
        if (timers[i] == t || timers[i] == NULL) {
            timers[i] = t;
            return;
        }
    }
    abort();
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    t->deadline_ns = deadline_ns;
    t->cpu = fake_cpu;
}

void timer_stop(struct timer *t)
{
    t->deadline_ns = TIMER_NEVER;
}

/* ---- the source of NMIs ------------------------------------------------------ */

static bool here[NMI_TIMER_NONE], works[NMI_TIMER_NONE];
static enum nmi_timer running = NMI_TIMER_NONE;
static uint64_t nmi_ns, nmi_period;

int nmi_timer_start(enum nmi_timer which, uint64_t first_ns, uint64_t period_ns)
{
    running = NMI_TIMER_NONE;
    if (which == NMI_TIMER_NONE) {
        return 0;
    }
    if (!here[which]) {
        return -ENODEV;
    }
    running = which;
    nmi_ns = fake_now_ns + first_ns;
    nmi_period = period_ns;
    return 0;
}

/* An NMI of what used the pin before. */
static bool left_over;

enum nmi_timer_answer nmi_timer_take(void)
{
    if (left_over) {
        return NMI_TIMER_LEFT_OVER;
    }
    if (running == NMI_TIMER_NONE || fake_now_ns < nmi_ns) {
        return NMI_TIMER_NOT_MINE;
    }
    nmi_ns = fake_now_ns + nmi_period;
    return NMI_TIMER_DUE;
}

const char *nmi_timer_name(enum nmi_timer which)
{
    static const char *const names[] = {"one", "two", "three", "none"};

    return names[which];
}

/* ---- the hardware's -------------------------------------------------------------- */

static bool has_esb;
static unsigned int feeds;
static uint64_t esb_ms;

bool esb_find(void)
{
    return has_esb;
}

void esb_start(uint64_t timeout_ms)
{
    esb_ms = timeout_ms;
}

void esb_feed(void)
{
    assert_int_not_equal(esb_ms, 0);
    feeds++;
}

/* ---- dumps ---------------------------------------------------------------------- */

static unsigned int dumps;
static cpumask_t silent;
static bool round_is_on;
static const struct cpu_regs regs = {.cs = 0xe008};
static const struct cpu_regs *asked_with;

bool dump_is_on(void)
{
    return round_is_on;
}

cpumask_t dump_cpus(enum log_level level, const struct cpu_regs *r,
                    uint64_t limit_ns)
{
    unsigned int me = fake_cpu;

    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(limit_ns, DUMP_LIMIT_NS);
    if (round_is_on) {
        return DUMP_NOT_NOW;
    }
    dumps++;
    asked_with = r;
    for (fake_cpu = 0; fake_cpu < CPUS; fake_cpu++) {
        if ((silent >> fake_cpu & 1) == 0 && (fake_cpu != me || r == NULL)) {
            watchdog_asked(&regs);
        }
    }
    fake_cpu = me;
    return silent;
}

/* ---- a machine whose time goes by ------------------------------------------------ */

static cpumask_t hangs;  /* these run no timers     */
static cpumask_t no_nmi; /* CPU 0 gets no NMIs, too */

/* A millisecond after the other. */
static void run(uint64_t ns)
{
    uint64_t end = fake_now_ns + ns;

    while (fake_now_ns < end) {
        fake_now_ns += MS;
        for (unsigned int i = 0; i < TIMERS; i++) {
            struct timer *t = timers[i];

            if (t != NULL && t->deadline_ns <= fake_now_ns &&
                (hangs >> t->cpu & 1) == 0) {
                t->deadline_ns = TIMER_NEVER;
                fake_cpu = t->cpu;
                t->fn(t->arg);
            }
        }
        fake_cpu = 0;
        if ((no_nmi & 1) == 0 && running != NMI_TIMER_NONE &&
            works[running] && fake_now_ns >= nmi_ns) {
            assert_true(watchdog_nmi(&regs));
        }
    }
}

static void start(const char *option)
{
    fake_hw_reset();
    memset(timers, 0, sizeof(timers));
    memset(fake_cpu_blocks, 0, CPUS * sizeof(fake_cpu_blocks[0]));
    cpus_online = 0;
    for (unsigned int i = 0; i < CPUS; i++) {
        fake_cpu_blocks[i].cpu_id = i;
        cpu_blocks[i] = &fake_cpu_blocks[i];
        cpus_online |= CPUMASK_OF(i);
    }
    dumps = 0;
    running = NMI_TIMER_NONE;
    hangs = silent = no_nmi = 0;
    round_is_on = fake_stop_began = fake_dying = false;
    for (unsigned int i = 0; i < NMI_TIMER_NONE; i++) {
        here[i] = works[i] = true;
    }
    fake_printk_forget();
    assert_int_equal(watchdog_option(option), 0);
    fake_cpu = 0;
    watchdog_init();
    for (fake_cpu = 1; fake_cpu < CPUS; fake_cpu++) {
        watchdog_cpu_init();
    }
    fake_cpu = 0;
    watchdog_boot_ends();
}

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
    start("report");
    run(10000 * MS);
    hangs = 6;
    run(60000 * MS);
    assert_int_equal(dumps, 2);
    assert_true(fake_printk_said("watchdog: CPU 1 hangs"));
    assert_true(fake_printk_said("watchdog: CPU 2 hangs"));
    start("yes");
    run(10000 * MS);
    hangs = 6;
    EXPECT_PANIC(run(60000 * MS));
    assert_non_null(strstr(fire_alarm_text, "this CPU, 1, hangs"));
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
    assert_int_equal(dumps, 1); /* once, by whoever sees it first */
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
static void take_offline(unsigned int cpu)
{
    fake_cpu = cpu;
    watchdog_cpu_down();
    cpus_online &= ~CPUMASK_OF(cpu);
    fake_cpu = 0;
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
    here[0] = works[1] = false;
    fake_cpu = 0;
    watchdog_init();
    assert_int_equal(running, 1);
    /* What another left at its pin is nobody's NMI, and proves nothing. */
    left_over = true;
    assert_true(watchdog_nmi(&regs));
    left_over = false;
    run(10000 * MS);
    assert_int_equal(running, 2);
    assert_true(fake_printk_said("no NMI from the two"));
    assert_true(fake_printk_said("NMIs from the three"));
    watchdog_get_state(&s);
    assert_true(s.is_proved);
    /* Dom0 takes it away. */
    works[2] = false;
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
        cmocka_unit_test(two_hang),      cmocka_unit_test(own_hangs),
        cmocka_unit_test(neighbour),     cmocka_unit_test(reports),
        cmocka_unit_test(not_now),       cmocka_unit_test(leaving),
        cmocka_unit_test(offline),       cmocka_unit_test(hardware),
    };

    return UNIT_RUN(tests);
}
