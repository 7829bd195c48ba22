/* SPDX-License-Identifier: MIT */
/*
 * dev/platform_timer.c - choose a reference clock, measure the TSC, watch it.
 *
 * A reading of the counter takes long (a microsecond, under an emulator a
 * few), and the machine, or the emulator's host, may be elsewhere meanwhile.
 * So each reading lies between two of the TSC, and the best of several counts.
 * ADR 0021 says why in this order and why not several at once.
 */
#include "dev/platform_timer.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/tsc.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/timer.h"
#include "dev/hpet.h"
#include "dev/pit.h"
#include "dev/pmtimer.h"

/* A measurement takes this part of a second. */
#define PARTS_OF_S  100
/*
 * When to give up waiting: see dev/pit.c.  The reads are for machines whose
 * TSC does not count either.
 */
#define READS_MIN   2000000U
#define CYCLES_MAX  (1ULL << 30)
#define READS_MAX   100000000U
/* Measure again until it is known to one part in so many, but not for ever. */
#define GOOD_ENOUGH 2000
#define TRIES_MAX   10
#define SAMPLES     3

#define WATCH_NS_MAX 4000000000ULL
#define NS_PER_S     1000000000ULL
/* The TSC is wrong by one part in so many, so many times in a row: say so. */
#define TOLERANCE    500
#define STRIKES_MAX  3

enum which {
    USE_HPET,
    USE_ACPI,
    USE_PIT,
    USE_ANY
};

struct platform_timer {
    const char *name;
    uint64_t hz; /* 0: none, or not one that can be read at any time */
    uint32_t mask;
    uint32_t (*read)(void);
};

struct sample {
    uint64_t tsc;   /* when the counter was read, in the middle */
    uint64_t slack; /* how long that took, cycles               */
    uint32_t count;
};

static enum which wanted = USE_ANY; /* c, as are the next two */
static bool watch_not_wanted;
static struct platform_timer timer;

/* Owner: the callback of watch_timer. */
static struct timer watch_timer;
static struct sample watch_last;
static unsigned int watch_strikes;
static uint64_t watch_ns;

int platform_timer_option(const char *value)
{
    static const char *const names[] = {"hpet", "acpi", "pit"};

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            wanted = (enum which)i;
            return 0;
        }
    }
    if (strcmp(value, "tsc") == 0) {
        watch_not_wanted = true;
        return 0;
    }
    return -EINVAL;
}

static struct sample take(void)
{
    struct sample best = {0, ~0ULL, 0};

    for (unsigned int i = 0; i < SAMPLES; i++) {
        uint64_t before = rdtsc_ordered();
        uint32_t count = timer.read();
        uint64_t after = rdtsc_ordered();

        if (after - before < best.slack) {
            best = (struct sample){before + (after - before) / 2,
                                   after - before, count};
        }
    }
    return best;
}

/* Wait for @ticks.  Return: the longest time between two looks, 0: stuck. */
static uint64_t wait_ticks(uint32_t from, uint32_t ticks)
{
    uint64_t start = rdtsc_ordered(), last = start, gap = 1;

    for (unsigned int i = 0;
         i < READS_MIN || (last - start < CYCLES_MAX && i < READS_MAX); i++) {
        bool over = ((timer.read() - from) & timer.mask) >= ticks;
        uint64_t now = rdtsc_ordered();

        gap = MAX(gap, now - last);
        if (over) {
            return gap;
        }
        last = now;
    }
    return 0;
}

/* kHz of the TSC; 0: the counter does not count. */
static uint64_t measure(void)
{
    const uint32_t ticks = (uint32_t)(timer.hz / PARTS_OF_S);
    uint64_t best_slack = ~0ULL, khz = 0;

    for (unsigned int i = 0; i < TRIES_MAX; i++) {
        struct sample start = take(), end;
        uint64_t gap = wait_ticks(start.count, ticks), cycles, slack;
        uint32_t n;

        if (gap == 0) {
            return 0;
        }
        end = take();
        cycles = end.tsc - start.tsc;
        slack = start.slack + end.slack;
        n = (end.count - start.count) & timer.mask;
        /* Away for most of the time: the counter may have wrapped. */
        if (gap > cycles / 2 || slack >= best_slack) {
            continue;
        }
        best_slack = slack;
        khz = cycles * timer.hz / n / 1000;
        if (slack < cycles / GOOD_ENOUGH) {
            break;
        }
    }
    return khz;
}

