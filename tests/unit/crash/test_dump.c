/* SPDX-License-Identifier: MIT */
/*
 * crash/dump: all answer, one does not, one answers late, in the middle of the next
 * round too; asked from an NMI and from elsewhere; one round at a time; who asks
 * dies, or hangs.
 */
#include "tests/unit/crash/dump_machine.h"

#include <pthread.h>
#include <semaphore.h>

#include "x86/percpu.h"
#include "crash/dump.h"
#include "crash/panic.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"

static void all_answer(void **state)
{
    (void)state;
    assert_false(dump_if_asked(&in_hv));
    asks_again = true;
    assert_int_equal(dump_cpus(LOG_NOTICE, NULL, LIMIT), 0);
    assert_int_equal(sent, 0xf); /* itself, too */
    assert_false(dump_is_on());
    /* Three lines of three CPUs, one of the guest's, and the last. */
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
    assert_true(fake_printk_said("CPU 0: at fn1234, rsp 0000000000000000, "
                                 "interrupts off, hypervisor\n"
                                 "CPU 0:    [<0000000000000077>] back77\n"
                                 "CPU 0:    [<0000000000000088>] back88\n"
                                 "CPU 1: at fn1234"));
    assert_true(fake_printk_said("interrupts off, irq in hypervisor"));
    assert_true(fake_printk_said("CPU 2: in d7v3, rip e033:0000000000004321"));
    assert_non_null(strstr(fake_printk_last, "4 of 4 CPUs"));
    for (unsigned int i = 0; i < CPUS; i++) {
        assert_false(dump_is_late(i));
        assert_int_equal(fake_cpu_blocks[i].work, 0);
    }
    last_words();
    assert_int_equal(fake_printk_count, 0);
}

static void from_an_nmi(void **state)
{
    (void)state;
    fake_cpu = 1;
    assert_int_equal(dump_cpus(LOG_ERROR, &in_hv, LIMIT), 0);
    assert_int_equal(sent, 0xd); /* not itself: NMIs are blocked */
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
    assert_non_null(strstr(fake_printk_last, "4 of 4 CPUs"));
}

/* An NMI writes nothing: pictures only. */
static void nothing_in_the_nmi(void)
{
    assert_int_equal(fake_printk_count, 0);
}

static void pictures_only(void **state)
{
    (void)state;
    in_walk = nothing_in_the_nmi;
    fake_cpu = 3;
    in_wait = NULL;
    dead = 7;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 7);
    forget();
    nmi_of(0);
    nmi_of(1);
    nothing_in_the_nmi();
    dump_say_late(0);
    dump_say_late(1);
    nmi_of(2);
    dump_say_late(2);
}

static void one_is_dead(void **state)
{
    uint64_t before = now_ns;

    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    assert_in_range(now_ns - before, 1000000, 1100000);
    assert_non_null(strstr(fake_printk_last, "3 of 4 CPUs"));
    assert_true(fake_printk_said("CPU 3: does not answer"));
    assert_false(dump_is_late(3));
    /* Its NMI comes after all: its lines, from itself, and nobody waits. */
    forget();
    nmi_of(3);
    assert_int_equal(fake_printk_count, 0);
    assert_int_equal(fake_cpu_blocks[3].work, WORK_NMI);
    assert_true(dump_is_late(3));
    dump_say_late(3);
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("CPU 3: late: at fn1234"));
    assert_false(dump_is_late(3));
    dump_say_late(3);
    assert_int_equal(fake_printk_count, 3);
    fake_cpu = 3;
    assert_false(dump_if_asked(&in_hv));
    fake_cpu = 0;
    /* The next round is whole again. */
    dead = 0;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
    /* One that hangs afterwards says nothing any more: it is in the last words. */
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    nmi_of(3);
    last_words();
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("last: CPU 3: asked before: at fn1234"));
    dump_say_late(3);
}

/* Each time the next step of a story. */
static unsigned int rounds;

static void ask_meanwhile(void)
{
    rounds++;
    fake_cpu = 0;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
}

/* CPU 3 has begun its picture, and a round and the next one go by. */
static void late_in_the_next_round(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    in_walk = NULL;
    fake_cpu = 3;
    stack = 0x300;
    in_hv.rip = 0x3000;
    forget();
    rounds = 0;
    in_walk = ask_meanwhile;
    this_cpu()->work = 0;
    assert_true(dump_if_asked(&in_hv));
    assert_int_equal(rounds, 1);
    /* Half a picture, of another round: not taken for the answer. */
    assert_true(fake_printk_said("CPU 3: does not answer"));
    assert_false(fake_printk_said("CPU 3: at"));
    assert_true(dump_is_late(3));
    /* Then the NMI of the next round comes, before the first is in the log. */
    stack = 0x400;
    in_hv.rip = 0x4000;
    forget();
    nmi_of(3);
    dump_say_late(3);
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("CPU 3: late: at fn4000"));
    assert_true(fake_printk_said("back411"));
}

static sem_t begun, go_on;
static pthread_t handler;
static unsigned int looks;

static void stands(void)
{
    sem_post(&begun);
    sem_wait(&go_on);
}

static void *nmi_that_stands(void *arg)
{
    fake_cpu = 3;
    in_walk = stands;
    (void)dump_if_asked(&in_hv);
    return arg;
}

static void goes_on(void)
{
    if (++looks < 4) {
        in_wait = goes_on;
        return;
    }
    sem_post(&go_on);
    assert_int_equal(pthread_join(handler, NULL), 0);
}

