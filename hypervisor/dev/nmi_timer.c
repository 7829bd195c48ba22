/* SPDX-License-Identifier: MIT */
/*
 * dev/nmi_timer.c - which source sends NMIs, and when the next is due.
 */
#include "dev/nmi_timer.h"

#include "lib/errno.h"
#include "x86/percpu.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/pmu.h"
#include "dev/hpet.h"
#include "dev/irq.h"
#include "dev/pit.h"

/* An edge of the 8254 is not earlier than this after the one before. */
#define PIT_DUE_NS (PIT_TICK_NS / 4 * 3)

/* Written with the source silent, by the CPU whose NMIs they are. */
static enum nmi_timer running = NMI_TIMER_NONE;
static uint64_t pit_last_ns; /* only in NMI while the 8254 runs */
static uint64_t pmu_period;  /* cycles; before the counters run */
static cpu_t home; /* the CPU whose NMIs they are, but the counters' */

/*
 * An edge of the firmware's ticker that came while its pin was masked: some
 * IO-APICs keep that, and it comes with the routing, before any that is due.
 */
static bool is_settling; /* from the routing to the first that is due */

static unsigned int timer_pin(void)
{
    return irq_isa_to_gsi(0);
}

static void stop(void)
{
    enum nmi_timer which = running;

    WRITE_ONCE(running, NMI_TIMER_NONE);
    WRITE_ONCE(is_settling, false);
    switch (which) {
    case NMI_TIMER_PMU:
        pmu_stop();
        break;
    case NMI_TIMER_HPET_MSG:
        hpet_nmi_stop();
        break;
    case NMI_TIMER_HPET_PIN:
        hpet_nmi_stop();
        irq_give_nmi(timer_pin());
        break;
    case NMI_TIMER_PIT:
        irq_give_nmi(timer_pin());
        pit_tick_stop();
        break;
    case NMI_TIMER_NONE:
        break;
    }
}

static uint64_t cycles(uint64_t ns)
{
    return ns / 1000 * clock_tsc_khz() / 1000;
}

static int start_pmu(uint64_t first_ns, uint64_t period_ns)
{
    int rc = pmu_find();

    if (rc == 0) {
        pmu_period = cycles(period_ns);
        WRITE_ONCE(running, NMI_TIMER_PMU);
        pmu_start(cycles(first_ns), pmu_period);
    }
    return rc;
}

void nmi_timer_join(void)
{
    if (READ_ONCE(running) == NMI_TIMER_PMU) {
        pmu_start(pmu_period, pmu_period);
    }
}

void nmi_timer_leave(void)
{
    if (READ_ONCE(running) == NMI_TIMER_PMU) {
        pmu_stop();
    }
}

static int start_hpet(enum nmi_timer which, uint64_t first_ns,
                      uint64_t period_ns)
{
    bool by_message = which == NMI_TIMER_HPET_MSG;
    int rc = hpet_nmi_setup(by_message, timer_pin(), lapic_id());

    if (rc == 0 && !by_message) {
        /* The firmware's ticker has the same pin. */
        pit_tick_stop();
        WRITE_ONCE(is_settling, true);
        rc = irq_take_nmi(timer_pin());
    }
    if (rc == 0) {
        /* Before the first NMI may come; it is not due yet. */
        WRITE_ONCE(running, which);
        hpet_nmi_start(first_ns, period_ns);
    } else {
        WRITE_ONCE(is_settling, false);
    }
    return rc;
}

static int start_pit(void)
{
    int rc;

    pit_tick_stop();
    pit_last_ns = clock_now_ns() - PIT_TICK_NS;
    WRITE_ONCE(running, NMI_TIMER_PIT);
    rc = irq_take_nmi(timer_pin());
    if (rc != 0) {
        WRITE_ONCE(running, NMI_TIMER_NONE);
        return rc;
    }
    pit_tick_start();
    return 0;
}

int nmi_timer_start(enum nmi_timer which, uint64_t first_ns, uint64_t period_ns)
{
    stop();
    home = this_cpu_id();
    switch (which) {
    case NMI_TIMER_PMU:
        return start_pmu(first_ns, period_ns);
    case NMI_TIMER_HPET_MSG:
    case NMI_TIMER_HPET_PIN:
        return start_hpet(which, first_ns, period_ns);
    case NMI_TIMER_PIT:
        return start_pit();
    case NMI_TIMER_NONE:
        break;
    }
    return 0;
}

static NMI_SAFE bool pit_take(void)
{
    uint64_t now = clock_now_ns();

    if (now - pit_last_ns < PIT_DUE_NS) {
        return false;
    }
    pit_last_ns = now;
    return true;
}

static NMI_SAFE bool is_due(enum nmi_timer which)
{
    switch (which) {
    case NMI_TIMER_HPET_MSG:
    case NMI_TIMER_HPET_PIN:
        return hpet_nmi_take();
    case NMI_TIMER_PIT:
        return pit_take();
    case NMI_TIMER_PMU:
        return pmu_take();
    case NMI_TIMER_NONE:
        break;
    }
    return false;
}

NMI_SAFE enum nmi_timer_answer nmi_timer_take(void)
{
    enum nmi_timer which = READ_ONCE(running);

    /* What is left over came by the pin, and that is not the counters'. */
    if (which != NMI_TIMER_PMU && this_cpu_id() != home) {
        return NMI_TIMER_NOT_MINE;
    }
    if (is_due(which)) {
        WRITE_ONCE(is_settling, false);
        return NMI_TIMER_DUE;
    }
    return READ_ONCE(is_settling) ? NMI_TIMER_LEFT_OVER : NMI_TIMER_NOT_MINE;
}

const char *nmi_timer_name(enum nmi_timer which)
{
    static const char *const names[] = {
        [NMI_TIMER_PMU] = "performance counters",
        [NMI_TIMER_HPET_MSG] = "HPET, by message",
        [NMI_TIMER_HPET_PIN] = "HPET, by a pin",
        [NMI_TIMER_PIT] = "8254",
        [NMI_TIMER_NONE] = "no source",
    };

    return names[which];
}
