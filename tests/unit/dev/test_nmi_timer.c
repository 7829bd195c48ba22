/* SPDX-License-Identifier: MIT */
/*
 * dev/nmi_timer: which NMI is whose; each source is started and stopped in an
 * order in which no edge is taken for somebody else's.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "lib/errno.h"
#include "x86/percpu.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/pmu.h"
#include "dev/hpet.h"
#include "dev/irq.h"
#include "dev/nmi_timer.h"
#include "dev/pit.h"
#include "fake_hw.h"

#define MS 1000000ULL

static char trail[256]; /* what was done, in its order */
static uint64_t now_ns;
static bool hpet_due;
static int setup_result, take_result;
/* What becomes of an edge that waits at the pin when that is routed. */
static bool edge_waits;
static enum nmi_timer_answer edge_was;
static uint64_t routing_ns; /* how long the machine takes for it */

uint64_t clock_now_ns(void)
{
    return now_ns;
}

uint64_t clock_tsc_khz(void)
{
    return 3000000;
}

static int find_result;
static bool counter_is_over;

int pmu_find(void)
{
    return find_result;
}

void pmu_start(uint64_t first, uint64_t period)
{
    assert_int_equal(period, 30000000);
    strcat(trail, first == period ? "joins " : "counts ");
}

void pmu_stop(void)
{
    strcat(trail, "no-counter ");
}

bool pmu_take(void)
{
    bool is_over = counter_is_over;

    counter_is_over = false;
    return is_over;
}

uint32_t lapic_id(void)
{
    return 3;
}

unsigned int irq_isa_to_gsi(unsigned int isa)
{
    assert_int_equal(isa, 0);
    return 2;
}

int irq_take_nmi(unsigned int gsi)
{
    assert_int_equal(gsi, 2);
    strcat(trail, "take ");
    now_ns += routing_ns;
    if (take_result == 0 && edge_waits) {
        edge_was = nmi_timer_take();
    }
    return take_result;
}

void irq_give_nmi(unsigned int gsi)
{
    assert_int_equal(gsi, 2);
    strcat(trail, "give ");
}

int hpet_nmi_setup(bool by_message, unsigned int pin, uint32_t apic_id)
{
    assert_int_equal(pin, 2);
    assert_int_equal(apic_id, 3);
    strcat(trail, by_message ? "message " : "pin ");
    return setup_result;
}

void hpet_nmi_start(uint64_t first_ns, uint64_t period_ns)
{
    assert_int_equal(first_ns, 5 * MS);
    assert_int_equal(period_ns, 10 * MS);
    strcat(trail, "start ");
}

bool hpet_nmi_take(void)
{
    bool due = hpet_due;

    hpet_due = false;
    return due;
}

void hpet_nmi_stop(void)
{
    strcat(trail, "stop ");
}

void pit_tick_start(void)
{
    strcat(trail, "tick ");
}

void pit_tick_stop(void)
{
    strcat(trail, "silent ");
}

static int start(enum nmi_timer which)
{
    trail[0] = '\0';
    return nmi_timer_start(which, 5 * MS, 10 * MS);
}

static int setup(void **state)
{
    (void)state;
    now_ns += 1000 * MS;
    setup_result = take_result = 0;
    edge_waits = hpet_due = counter_is_over = false;
    find_result = 0;
    fake_cpu = 0;
    for (unsigned int i = 0; i < 2; i++) {
        fake_cpu_blocks[i].cpu_id = i;
    }
    routing_ns = 0;
    return start(NMI_TIMER_NONE);
}

static void nothing_runs(void **state)
{
    (void)state;
    hpet_due = true;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    assert_int_equal(start(NMI_TIMER_NONE), 0);
    assert_string_equal(trail, "");
}

