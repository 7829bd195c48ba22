/* SPDX-License-Identifier: MIT */
/*
 * dev/platform_timer.c: which timer is taken, what is measured, what the watch
 * says.  The counters follow fake_tsc; a test bends them.
 */
#include "tests/unit/unit.h"

#include "cpu/clock.h"
#include "cpu/timer.h"
#include "dev/hpet.h"
#include "dev/pit.h"
#include "dev/platform_timer.h"
#include "dev/pmtimer.h"
#include "tests/fake/fake_hw.h"
#include "tests/fake/fake_printk.h"

#define TSC_KHZ 2000000ULL

static uint64_t hpet_hz, pit_khz;
static unsigned int acpi_bits;
static bool stuck;
static uint64_t stall_at, stall_cycles; /* elsewhere once, for so long */
static uint64_t stop_cycles; /* what the TSC has missed, standing still */

/* The time by a clock that never stops, in cycles. */
static uint64_t true_cycles(void)
{
    if (stall_cycles != 0 && fake_tsc >= stall_at) {
        fake_tsc += stall_cycles;
        stall_cycles = 0;
    }
    return fake_tsc + stop_cycles;
}

static uint32_t counter(uint64_t hz)
{
    uint64_t c = true_cycles();

    return stuck ? 77
                 : (uint32_t)((unsigned __int128)c * hz / (TSC_KHZ * 1000));
}

uint64_t hpet_init(void)
{
    return hpet_hz;
}

uint32_t hpet_read(void)
{
    return counter(hpet_hz);
}

unsigned int pmtimer_bits(void)
{
    return acpi_bits;
}

uint32_t pmtimer_read(void)
{
    return counter(PMTIMER_HZ) & (acpi_bits == 24 ? 0xffffffU : 0xffffffffU);
}

uint64_t pit_measure_tsc_khz(void)
{
    return pit_khz;
}

uint64_t clock_tsc_khz(void)
{
    return TSC_KHZ;
}

uint64_t clock_now_ns(void)
{
    return 1000;
}

static struct timer *armed;
static uint64_t armed_ns;

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    t->fn = fn;
    t->arg = arg;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    armed = t;
    armed_ns = deadline_ns - 1000;
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_printk_forget();
    fake_tsc = 0xfffff00000000; /* the counters are about to wrap somewhere */
    fake_tsc_step = 1000;
    hpet_hz = 100000000;
    acpi_bits = 24;
    pit_khz = 1999999;
    stuck = false;
    stall_cycles = stop_cycles = 0;
    armed = NULL;
    assert_int_equal(platform_timer_option("hpet"), 0);
    return 0;
}

static void assert_khz(uint64_t khz)
{
    if (khz + 1000 < TSC_KHZ || khz > TSC_KHZ + 1000) {
        fail_msg("%lu kHz, not %lu", (unsigned long)khz,
                 (unsigned long)TSC_KHZ);
    }
}

static void order(void **state)
{
    (void)state;
    assert_khz(platform_timer_init());
    assert_true(fake_printk_said("platform timer: HPET"));
    hpet_hz = 0;
    fake_printk_forget();
    assert_khz(platform_timer_init());
    assert_true(fake_printk_said("platform timer: ACPI PM timer"));
    assert_true(fake_printk_said("clocksource= names cannot be used"));
    acpi_bits = 0;
    fake_printk_forget();
    assert_int_equal(platform_timer_init(), 1999999);
    assert_true(fake_printk_said("platform timer: 8254"));
    pit_khz = 0;
    assert_int_equal(platform_timer_init(), 0);
    assert_true(fake_printk_said("the 8254 does not count"));
}

static void option(void **state)
{
    (void)state;
    assert_int_equal(platform_timer_option("hpett"), -22);
    assert_int_equal(platform_timer_option(""), -22);
    assert_int_equal(platform_timer_option("pit"), 0);
    assert_int_equal(platform_timer_init(), 1999999);
    assert_int_equal(platform_timer_option("acpi"), 0);
    assert_khz(platform_timer_init());
    assert_true(fake_printk_said("platform timer: ACPI PM timer"));
}