/* Its picture is whole while the next round is on: it is not the answer to that. */
static void of_another_round(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    in_hv.rip = 0x3000;
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    assert_int_equal(pthread_create(&handler, NULL, nmi_that_stands, NULL), 0);
    sem_wait(&begun);
    in_hv.rip = 0x1234;
    forget();
    looks = 0;
    in_wait = goes_on;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    assert_int_equal(looks, 4);
    assert_true(fake_printk_said("CPU 3: does not answer"));
    assert_false(fake_printk_said("fn3000"));
    assert_true(dump_is_late(3));
    dump_say_late(3);
    assert_true(fake_printk_said("CPU 3: late: at fn3000"));
    nmi_of(3);
    dump_say_late(3);
}

static void dies_with_half_a_picture(void)
{
    /* Nor is it late: there is none yet. */
    forget();
    assert_false(dump_is_late(3));
    dump_say_late(3);
    assert_int_equal(fake_printk_count, 0);
    last_words();
}

/* Somebody dies while a picture is taken: what is in the making is left out. */
static void in_the_making(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    in_walk = dies_with_half_a_picture;
    nmi_of(3);
    assert_int_equal(fake_printk_count, 0);
    last_words();
    assert_int_equal(fake_printk_count, 3);
    dump_say_late(3);
}

static void answer_of_3(void)
{
    stack = 0x500;
    in_hv.rip = 0x5000;
    nmi_of(3);
}

/* One NMI for two rounds: it is the answer to the second, once. */
static void one_nmi_for_two(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    forget();
    /* While the others' words are written. */
    in_words = answer_of_3;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
    assert_int_equal(fake_cpu_blocks[3].work, 0);
    assert_true(fake_printk_said("CPU 3: at fn5000"));
    assert_false(fake_printk_said("late"));
    assert_false(dump_is_late(3));
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
}

static unsigned int waits;

static void answer_at_the_end(void)
{
    /* The first is the beginning, and the second is too late for the limit. */
    if (++waits == 2) {
        now_ns += 2 * LIMIT;
        answer_of_3();
    } else {
        in_wait = answer_at_the_end;
    }
}

/* It comes between the last look of the wait and the end of the round. */
static void last_moment(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    waits = 0;
    in_wait = answer_at_the_end;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
    assert_true(fake_printk_said("CPU 3: at fn5000"));
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
}

static void asked_again_while_read(void)
{
    stack = 0x600;
    in_hv.rip = 0x6000;
    dead = 0;
    fake_cpu = 0;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
}

/* Whoever writes a late picture's lines finds that a new one has been taken. */
static void torn(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), CPUMASK_OF(3));
    nmi_of(3);
    forget();
    in_words = asked_again_while_read; /* behind the first of two lines */
    dump_say_late(3);
    assert_true(fake_printk_said("CPU 3: late: at fn1234"));
    assert_true(fake_printk_said("CPU 3: at fn6000"));
    assert_true(fake_printk_said("CPU 3:    [<0000000000000611>] back611"));
    /* Nothing of the old one any more: neither address, nor another's. */
    assert_false(fake_printk_said("CPU 3:    [<0000000000000077>]"));
    assert_int_equal(fake_printk_count, 1 + 3 * 3 + 1 + 1);
}

static void dies(void)
{
    panic("it dies");
}

/* Who asks dies with the words half written: nobody's are lost. */
static void asker_dies(void **state)
{
    (void)state;
    in_words = dies;
    EXPECT_PANIC((void)dump_cpus(LOG_ERROR, NULL, LIMIT));
    assert_true(dump_is_on());
    /* Not only those that are not in the log, but all of the one begun. */
    last_words();
    assert_int_equal(fake_printk_count, 3 * 3 + 1);
    for (unsigned int i = 0; i < CPUS; i++) {
        char words[40];

        (void)snprintf(words, sizeof(words), "last: CPU %u: asked before: ", i);
        assert_true(fake_printk_said(words));
    }
    /* Others wait their turn, and take it when it is clear that it hangs. */
    fake_cpu = 1;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), DUMP_NOT_NOW);
    now_ns += 10000 * (uint64_t)LIMIT;
    forget();
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
    assert_false(dump_is_on());
    last_words();
    assert_int_equal(fake_printk_count, 0);
}

static void another_takes_it(void)
{
    now_ns += 10000 * (uint64_t)LIMIT;
    fake_cpu = 2;
    dead = 0;
    stack = 0x700;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
}

static void second_wait(void)
{
    in_wait = another_takes_it;
}

/* Who asks stands for long, loses its turn, goes on, and does no harm. */
static void turn_is_lost(void **state)
{
    (void)state;
    dead = CPUMASK_OF(3);
    in_wait = second_wait;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), DUMP_NOT_NOW);
    /* Those of the first round that had answered, the second, one end. */
    assert_int_equal(fake_printk_count, 2 * 3 + 1 + 3 * 3 + 1 + 1);
    assert_false(dump_is_on());
    assert_false(fake_printk_said("does not answer"));
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, LIMIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_answer, set_up),
        cmocka_unit_test_setup(from_an_nmi, set_up),
        cmocka_unit_test_setup(pictures_only, set_up),
        cmocka_unit_test_setup(one_is_dead, set_up),
        cmocka_unit_test_setup(late_in_the_next_round, set_up),
        cmocka_unit_test_setup(of_another_round, set_up),
        cmocka_unit_test_setup(in_the_making, set_up),
        cmocka_unit_test_setup(one_nmi_for_two, set_up),
        cmocka_unit_test_setup(last_moment, set_up),
        cmocka_unit_test_setup(torn, set_up),
        cmocka_unit_test_setup(asker_dies, set_up),
        cmocka_unit_test_setup(turn_is_lost, set_up),
    };

    return UNIT_RUN(tests);
}
