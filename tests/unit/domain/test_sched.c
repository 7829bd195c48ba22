/* SPDX-License-Identifier: MIT */
/*
 * domain/sched*.c: shares by weight and domain, caps, who goes first, and that
 * nobody waits for ever; on one CPU and on several.
 */
#include "tests/unit/domain/sched_machine.h"

#include <errno.h>

static int set_up(void **state)
{
    (void)state;
    sim_begin(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_end();
    return 0;
}

static void idle_and_one(void **state)
{
    struct domain *d = sim_domain(1, 0, 0);

    (void)state;
    sim_run(1 * S);
    assert_int_equal(sched_idle_ns(0), 1 * S);
    sim_start(d);
    sim_reset_counts();
    sim_run(1 * S);
    assert_int_equal(sim_got(d), 1 * S);
    assert_int_equal(sched_idle_ns(0), 1 * S);
    assert_int_equal(sim_of(d->vcpu[0])->taken_up, 0); /* undisturbed */
}

static void shares_by_weight(void **state)
{
    static const uint16_t weight[] = {256, 512, 128, 1024};
    struct domain *d[4];

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        uint16_t got, cap;

        d[i] = sim_domain(1, 0, 0);
        assert_int_equal(sched_set_share(d[i], weight[i], 0), 0);
        sched_get_share(d[i], &got, &cap);
        assert_int_equal(got, weight[i]);
        assert_int_equal(cap, 0);
        sim_start(d[i]);
    }
    assert_int_equal(sched_set_share(d[0], 0, 0), -EINVAL);
    sim_run(10 * S);
    for (unsigned int i = 0; i < 4; i++) {
        assert_about(sim_got(d[i]), 10 * S * weight[i] / 1920, 5);
    }
    /* A change counts at once. */
    assert_int_equal(sched_set_share(d[3], 128, 0), 0);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(d[3]), 10 * S / 8, 5);
    assert_about(sim_got(d[1]), 10 * S / 2, 5);
}

/* Vcpus do not make a domain's share larger, but get like parts of it. */
static void shares_are_domains(void **state)
{
    struct domain *many = sim_domain(8, 0, 0), *one = sim_domain(1, 0, 0);

    (void)state;
    sim_start(many);
    sim_start(one);
    sim_run(10 * S);
    assert_about(sim_got(one), 5 * S, 5);
    for (unsigned int i = 0; i < 8; i++) {
        assert_about(sim_of(many->vcpu[i])->got_ns, 5 * S / 8, 5);
    }
}

/* Two vcpus of one domain that take turns count as one domain. */
static void turns_do_not_pay(void **state)
{
    struct domain *turns = sim_domain(2, 5 * MS, 5 * MS);
    struct domain *hog = sim_domain(1, 0, 0);

    (void)state;
    sim_start(hog);
    sim_start(turns);
    sim_run(10 * S);
    assert_about(sim_got(hog), 5 * S, 5);
}

/* One that naps for a moment at the end of each slice gets no more for it. */
static void naps_do_not_pay(void **state)
{
    struct domain *naps = sim_domain(1, 9 * MS, 1 * US);
    struct domain *hog = sim_domain(1, 0, 0);

    (void)state;
    sim_start(hog);
    sim_start(naps);
    sim_run(10 * S);
    assert_about(sim_got(hog), 5 * S, 5);
}

/* Who has slept for long is let go first, but not for as long as it slept. */
static void sleep_is_not_saved_up(void **state)
{
    struct domain *sleeper = sim_domain(1, 0, 0), *hog = sim_domain(1, 0, 0);

    (void)state;
    sim_start(hog);
    sim_run(10 * S);
    sim_start(sleeper);
    sim_reset_counts();
    sim_run(1 * S);
    assert_about(sim_got(hog), S / 2, 5);
}

/* The issue's own case: seven hogs and one that sleeps and works. */
static void eighth_is_served(void **state)
{
    (void)state;
    for (unsigned int cpus = 1; cpus <= 4; cpus *= 2) {
        struct domain *hog[7], *light, *heavy;

        sim_end();
        sim_begin(cpus);
        for (unsigned int i = 0; i < 7; i++) {
            hog[i] = sim_domain(1, 0, 0);
            sim_start(hog[i]);
        }
        light = sim_domain(1, 1 * MS, 15 * MS);
        sim_start(light);
        sim_run(100 * MS);
        sim_reset_counts();
        sim_run(10 * S);
        /* It gets what it asks for, whoever else there is. */
        assert_about(sim_got(light), 10 * S / 16, 5);
        for (unsigned int i = 0; i < 7; i++) {
            assert_about(sim_got(hog[i]),
                         (10 * S * cpus - sim_got(light)) / 7, 5);
        }
        assert_true(sim_of(light->vcpu[0])->waited_most_ns <= 1 * MS);
        /* One that asks for more than its share gets that. */
        sim_hold(light->vcpu[0], VCPU_HOLD_PAUSED);
        heavy = sim_domain(1, 10 * MS, 2 * MS);
        sim_start(heavy);
        sim_run(1 * S);
        sim_reset_counts();
        sim_run(10 * S);
        assert_about(sim_got(heavy), 10 * S * cpus / 8, 5);
    }
}

