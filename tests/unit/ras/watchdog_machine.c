/* SPDX-License-Identifier: MIT */
/*
 * What surrounds ras/watchdog in its tests: timers, sources of NMIs, a watchdog in
 * hardware, dumps, and time that goes by.
 */
#include "tests/unit/ras/watchdog_machine.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "x86/percpu.h"
#include "cpu/timer.h"
#include "crash/dump.h"
#include "dev/i6300esb.h"
#include "log/sink.h"
#include "ras/mce.h"
#include "ras/watchdog.h"

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
    for (unsigned int i = 0; i < TIMERS; i++) {
        if (timers[i] == t) {
            t->deadline_ns = TIMER_NEVER;
            return;
        }
    }
    abort();
}

/* ---- the source of NMIs ------------------------------------------------------ */

bool here[NMI_TIMER_NONE], works[NMI_TIMER_NONE];
cpumask_t joined; /* these have a counter that runs */
static uint64_t counter_ns[CPUS];
enum nmi_timer running = NMI_TIMER_NONE;
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
    if (which == NMI_TIMER_PMU) {
        joined = CPUMASK_OF(0);
        counter_ns[0] = nmi_ns;
    }
    return 0;
}

void nmi_timer_join(void)
{
    if (running == NMI_TIMER_PMU) {
        assert_int_equal(joined & CPUMASK_OF(fake_cpu), 0);
        joined |= CPUMASK_OF(fake_cpu);
        counter_ns[fake_cpu] = fake_now_ns + nmi_period;
    }
}

void nmi_timer_leave(void)
{
    joined &= ~CPUMASK_OF(fake_cpu);
}

/* An NMI of what used the pin before. */
bool left_over;

enum nmi_timer_answer nmi_timer_take(void)
{
    if (left_over) {
        return NMI_TIMER_LEFT_OVER;
    }
    if (running == NMI_TIMER_PMU) {
        if ((joined >> fake_cpu & 1) == 0 ||
            fake_now_ns < counter_ns[fake_cpu]) {
            return NMI_TIMER_NOT_MINE;
        }
        counter_ns[fake_cpu] = fake_now_ns + nmi_period;
        return NMI_TIMER_DUE;
    }
    if (running == NMI_TIMER_NONE || fake_cpu != 0 || fake_now_ns < nmi_ns) {
        return NMI_TIMER_NOT_MINE;
    }
    nmi_ns = fake_now_ns + nmi_period;
    return NMI_TIMER_DUE;
}

const char *nmi_timer_name(enum nmi_timer which)
{
    static const char *const names[] = {"counters", "one", "two", "three",
                                        "none"};

    return names[which];
}

/* ---- the hardware's -------------------------------------------------------------- */

bool has_esb;
unsigned int feeds;
uint64_t esb_ms;

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

unsigned int dumps;
cpumask_t silent;
bool round_is_on;
const struct cpu_regs regs = {.cs = 0xe008};
const struct cpu_regs *asked_with;

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

cpumask_t hangs;   /* these run no timers     */
cpumask_t no_nmi; /* these get no NMIs, too  */
cpumask_t sleeps; /* the counters of these stand */

/* A millisecond after the other. */
void run(uint64_t ns)
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
        for (fake_cpu = 0;
             fake_cpu < CPUS && running == NMI_TIMER_PMU && works[running];
             fake_cpu++) {
            if (((no_nmi | sleeps) >> fake_cpu & 1) == 0) {
                (void)watchdog_nmi(&regs);
            }
        }
        fake_cpu = 0;
        if (running != NMI_TIMER_PMU && (no_nmi & 1) == 0 &&
            running != NMI_TIMER_NONE && works[running] &&
            fake_now_ns >= nmi_ns) {
            assert_true(watchdog_nmi(&regs));
        }
    }
}

bool has_counters;

void start(const char *option)
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
    hangs = silent = no_nmi = sleeps = joined = 0;
    round_is_on = fake_stop_began = fake_dying = false;
    for (unsigned int i = 0; i < NMI_TIMER_NONE; i++) {
        works[i] = true;
        here[i] = i != NMI_TIMER_PMU || has_counters;
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

void take_offline(unsigned int cpu)
{
    fake_cpu = cpu;
    watchdog_cpu_down();
    cpus_online &= ~CPUMASK_OF(cpu);
    fake_cpu = 0;
}
