/* SPDX-License-Identifier: MIT */
/*
 * dev/irq_storm.c: what comes too often is held back, and nothing is lost.
 */
#include "tests/unit/dev/irq_machine.h"

/* @count interrupts, @ns apart. */
static void come(unsigned int vector, unsigned int count, uint64_t ns)
{
    for (unsigned int i = 0; i < count; i++) {
        dispatch(vector);
        now_ns += ns;
    }
}

static void pause_is_over(uint64_t ns)
{
    assert_non_null(timer);
    assert_in_range(timer->deadline_ns - now_ns, ns - 2000000, ns);
    now_ns = timer->deadline_ns;
    timer->deadline_ns = TIMER_NEVER;
    timer->fn(timer->arg);
}

static void a_storm_after_power_on_is_held_back(void **state)
{
    (void)state;
    now_ns = 50000000; /* no second of quiet has been yet */
    assert_int_equal(make_messages(104, 1, true), 0);
    assert_int_equal(irq_bind(104, handler, &handled, "test"), 0);
    come(irq_descs[104].vector, 1200, 1000);
    pause_is_over(10000000);
}

static void what_comes_too_often_is_held_back(void **state)
{
    uint64_t pause = 10000000;
    unsigned int v;
    struct irq_info info;

    (void)state;
    message_masked = false;
    assert_int_equal(make_messages(100, 1, true), 0);
    assert_int_equal(irq_bind(100, handler, &handled, "test"), 0);
    v = irq_descs[100].vector;
    come(v, 5000, 11000); /* 90,000 in a second: busy, no more */
    assert_null(timer);
    come(v, 1200, 1000);
    assert_non_null(timer);
    assert_true(message_masked);
    for (unsigned int i = 0; i < 12; i++) {
        pause_is_over(pause);
        assert_false(message_masked);
        come(v, 1088, 1000);
        assert_true(message_masked);
        pause = MIN(2 * pause, 1280000000ULL);
    }
    assert_int_equal(irq_info_get(100, &info), 0);
    assert_int_equal(info.pauses, 13);
    pause_is_over(pause);
    assert_int_equal(handled, 5000 + 1200 + 12 * 1088); /* and no more */
    /* A second of quiet: the next one is short again. */
    now_ns += 1100000000;
    come(v, 1088, 1000);
    pause_is_over(10000000);
    irq_set_ratelimit(0);
    come(v, 100000, 10);
    assert_false(message_masked);
}

static void a_stuck_line_is_held_back(void **state)
{
    (void)state;
    now_ns = 300000000; /* soon after power-on */
    assert_int_equal(irq_bind(9, handler, &handled, "test"), 0);
    for (unsigned int i = 0; i < 1200; i++) {
        dispatch(routes[9].vector);
        now_ns += 1000;
        irq_eoi(9);
        if (timer != NULL) {
            break;
        }
    }
    assert_non_null(timer);
    assert_true(masked[9]); /* in spite of the EOI */
    irq_eoi(9);
    assert_true(masked[9]);
    handled = 0;
    pause_is_over(10000000);
    assert_false(masked[9]);
    assert_int_equal(handled, 0); /* a line that is stuck says so itself */
}

static void what_a_pause_swallowed_is_made_up_for(void **state)
{
    (void)state;
    assert_int_equal(irq_bind(4, handler, &handled, "edge"), 0);
    come(routes[4].vector, 1152, 1000);
    assert_true(masked[4]);
    handled = 0;
    pause_is_over(10000000);
    assert_int_equal(handled, 1);
    assert_false(masked[4]);

    message_maskable = false;
    timer = NULL;
    assert_int_equal(make_messages(100, 1, false), 0);
    assert_int_equal(irq_bind(100, handler, &handled, "test"), 0);
    come(irq_descs[100].vector, 1152, 1000);
    irq_unbind(100); /* nobody wants it any more */
    handled = 0;
    pause_is_over(10000000);
    assert_int_equal(handled, 0);
}

#define T(f) cmocka_unit_test_setup(f, irq_machine_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_storm_after_power_on_is_held_back),
        T(what_comes_too_often_is_held_back),
        T(a_stuck_line_is_held_back),
        T(what_a_pause_swallowed_is_made_up_for),
    };

    return UNIT_RUN(tests);
}