/* It is there and stands still: the next one, after a bounded wait. */
static void stands_still(void **state)
{
    (void)state;
    stuck = true;
    assert_int_equal(platform_timer_init(), 1999999);
    assert_true(fake_printk_said("the HPET does not count"));
    assert_true(fake_printk_said("the ACPI PM timer does not count"));
    /* Even if the TSC stands still, too. */
    fake_tsc_step = 0;
    assert_int_equal(platform_timer_option("hpet"), 0);
    hpet_hz = 0;
    acpi_bits = 0;
    assert_int_equal(platform_timer_init(), 1999999);
}

/* The host was elsewhere for one wrap of the counter. */
static void stalls(void **state)
{
    (void)state;
    hpet_hz = 0;
    stall_at = fake_tsc + 5 * TSC_KHZ;
    stall_cycles = (1ULL << 24) * TSC_KHZ * 1000 / PMTIMER_HZ;
    assert_khz(platform_timer_init());
    assert_int_equal(stall_cycles, 0);
}

/* Let the watch look @n times, each after the time it asked for. */
static void look(unsigned int n, uint64_t stop_per_look)
{
    for (; n > 0; n--) {
        struct timer *t = armed;

        assert_non_null(t);
        armed = NULL;
        fake_tsc += armed_ns * TSC_KHZ / 1000000;
        stop_cycles += stop_per_look;
        t->fn(t->arg);
    }
}

static void watch_agrees(void **state)
{
    (void)state;
    assert_khz(platform_timer_init());
    platform_timer_watch();
    assert_int_equal(armed_ns, 4000000000);
    look(50, 0);
    assert_non_null(armed);
    assert_false(fake_printk_said("disagree"));
    /* Half of the 24 bits, at most. */
    assert_int_equal(platform_timer_option("acpi"), 0);
    assert_khz(platform_timer_init());
    platform_timer_watch();
    assert_true(armed_ns > 2300000000 && armed_ns < 2400000000);
    look(50, 0);
    assert_false(fake_printk_said("disagree"));
}

/* A TSC that stands still for 1 % of the time. */
static void watch_disagrees(void **state)
{
    (void)state;
    assert_khz(platform_timer_init());
    platform_timer_watch();
    look(2, 40 * TSC_KHZ);
    look(1, 0); /* twice is not three times in a row */
    look(2, 40 * TSC_KHZ);
    assert_false(fake_printk_said("disagree"));
    look(1, 40 * TSC_KHZ);
    assert_true(fake_printk_said("TSC and the HPET disagree: 40000"));
    assert_null(armed); /* once */
}

/* A look that comes too late to be told from a wrap says nothing. */
static void watch_late(void **state)
{
    (void)state;
    assert_khz(platform_timer_init());
    platform_timer_watch();
    for (unsigned int i = 0; i < 5; i++) {
        fake_tsc += 50000 * TSC_KHZ;
        look(1, 400 * TSC_KHZ);
    }
    assert_false(fake_printk_said("disagree"));
    assert_non_null(armed);
}

static void watch_not(void **state)
{
    (void)state;
    assert_int_equal(platform_timer_option("pit"), 0);
    assert_int_equal(platform_timer_init(), 1999999);
    platform_timer_watch();
    assert_null(armed);
    assert_int_equal(platform_timer_option("hpet"), 0);
    assert_khz(platform_timer_init());
    assert_int_equal(platform_timer_option("tsc"), 0); /* the last test */
    platform_timer_watch();
    assert_null(armed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order, setup),
        cmocka_unit_test_setup(option, setup),
        cmocka_unit_test_setup(stands_still, setup),
        cmocka_unit_test_setup(stalls, setup),
        cmocka_unit_test_setup(watch_agrees, setup),
        cmocka_unit_test_setup(watch_disagrees, setup),
        cmocka_unit_test_setup(watch_late, setup),
        cmocka_unit_test_setup(watch_not, setup),
    };

    return UNIT_RUN(tests);
}