static bool use(enum which w)
{
    switch (w) {
    case USE_HPET:
        timer = (struct platform_timer){"HPET", hpet_init(), 0xffffffffU,
                                        hpet_read};
        return timer.hz != 0;
    case USE_ACPI: {
        unsigned int bits = pmtimer_bits();

        timer = (struct platform_timer){"ACPI PM timer", PMTIMER_HZ,
                                        bits == 24 ? 0xffffffU : 0xffffffffU,
                                        pmtimer_read};
        return bits != 0;
    }
    case USE_PIT:
        timer = (struct platform_timer){.name = "8254"};
        return true;
    case USE_ANY:
        break;
    }
    return false;
}

/* kHz of the TSC by one of them; 0: not there, or it does not count. */
static uint64_t attempt(enum which w)
{
    uint64_t khz;

    if (!use(w)) {
        return 0;
    }
    khz = w == USE_PIT ? pit_measure_tsc_khz() : measure();
    if (khz == 0) {
        pr_warn("dev: the %s does not count", timer.name);
    }
    return khz;
}

uint64_t platform_timer_init(void)
{
    uint64_t khz = 0;

    if (wanted != USE_ANY) {
        khz = attempt(wanted);
        if (khz == 0) {
            pr_warn("dev: the timer that clocksource= names cannot be used");
        }
    }
    for (enum which w = USE_HPET; khz == 0 && w < USE_ANY; w++) {
        khz = w == wanted ? 0 : attempt(w);
    }
    if (khz != 0) {
        pr_info("dev: platform timer: %s, the TSC runs at %lu kHz by it",
                timer.name, khz);
    }
    return khz;
}

/* ---- while the machine runs ------------------------------------------------- */

/* Ticks of the platform timer in so many cycles; whole milliseconds first, so
 * that no product overflows within any time that counts. */
static uint64_t ticks_of(uint64_t cycles)
{
    uint64_t khz = clock_tsc_khz();

    return cycles / khz * timer.hz / 1000 +
           cycles % khz * timer.hz / khz / 1000;
}

static uint64_t us_of(uint64_t ticks)
{
    return ticks * 1000000 / timer.hz;
}

/* Does the time since the last look agree?  true: go on watching. */
static bool watch_look(void)
{
    struct sample now = take();
    uint64_t cycles = now.tsc - watch_last.tsc;
    uint64_t by_tsc = ticks_of(cycles);
    uint64_t by_timer = (now.count - watch_last.count) & timer.mask;
    uint64_t slack = ticks_of(now.slack + watch_last.slack) + 2;
    uint64_t diff = by_tsc > by_timer ? by_tsc - by_timer : by_timer - by_tsc;

    watch_last = now;
    if (by_tsc > timer.mask / 4 * 3 || diff <= by_timer / TOLERANCE + slack) {
        /* It agrees; or too long ago, the counter may have wrapped. */
        watch_strikes = 0;
        return true;
    }
    if (++watch_strikes < STRIKES_MAX) {
        return true;
    }
    pr_warn("dev: the TSC and the %s disagree: %lu us of the one are %lu us of "
            "the other; time goes wrong (known limit 13)",
            timer.name, us_of(by_tsc), us_of(by_timer));
    return false;
}

static void watch_tick(void *arg)
{
    (void)arg;
    if (watch_look()) {
        timer_set(&watch_timer, clock_now_ns() + watch_ns);
    }
}

void platform_timer_watch(void)
{
    if (timer.hz == 0 || watch_not_wanted) {
        return;
    }
    watch_ns = MIN(WATCH_NS_MAX, (timer.mask / 2 + 1ULL) * NS_PER_S / timer.hz);
    watch_last = take();
    watch_strikes = 0;
    timer_init(&watch_timer, watch_tick, NULL);
    timer_set(&watch_timer, clock_now_ns() + watch_ns);
}
