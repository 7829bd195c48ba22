/* SPDX-License-Identifier: MIT */
/*
 * domain/vtimer.c: a timer that falls due on one CPU while its vcpu, on
 * another, stops it or begins to run.
 */
#include "tests/unit/unit.h"

#include "cpu/clock.h"
#include "domain/virq.h"
#include "domain/vtimer.h"

#define PERIOD_NS 2000000UL

static struct vcpu vcpu;
static uint64_t now_ns;
static unsigned int ticks, stops;
static void (*meanwhile)(void); /* another CPU's, in the midst of a tick */
static bool in_tick;

/* ---- what the code under test calls -------------------------------------- */

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void virq_raise(struct vcpu *v, unsigned int virq)
{
    assert_ptr_equal(v, &vcpu);
    assert_int_equal(virq, VIRQ_TIMER);
    ticks++;
    if (meanwhile != NULL) {
        void (*then)(void) = meanwhile;

        meanwhile = NULL;
        then();
    }
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn, .arg = arg};
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    t->deadline_ns = deadline_ns;
    t->slot = 1;
}

void timer_stop(struct timer *t)
{
    t->deadline_ns = TIMER_NEVER;
    t->slot = 0;
}

/* Begun in the midst of a tick it ends behind it: fall_due(). */
void timer_stop_sync(struct timer *t)
{
    stops++;
    if (!in_tick) {
        timer_stop(t);
    }
}

void vcpu_release(struct vcpu *v, uint32_t why)
{
    (void)v;
    (void)why;
}

/* ---- the tests ------------------------------------------------------------ */

static int setup(void **state)
{
    (void)state;
    memset(&vcpu, 0, sizeof(vcpu));
    vtimer_init(&vcpu);
    vcpu.is_running = true;
    now_ns = 1000;
    ticks = stops = 0;
    meanwhile = NULL;
    return 0;
}

static void fall_due(struct timer *t)
{
    unsigned int before = stops;

    now_ns = t->deadline_ns;
    timer_stop(t);
    in_tick = true;
    t->fn(t->arg);
    in_tick = false;
    if (stops != before) {
        timer_stop(t);
    }
}

static void stop_periodic(void)
{
    vtimer_set_periodic(&vcpu, 0);
}

static void ticks_come_and_end(void **state)
{
    (void)state;
    vtimer_set_periodic(&vcpu, PERIOD_NS);
    for (unsigned int i = 1; i <= 3; i++) {
        fall_due(&vcpu.periodic);
        assert_int_equal(ticks, i);
        assert_int_equal(vcpu.periodic.deadline_ns, now_ns + PERIOD_NS);
    }
    stop_periodic();
    assert_int_equal(vcpu.periodic.slot, 0);
    assert_int_equal(stops, 1);
}

/* Out of its heap, not called yet: what is stopped then never ticks. */
static void stopped_before_the_call(void **state)
{
    (void)state;
    vtimer_set_periodic(&vcpu, PERIOD_NS);
    timer_stop(&vcpu.periodic);
    stop_periodic();
    vcpu.periodic.fn(vcpu.periodic.arg);
    assert_int_equal(ticks, 0);
    assert_int_equal(vcpu.periodic.slot, 0);
}

/* The stop waits for the tick under way, and for what that sets. */
static void stopped_in_the_midst(void **state)
{
    (void)state;
    vtimer_set_periodic(&vcpu, PERIOD_NS);
    meanwhile = stop_periodic;
    fall_due(&vcpu.periodic);
    assert_int_equal(ticks, 1);
    assert_int_equal(stops, 1);
    assert_int_equal(vcpu.periodic.slot, 0);
    vtimer_resume(&vcpu);
    assert_int_equal(ticks, 1);
}

static void missed_while_away(void **state)
{
    (void)state;
    vtimer_set_periodic(&vcpu, PERIOD_NS);
    vcpu.is_running = false;
    fall_due(&vcpu.periodic);
    assert_int_equal(ticks, 0);
    vcpu.is_running = true;
    vtimer_resume(&vcpu);
    assert_int_equal(ticks, 1);
    assert_int_equal(vcpu.periodic.deadline_ns, now_ns + PERIOD_NS);
    vtimer_resume(&vcpu);
    assert_int_equal(ticks, 1);
}

static void single_shot(void **state)
{
    (void)state;
    vtimer_set_singleshot(&vcpu, now_ns + 500);
    assert_int_equal(ticks, 0);
    fall_due(&vcpu.singleshot);
    assert_int_equal(ticks, 1);
    vtimer_set_singleshot(&vcpu, now_ns);
    assert_int_equal(ticks, 2);
    assert_int_equal(vcpu.singleshot.slot, 0);
    vtimer_set_singleshot(&vcpu, now_ns + 500);
    vtimer_stop_singleshot(&vcpu);
    assert_int_equal(stops, 1);
    assert_int_equal(vcpu.singleshot.slot, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ticks_come_and_end, setup),
        cmocka_unit_test_setup(stopped_before_the_call, setup),
        cmocka_unit_test_setup(stopped_in_the_midst, setup),
        cmocka_unit_test_setup(missed_while_away, setup),
        cmocka_unit_test_setup(single_shot, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
