/* SPDX-License-Identifier: MIT */
/*
 * domain/sched.c: who runs next, and that nobody waits for ever.
 */
#include "tests/unit/unit.h"

#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "domain/sched.h"
#include "fake_hw.h"

#define MS 1000000ULL

static struct vcpu v[3];
static uint64_t now, armed;
static void (*timer_fn)(void *arg);
static bool asked;

/* ---- what the code under test calls ------------------------------------ */

uint64_t clock_now_ns(void)
{
    return now;
}

void softirq_raise(unsigned int nr)
{
    asked = asked || nr == SOFTIRQ_SCHED;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    (void)t;
    (void)arg;
    timer_fn = fn;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    (void)t;
    armed = deadline_ns;
}

void vcpu_set_runstate(struct vcpu *x, int state, uint64_t now_ns)
{
    assert_int_equal(now_ns, now);
    x->runstate.state_entry_time = now;
    x->runstate.state = state;
}

/* ---- what the exit path does -------------------------------------------- */

static void wake(struct vcpu *x)
{
    x->hold = 0;
    sched_wake(x);
}

static void block(struct vcpu *x)
{
    x->hold = VCPU_HOLD_BLOCKED;
    sched_sleep(x);
}

/* The timer, if it is due; it may set itself again. */
static void timers_run(void)
{
    while (armed != 0 && now >= armed) {
        armed = 0;
        timer_fn(NULL);
    }
}

/* Until the timer asks for the scheduler; how long that took. */
static uint64_t run_out(void)
{
    uint64_t start = now;

    for (timers_run(); !asked; timers_run()) {
        assert_true(armed > now);
        now = armed;
    }
    return now - start;
}

/* Switch to whom the scheduler wants. */
static struct vcpu *switch_now(void)
{
    struct vcpu *prev = current, *next = sched_pick();

    asked = false;
    if (next == prev) {
        return next;
    }
    if (prev != NULL) {
        prev->is_running = false;
        vcpu_set_runstate(
            prev, prev->hold == 0 ? RUNSTATE_runnable : RUNSTATE_blocked, now);
    }
    this_cpu()->current_vcpu = next;
    if (next != NULL) {
        next->is_running = true;
        vcpu_set_runstate(next, RUNSTATE_running, now);
    }
    return next;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    if (current != NULL) {
        block(current);
        (void)switch_now();
    }
    for (unsigned int i = 0; i < 3; i++) {
        if (v[i].is_queued) {
            block(&v[i]);
        }
        memset(&v[i], 0, sizeof(v[i]));
        v[i].hold = VCPU_HOLD_BLOCKED;
        v[i].runstate.state = RUNSTATE_blocked;
    }
    now += 1000 * MS;
    sched_init();
    timers_run();
    asked = false;
    return 0;
}

static void test_idle_and_one(void **state)
{
    (void)state;
    assert_null(switch_now());
    wake(&v[0]);
    assert_true(asked);
    assert_ptr_equal(switch_now(), &v[0]);
    assert_int_equal(armed, 0); /* alone: no slice */
    now += 50 * MS;
    assert_ptr_equal(switch_now(), &v[0]);
}

static void test_round_robin(void **state)
{
    (void)state;
    wake(&v[0]);
    (void)switch_now();
    wake(&v[1]);
    now += 1 * MS;
    assert_ptr_equal(switch_now(), &v[1]);
    assert_int_equal(run_out(), SCHED_SLICE_NS);
    assert_ptr_equal(switch_now(), &v[0]);
    assert_int_equal(run_out(), SCHED_SLICE_NS);
    assert_ptr_equal(switch_now(), &v[1]);
}

static void test_wake_preempts(void **state)
{
    (void)state;
    wake(&v[0]);
    (void)switch_now();
    now += MS / 10;
    wake(&v[1]);
    assert_false(asked); /* it has only just begun */
    assert_true(run_out() < MS);
    assert_ptr_equal(switch_now(), &v[1]);
    now += 2 * MS;
    block(&v[1]);
    assert_ptr_equal(switch_now(), &v[0]);
    now += 2 * MS;
    wake(&v[1]);
    assert_true(asked);
}

/* Two that wake each other all the time, and one that wants to run. */
static void test_nobody_starves(void **state)
{
    uint64_t got = 0, end;

    (void)state;
    wake(&v[0]);
    (void)switch_now();
    wake(&v[2]);
    end = now + 1000 * MS;
    while (now < end) {
        uint64_t step = MS / 10;

        if (current == &v[2]) {
            /* Their timers go off meanwhile; it ends when it is made to. */
            now += step;
            got += step;
            timers_run();
            if (asked) {
                (void)switch_now();
            }
            continue;
        }
        now += step;
        wake(current == &v[0] ? &v[1] : &v[0]);
        block(current);
        (void)switch_now();
        assert_non_null(current);
    }
    assert_true(got > 200 * MS);
}

/* One that naps for a moment at the end of each slice gets no more for it. */
static void test_naps_do_not_pay(void **state)
{
    uint64_t got = 0, end, nap_over = 0;

    (void)state;
    wake(&v[0]);
    (void)switch_now();
    wake(&v[2]);
    end = now + 1000 * MS;
    while (now < end) {
        uint64_t start = now;

        if (current == &v[0]) {
            now += 9 * MS;
            block(&v[0]);
            nap_over = now + 1000;
            (void)switch_now();
            continue;
        }
        now += MS / 20;
        got += now - start;
        if (v[0].hold != 0 && now >= nap_over) {
            wake(&v[0]);
        }
        timers_run();
        if (asked) {
            (void)switch_now();
        }
    }
    assert_true(got > 300 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_idle_and_one, set_up),
        cmocka_unit_test_setup(test_round_robin, set_up),
        cmocka_unit_test_setup(test_wake_preempts, set_up),
        cmocka_unit_test_setup(test_nobody_starves, set_up),
        cmocka_unit_test_setup(test_naps_do_not_pay, set_up),
    };

    return UNIT_RUN(tests);
}