/* Each CPU's own, once it has joined; each asks its own counter. */
static void by_counters(void **state)
{
    (void)state;
    assert_int_equal(start(NMI_TIMER_PMU), 0);
    assert_string_equal(trail, "counts ");
    for (fake_cpu = 0; fake_cpu < 2; fake_cpu++) {
        assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
        counter_is_over = true;
        assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
        assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    }
    trail[0] = '\0';
    fake_cpu = 1;
    nmi_timer_join();
    nmi_timer_leave();
    assert_string_equal(trail, "joins no-counter ");
    fake_cpu = 0;
    assert_int_equal(start(NMI_TIMER_HPET_MSG), 0);
    assert_string_equal(trail, "no-counter message start ");
    /* Nobody joins one that is a single CPU's, or gets NMIs of it. */
    fake_cpu = 1;
    trail[0] = '\0';
    nmi_timer_join();
    nmi_timer_leave();
    assert_string_equal(trail, "");
    hpet_due = counter_is_over = true;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    fake_cpu = 0;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
    find_result = -EBUSY;
    assert_int_equal(start(NMI_TIMER_PMU), -EBUSY);
    counter_is_over = true;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
}

static void by_message(void **state)
{
    (void)state;
    assert_int_equal(start(NMI_TIMER_HPET_MSG), 0);
    assert_string_equal(trail, "message start ");
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    hpet_due = true;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    assert_int_equal(start(NMI_TIMER_NONE), 0);
    assert_string_equal(trail, "stop ");
    setup_result = -ENODEV;
    assert_int_equal(start(NMI_TIMER_HPET_MSG), -ENODEV);
    hpet_due = true;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
}

/* The 8254 is silent first; what it left at the pin is nobody's, however late it
 * comes, until the first that is due. */
static void by_pin(void **state)
{
    (void)state;
    edge_waits = true;
    for (routing_ns = 0; routing_ns <= 50 * MS; routing_ns += 25 * MS) {
        edge_was = NMI_TIMER_NOT_MINE;
        assert_int_equal(start(NMI_TIMER_HPET_PIN), 0);
        assert_non_null(strstr(trail, "pin silent take start "));
        assert_int_equal(edge_was, NMI_TIMER_LEFT_OVER);
        now_ns += 20 * MS;
        assert_int_equal(nmi_timer_take(), NMI_TIMER_LEFT_OVER);
        hpet_due = true;
        assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
        assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
        hpet_due = true;
        assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
        assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    }
    assert_int_equal(start(NMI_TIMER_NONE), 0);
    assert_string_equal(trail, "stop give ");
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
}

static void pin_of_somebody(void **state)
{
    (void)state;
    take_result = -EBUSY;
    assert_int_equal(start(NMI_TIMER_HPET_PIN), -EBUSY);
    now_ns += MS;
    hpet_due = true;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    assert_int_equal(start(NMI_TIMER_PIT), -EBUSY);
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    assert_null(strstr(trail, "tick"));
}

/* One for each of its ticks, three quarters of one apart at least. */
static void by_8254(void **state)
{
    (void)state;
    assert_int_equal(start(NMI_TIMER_PIT), 0);
    assert_string_equal(trail, "silent take tick ");
    assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
    for (unsigned int i = 0; i < 10; i++) {
        now_ns += PIT_TICK_NS / 2;
        assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
        now_ns += PIT_TICK_NS / 2;
        assert_int_equal(nmi_timer_take(), NMI_TIMER_DUE);
        assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
    }
    /* Another one takes its place: the pin is given back first. */
    assert_int_equal(start(NMI_TIMER_HPET_MSG), 0);
    assert_string_equal(trail, "give silent message start ");
    now_ns += PIT_TICK_NS;
    assert_int_equal(nmi_timer_take(), NMI_TIMER_NOT_MINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_runs, setup),
        cmocka_unit_test_setup(by_counters, setup),
        cmocka_unit_test_setup(by_message, setup),
        cmocka_unit_test_setup(by_pin, setup),
        cmocka_unit_test_setup(pin_of_somebody, setup),
        cmocka_unit_test_setup(by_8254, setup),
    };

    return UNIT_RUN(tests);
}