static void wakes_preempt(void **state)
{
    struct domain *hog = sim_domain(1, 0, 0);
    struct domain *light = sim_domain(1, 200 * US, 20 * MS);

    (void)state;
    sim_start(hog);
    sim_start(light);
    sim_run(1 * S);
    sim_reset_counts();
    sim_run(1 * S);
    /* The hog has run for longer than the limit: at once. */
    assert_true(sim_of(light->vcpu[0])->taken_up >= 48);
    assert_int_equal(sim_of(light->vcpu[0])->waited_most_ns, 0);
}

static void ratelimit(void **state)
{
    struct domain *hog = sim_domain(1, 0, 0);
    struct domain *quick = sim_domain(1, 10 * US, 90 * US);

    (void)state;
    assert_int_equal(sched_ratelimit_us(), SCHED_RATELIMIT_DEFAULT_US);
    assert_int_equal(sched_set_ratelimit(99), -EINVAL);
    assert_int_equal(sched_set_ratelimit(500001), -EINVAL);
    assert_int_equal(sched_set_ratelimit(2000), 0);
    sim_start(hog);
    sim_start(quick);
    sim_run(100 * MS);
    sim_reset_counts();
    sim_run(1 * S);
    /* The hog runs 2 ms before each turn of the other. */
    assert_in_range(sim_of(hog->vcpu[0])->taken_up, 470, 500);
    assert_int_equal(sched_set_ratelimit(0), 0);
    sim_run(100 * MS);
    sim_reset_counts();
    sim_run(1 * S);
    assert_true(sim_of(hog->vcpu[0])->taken_up >= 9900);
}

/* Two that wake each other all the time, and one that wants to run. */
static void nobody_starves(void **state)
{
    struct domain *a = sim_domain(1, 100 * US, 100 * US);
    struct domain *b = sim_domain(1, 100 * US, 100 * US);
    struct domain *hog = sim_domain(1, 0, 0);

    (void)state;
    sim_start(a);
    sim_start(b);
    sim_start(hog);
    sim_run(10 * S);
    assert_about(sim_got(hog), 10 * S / 3, 5);
}

static void yield_lets_others(void **state)
{
    struct domain *a = sim_domain(1, 0, 0), *b = sim_domain(1, 0, 0);
    struct vcpu *first;

    (void)state;
    sim_start(a);
    sched_yield(); /* nobody waits: nothing happens */
    sim_settle();
    assert_int_equal(sim_of(a->vcpu[0])->on_cpu, 0);
    sim_start(b);
    sim_run(1 * MS);
    for (unsigned int i = 0; i < 10; i++) {
        first = run_queue[0].running;
        sched_yield();
        sim_settle();
        assert_ptr_not_equal(run_queue[0].running, first);
        sim_run(10 * US);
    }
}

static void caps(void **state)
{
    struct domain *d = sim_domain(2, 0, 0), *other;

    (void)state;
    assert_int_equal(sched_set_share(d, 256, 25), 0);
    sim_start(d);
    sim_run(10 * S);
    assert_about(sim_got(d), 10 * S / 4, 5);
    /* What it may not have goes to others. */
    other = sim_domain(1, 0, 0);
    sim_start(other);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(d), 10 * S / 4, 5);
    assert_about(sim_got(other), 30 * S / 4, 5);
    /* A cap beyond the share does nothing, and none at all neither. */
    assert_int_equal(sched_set_share(d, 256, 90), 0);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(d), 5 * S, 5);
    assert_int_equal(sched_set_share(d, 256, 1), 0);
    sim_run(1 * S);
    assert_int_equal(sched_set_share(d, 256, 0), 0);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(d), 5 * S, 5);
}

/* Time a parked vcpu waits is time it wanted to run: a guest's steal. */
static void parked_is_runnable(void **state)
{
    struct domain *d = sim_domain(1, 0, 0);
    vcpu_runstate_info_t info;

    (void)state;
    assert_int_equal(sched_set_share(d, 256, 10), 0);
    sim_start(d);
    sim_run(10 * S);
    vcpu_runstate_get(d->vcpu[0], &info);
    assert_about(info.time[RUNSTATE_running], 1 * S, 5);
    assert_about(info.time[RUNSTATE_runnable], 9 * S, 5);
    assert_int_equal(info.time[RUNSTATE_running], sim_got(d));
}

static void cap_of_many_cpus(void **state)
{
    struct domain *d, *other;

    (void)state;
    sim_end();
    sim_begin(4);
    d = sim_domain(4, 0, 0);
    other = sim_domain(4, 0, 0);
    assert_int_equal(sched_set_share(d, 256, 150), 0);
    sim_start(d);
    sim_run(10 * S);
    assert_about(sim_got(d), 15 * S, 5);
    sim_start(other);
    sim_run(1 * S);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(d), 15 * S, 5);
    assert_about(sim_got(other), 25 * S, 5);
}

