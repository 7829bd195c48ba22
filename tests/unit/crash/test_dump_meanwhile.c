/* SPDX-License-Identifier: MIT */
/*
 * crash/dump, one in the middle of another: two ask, two put the same picture into
 * words, a picture comes while somebody asks, reads or dies; and last words that are
 * more than there is room for.
 */
#include "tests/unit/crash/dump_machine.h"

#include "x86/percpu.h"
#include "log/printk.h"
#include "crash/dump.h"
#include "crash/panic.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"

/* Three lines of three CPUs, one of the guest's, and the last. */
#define WHOLE (3U * 3 + 1 + 1)

static cpumask_t silent;

static cpumask_t ask(void)
{
    return dump_cpus(LOG_ERROR, NULL, LIMIT);
}

/* CPU 1 asks, too. */
static void another_asks(void)
{
    fake_cpu = 1;
    silent = ask();
}

/* Whatever the place: one of the two has the turn, and the other is told so. */
static void two_ask(void **state)
{
    unsigned int n, first = 0;

    (void)state;
    for (n = 1; n < 1000; n++) {
        cpumask_t mine;

        forget();
        in_step = another_asks;
        steps = n;
        mine = ask();
        if (in_step != NULL) {
            break; /* it has no such step */
        }
        assert_int_equal(mine, silent == 0 ? DUMP_NOT_NOW : 0);
        assert_true(silent == 0 || silent == DUMP_NOT_NOW);
        first += silent == 0;
        assert_int_equal(fake_printk_count, WHOLE);
        assert_false(dump_is_on());
        in_step = NULL;
    }
    /* To take the turn and end it, four NMIs, four claims, the wait's end. */
    assert_int_equal(n - 1, 2 + 4 + 4 + 1);
    assert_int_equal(first, 1);
}

static void words_of_3(void)
{
    fake_cpu = 1;
    dump_say_late(3);
}

/* The CPU itself and another begin to say it: one does. */
static void two_say_it(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(ask(), CPUMASK_OF(3));
    nmi_of(3);
    forget();
    in_step = words_of_3;
    steps = 1;
    dump_say_late(3);
    assert_null(in_step);
    assert_int_equal(fake_printk_count, 3);
    assert_false(dump_is_late(3));
}

static void answers_and_says(void)
{
    nmi_of(3);
    assert_int_equal(fake_cpu_blocks[3].work, WORK_NMI);
    fake_cpu = 3;
    assert_true(dump_is_late(3));
    dump_say_late(3);
    assert_false(dump_is_late(3));
}

static unsigned int looks;

static void one_answers_at_the_end(void)
{
    /* The first is the beginning, and the second is too late for the limit. */
    if (++looks == 2) {
        now_ns += 2 * LIMIT;
        nmi_of(1);
        in_words = answers_and_says;
    } else {
        in_wait = one_answers_at_the_end;
    }
}

/* Behind the end of the wait, and before the last look: it sees that it is late. */
static void says_it_before_the_last_look(void **state)
{
    (void)state;
    dead = CPUMASK_OF(1) | CPUMASK_OF(3);
    looks = 0;
    in_wait = one_answers_at_the_end;
    assert_int_equal(ask(), 0);
    assert_true(fake_printk_said("CPU 1: at fn1234"));
    assert_true(fake_printk_said("CPU 3: late: at fn1234"));
    assert_false(fake_printk_said("CPU 3: at"));
    assert_int_equal(fake_printk_count, WHOLE);
}

static void answers_in_time(void)
{
    unsigned int before = fake_printk_count;

    if (++looks == 2) {
        nmi_of(1);
        /* Whoever waits for it says it. */
        assert_int_equal(fake_cpu_blocks[1].work, 0);
        assert_false(dump_is_late(1));
        dump_say_late(1);
        assert_int_equal(fake_printk_count, before);
    } else {
        in_wait = answers_in_time;
    }
}

static void is_not_late(void **state)
{
    (void)state;
    dead = CPUMASK_OF(1);
    looks = 0;
    in_wait = answers_in_time;
    assert_int_equal(ask(), 0);
    assert_true(fake_printk_said("CPU 1: at fn1234"));
    assert_false(fake_printk_said("late"));
    assert_int_equal(fake_printk_count, WHOLE);
}

static void answers_again(void)
{
    stack = 0x600;
    in_hv.rip = 0x6000;
    nmi_of(3);
}

/* Who dies reads it when the next one comes: the new one's lines are not mixed in. */
static void new_one_in_the_last_words(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(ask(), CPUMASK_OF(3));
    nmi_of(3);
    assert_int_equal(ask(), CPUMASK_OF(3));
    in_words = answers_again;
    last_words();
    assert_int_equal(fake_printk_count, 1);
    assert_true(fake_printk_said("last: CPU 3: asked before: at fn1234"));
    last_words();
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("last: CPU 3: asked before: at fn6000"));
    dump_say_late(3);
}

static void dies(void)
{
    panic("it dies");
}

/* 10 CPUs of 17 lines: 128 of them, then only where each was. */
static void too_many_last_words(void **state)
{
    char words[64];

    (void)state;
    add_cpus(10);
    frames = 16;
    in_words = dies;
    EXPECT_PANIC((void)ask());
    last_words();
    /* Nine of ours; the guest's is one line.  1 + 7 * 17 + 8, and one more. */
    assert_int_equal(fake_printk_count, 128 + 1);
    for (unsigned int cpu = 0; cpu < 10; cpu++) {
        (void)snprintf(words, sizeof(words),
                       "last: CPU %u: asked before: ", cpu);
        assert_true(fake_printk_said(words));
    }
    assert_true(fake_printk_said("last: CPU 8:    [<"));
    assert_false(fake_printk_said("last: CPU 9:    [<"));
    /* The turn is taken away from the dead, for the next test. */
    now_ns += 10000 * (uint64_t)LIMIT;
    assert_int_equal(ask(), 0);
}

static void stands_for_long(void)
{
    uint64_t then = now_ns;

    now_ns += 10000 * (uint64_t)LIMIT;
    fake_cpu = 2;
    dead = 0;
    assert_int_equal(ask(), 0);
    /* It stood after it had read the clock: what it has is old. */
    now_ns = then;
}

static void second_look(void)
{
    in_wait = stands_for_long;
}

/* Another's round is on when it looks: it does not wait for the end of its own. */
static void turn_is_lost_at_a_look(void **state)
{
    uint64_t before = now_ns;

    (void)state;
    dead = CPUMASK_OF(3);
    in_wait = second_look;
    assert_int_equal(ask(), DUMP_NOT_NOW);
    assert_in_range(now_ns - before, 1, LIMIT / 100);
    assert_false(dump_is_on());
    assert_false(fake_printk_said("does not answer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(two_ask, set_up),
        cmocka_unit_test_setup(two_say_it, set_up),
        cmocka_unit_test_setup(says_it_before_the_last_look, set_up),
        cmocka_unit_test_setup(is_not_late, set_up),
        cmocka_unit_test_setup(new_one_in_the_last_words, set_up),
        cmocka_unit_test_setup(too_many_last_words, set_up),
        cmocka_unit_test_setup(turn_is_lost_at_a_look, set_up),
    };

    return UNIT_RUN(tests);
}