/* As many hogs as do not divide by the CPUs; each gets as much. */
static void even_on_many_cpus(void **state)
{
    for (unsigned int cpus = 2; cpus <= 5; cpus++) {
        struct domain *d[7];

        (void)state;
        sim_end();
        sim_begin(cpus);
        for (unsigned int i = 0; i < 7; i++) {
            d[i] = sim_domain(1, 0, 0);
            sim_start(d[i]);
        }
        sim_idle_limit_ns = 20 * MS;
        sim_run(10 * S);
        for (unsigned int i = 0; i < 7; i++) {
            assert_about(sim_got(d[i]), 10 * S * cpus / 7, 5);
        }
    }
}

/* What one vcpu cannot use of a domain's share, others get. */
static void share_of_many_cpus(void **state)
{
    struct domain *many, *one, *heavy;

    (void)state;
    sim_end();
    sim_begin(4);
    many = sim_domain(8, 0, 0);
    one = sim_domain(1, 0, 0);
    sim_start(many);
    sim_start(one);
    sim_idle_limit_ns = 20 * MS;
    sim_run(1 * S);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(one), 10 * S, 5);
    assert_about(sim_got(many), 30 * S, 5);
    /* Twice the weight, where all can use it. */
    sim_end();
    sim_begin(4);
    many = sim_domain(4, 0, 0);
    heavy = sim_domain(4, 0, 0);
    assert_int_equal(sched_set_share(heavy, 512, 0), 0);
    sim_start(many);
    sim_start(heavy);
    sim_run(1 * S);
    sim_reset_counts();
    sim_run(10 * S);
    assert_about(sim_got(heavy), 10 * S * 8 / 3, 5);
    assert_about(sim_got(many), 10 * S * 4 / 3, 5);
}

/*
 * Domains of several weights and sizes, more than there are CPUs: each gets of
 * all of them by its weight, with one among them that wakes all the time.
 */
struct lot {
    unsigned int per_cpu;
    int more; /* than that */
    unsigned int vcpus, weight;
};

static void run_lots(unsigned int cpus, const struct lot *lots,
                     unsigned int lot_count, uint64_t tick_ns)
{
    struct domain *d[32], *ticker;
    unsigned int weight[32], count = 0, weights = 0;

    sim_end();
    sim_begin(cpus);
    for (unsigned int i = 0; i < lot_count; i++) {
        int times = (int)(lots[i].per_cpu * cpus) + lots[i].more;

        for (; times > 0; times--) {
            d[count] = sim_domain(lots[i].vcpus, 0, 0);
            weight[count] = lots[i].weight;
            weights += lots[i].weight;
            assert_int_equal(
                sched_set_share(d[count], (uint16_t)lots[i].weight, 0), 0);
            sim_start(d[count++]);
        }
    }
    ticker = sim_domain(1, tick_ns, 20 * MS);
    if (tick_ns != 0) {
        sim_start(ticker);
    }
    sim_run(1 * S);
    sim_reset_counts();
    sim_run(10 * S);
    for (unsigned int i = 0; i < count; i++) {
        assert_about(sim_got(d[i]),
                     (10 * S * cpus - sim_got(ticker)) * weight[i] / weights,
                     5);
    }
}

static void lots_on_many_cpus(void **state)
{
    static const struct lot heavy[] = {{1, 0, 1, 512}, {2, 0, 1, 256}};
    static const struct lot pairs[] = {{1, 0, 2, 256}, {0, 1, 2, 512}};
    static const struct lot alike[] = {{3, 0, 1, 256}};
    static const struct lot one_large[] = {{2, 0, 1, 256}, {0, 1, 4, 256}};
    static const struct lot one_less[] = {{2, -1, 1, 256}, {0, 1, 4, 256}};

    (void)state;
    for (unsigned int cpus = 2; cpus <= 4; cpus++) {
        run_lots(cpus, one_less, 2, 0);
        for (uint64_t tick = 100 * US; tick <= 1600 * US; tick *= 4) {
            run_lots(cpus, one_less, 2, tick);
            run_lots(cpus, heavy, 2, tick);
            run_lots(cpus, pairs, 2, tick);
            run_lots(cpus, one_large, 2, tick);
            run_lots(cpus, alike, 1, tick);
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(idle_and_one),
        TEST(shares_by_weight),
        TEST(shares_are_domains),
        TEST(turns_do_not_pay),
        TEST(naps_do_not_pay),
        TEST(sleep_is_not_saved_up),
        TEST(eighth_is_served),
        TEST(wakes_preempt),
        TEST(ratelimit),
        TEST(nobody_starves),
        TEST(yield_lets_others),
        TEST(caps),
        TEST(parked_is_runnable),
        TEST(cap_of_many_cpus),
        TEST(even_on_many_cpus),
        TEST(share_of_many_cpus),
        TEST(lots_on_many_cpus),
    };

    return UNIT_RUN(tests);
}
