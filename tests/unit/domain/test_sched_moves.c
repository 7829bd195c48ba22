/* SPDX-License-Identifier: MIT */
/*
 * domain/sched_move.c, sched_cpus.c: who may be where, CPUs that come and go,
 * and thousands of things that happen at the worst moment.  The rules that hold
 * always are sched_machine.c's.
 */
#include "tests/unit/domain/sched_machine.h"

#include <errno.h>

#include "fake_hw.h"
#include "fake_printk.h"

static int set_up(void **state)
{
    (void)state;
    sim_begin(4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_between = NULL;
    sim_end();
    return 0;
}

static void pins_are_obeyed(void **state)
{
    struct domain *d[4];

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        d[i] = sim_domain(1, 0, 0);
        /* Two on CPU 1, two on CPU 3. */
        assert_int_equal(sched_set_affinity(d[i]->vcpu[0],
                                            i < 2 ? 1U << 1 : 1U << 3, ~0ULL),
                         0);
        sim_start(d[i]);
    }
    sim_run(10 * S);
    for (unsigned int i = 0; i < 4; i++) {
        assert_about(sim_got(d[i]), 5 * S, 5);
    }
    assert_int_equal(sched_idle_ns(0) > 9 * S, 1);
    assert_int_equal(sched_idle_ns(1) < 1 * S, 1);
}

static void affinity_needs_a_cpu(void **state)
{
    struct domain *d = sim_domain(1, 0, 0);

    (void)state;
    assert_int_equal(sched_set_affinity(d->vcpu[0], 1U << 4, ~0ULL), -EINVAL);
    assert_int_equal(sched_set_affinity(d->vcpu[0], 0, ~0ULL), -EINVAL);
    assert_true(d->vcpu[0]->hard_affinity == ~0ULL);
}

static void running_one_is_moved(void **state)
{
    struct domain *d = sim_domain(1, 0, 0);
    struct sim_vcpu *s = sim_of(d->vcpu[0]);

    (void)state;
    sim_start(d);
    for (unsigned int i = 0; i < 20; i++) {
        unsigned int to = (unsigned int)(s->on_cpu + 1 + (int)(i % 3)) % 4;

        sim_on(i % 4); /* whoever asks for it */
        assert_int_equal(sched_set_affinity(&s->v, 1ULL << to, ~0ULL), 0);
        sim_settle();
        assert_int_equal(s->on_cpu, to);
        sim_run(1 * MS);
    }
}

/* The CPU that is leaving @passed has saved it, and looked: not yet noted. */
static struct vcpu *passed;

static void passes(void)
{
    passed->is_running = false;
    run_queue[0].after_switch = false;
}

/* Between CPU 0's decision and its saving; CPU 1 wakes who has just slept. */
static void wake_between(unsigned int cpu)
{
    struct vcpu *v = passed;

    if (v == NULL || cpu != 0 || v->hold == 0) {
        return;
    }
    sim_on(1);
    assert_int_equal(sched_set_affinity(v, 1U << 1, ~0ULL), 0);
    fake_barrier_hook = passes;
    sim_release(v, VCPU_HOLD_BLOCKED);
    fake_barrier_hook = NULL;
    assert_int_equal(v->sched_state, SCHED_QUEUED);
    assert_int_equal(v->processor, 1);
    passed = NULL;
}

/* The CPU may go by between the look at is_running and the note for it. */
static void nobody_is_left_behind(void **state)
{
    struct domain *d = sim_domain(1, 0, 0);
    struct sim_vcpu *s = sim_of(d->vcpu[0]);

    (void)state;
    assert_int_equal(sched_set_affinity(&s->v, 1U << 0, ~0ULL), 0);
    sim_start(d);
    sim_run(1 * MS);
    assert_int_equal(s->on_cpu, 0);
    passed = &s->v;
    sim_between = wake_between;
    sim_hold(&s->v, VCPU_HOLD_BLOCKED);
    sim_settle();
    assert_null(passed);
    assert_int_equal(s->on_cpu, 1);
}

static void soft_is_preferred(void **state)
{
    struct domain *d = sim_domain(1, 1 * MS, 1 * MS);
    struct domain *hog = sim_domain(1, 0, 0);
    uint64_t idle;

    (void)state;
    assert_int_equal(sched_set_affinity(d->vcpu[0], ~0ULL, 1U << 2), 0);
    sim_start(d);
    sim_run(100 * MS);
    idle = sched_idle_ns(2);
    sim_run(1 * S);
    assert_about(sched_idle_ns(2) - idle, S / 2, 5);
    /* Its CPU is taken: better elsewhere than not at all. */
    assert_int_equal(sched_set_affinity(hog->vcpu[0], 1U << 2, ~0ULL), 0);
    sim_start(hog);
    sim_reset_counts();
    sim_run(1 * S);
    assert_about(sim_got(d), S / 2, 5);
    assert_about(sim_got(hog), S, 1);
}

/* Who is pinned to one CPU, and then wishes for another, goes there when it wakes. */
static void soft_moves_who_wakes(void **state)
{
    struct domain *d = sim_domain(1, 100 * US, 100 * MS);
    struct sim_vcpu *s = sim_of(d->vcpu[0]);
    uint64_t idle;

    (void)state;
    assert_int_equal(sched_set_affinity(&s->v, 1U << 2, ~0ULL), 0);
    sim_start(d);
    sim_run(1 * S);
    assert_int_equal(s->v.processor, 2);
    assert_int_equal(sched_set_affinity(&s->v, ~0ULL, 1U << 1), 0);
    sim_run(1 * S);
    assert_int_equal(s->v.processor, 1);
    idle = sched_idle_ns(2);
    sim_run(1 * S);
    assert_int_equal(sched_idle_ns(2) - idle, 1 * S);
    assert_int_equal(sched_set_affinity(&s->v, ~0ULL, 1U << 3), 0);
    sim_run(1 * S);
    assert_int_equal(s->v.processor, 3);
}

/* A pin changed 1,000 times a second for 30 s, among sleepers and hogs. */
static void migration_storm(void **state)
{
    struct domain *hogs = sim_domain(3, 0, 0);
    struct domain *nap = sim_domain(4, 300 * US, 700 * US);
    struct domain *storm = sim_domain(2, 0, 0);
    uint64_t before;

    (void)state;
    sim_start(hogs);
    sim_start(nap);
    sim_start(storm);
    srand(11);
    for (unsigned int i = 0; i < 30000; i++) {
        struct vcpu *v = i % 2 ? storm->vcpu[i / 2 % 2] : nap->vcpu[i / 2 % 4];

        sim_on((unsigned int)rand() % 4);
        assert_int_equal(
            sched_set_affinity(v, 1ULL << (unsigned int)rand() % 4, ~0ULL), 0);
        sim_run(1 * MS);
    }
    /* Nobody was lost: each still gets on. */
    for (unsigned int i = 0; i < 2; i++) {
        before = sim_of(storm->vcpu[i])->got_ns;
        sim_run(200 * MS);
        assert_true(sim_of(storm->vcpu[i])->got_ns > before);
    }
    /* Of 30 s on four CPUs each domain could use a third, but for the pins. */
    assert_true(sim_got(hogs) > 30 * S && sim_got(storm) > 20 * S);
}

static void cpus_come_and_go(void **state)
{
    struct domain *d[6];
    unsigned int lines;

    (void)state;
    for (unsigned int i = 0; i < 6; i++) {
        d[i] = sim_domain(1, i < 4 ? 0 : 1 * MS, i < 4 ? 0 : 3 * MS);
        sim_start(d[i]);
    }
    assert_int_equal(sched_set_affinity(d[0]->vcpu[0], 1U << 3, ~0ULL), 0);
    sim_run(100 * MS);
    lines = fake_printk_count;
    sim_on(1);
    /* Somebody runs there: once it has left, it is done. */
    assert_int_equal(sched_cpu_down(3), -EAGAIN);
    sim_settle();
    assert_int_equal(sched_cpu_down(3), 0);
    assert_false(sched_cpu_is_used(3));
    assert_int_equal(sched_cpus_used(), 7);
    /* The pinned one runs, and it was said that its pin is gone. */
    assert_int_equal(fake_printk_count, lines + 1);
    assert_non_null(strstr(fake_printk_last, "affinity"));
    sim_reset_counts();
    sim_run(1 * S);
    assert_true(sim_got(d[0]) > S / 4);
    assert_null(run_queue[3].running);
    sim_on(0);
    while (sched_cpu_down(2) == -EAGAIN) {
        sim_settle();
    }
    while (sched_cpu_down(1) == -EAGAIN) {
        sim_settle();
    }
    assert_int_equal(sched_cpu_down(0), -EBUSY);
    sim_reset_counts();
    sim_run(2 * S);
    for (unsigned int i = 0; i < 4; i++) {
        assert_about(sim_got(d[i]), 2 * S / 6, 5);
    }
    for (cpu_t cpu = 1; cpu < 4; cpu++) {
        sched_cpu_up(cpu);
    }
    sim_idle_limit_ns = 20 * MS;
    sim_run(1 * S);
    sim_reset_counts();
    sim_run(2 * S);
    for (unsigned int i = 0; i < 4; i++) {
        assert_true(sim_got(d[i]) > S * 3 / 2);
    }
}

/* ---- at the worst moment ------------------------------------------------- */

static bool all_may_go;

static cpumask_t some_cpus(void)
{
    cpumask_t cpus = (cpumask_t)rand() % 16;

    return (cpus & sched_cpus_used()) != 0 ? cpus : ~0ULL;
}

/* Anything anybody may do to a vcpu, from any CPU. */
static void anything(void)
{
    struct sim_vcpu *s = &sim_vcpu[(unsigned int)rand() % sim_vcpus];
    struct vcpu *v = &s->v;

    sim_on((unsigned int)rand() % 4);
    fake_irqs_on = true;
    switch (rand() % 8) {
    case 0:
    case 1:
        sim_hold(v, VCPU_HOLD_PAUSED);
        break;
    case 2:
    case 3:
        sim_release(v, VCPU_HOLD_PAUSED);
        break;
    case 4:
        sim_hold(v, VCPU_HOLD_BLOCKED);
        s->wakes_at_ns = sim_now + 1 * MS;
        if (s->sleep_ns == 0) {
            sim_release(v, VCPU_HOLD_BLOCKED);
        }
        break;
    case 5:
        assert_int_equal(sched_set_affinity(v, some_cpus(), some_cpus()), 0);
        break;
    case 6:
        assert_int_equal(sched_set_share(v->domain,
                                         (uint16_t)(1 + rand() % 1000),
                                         (uint16_t)(rand() % 3 * 40)),
                         0);
        break;
    case 7:
        if (all_may_go) {
            cpu_t cpu = 1 + (cpu_t)rand() % 3;

            if (sched_cpu_is_used(cpu)) {
                int rc = sched_cpu_down(cpu);

                assert_true(rc == 0 || rc == -EAGAIN);
            } else {
                sched_cpu_up(cpu);
            }
        }
        break;
    }
}

static void anything_between(unsigned int cpu)
{
    (void)cpu;
    for (int i = rand() % 4; i > 0; i--) {
        anything();
    }
}

static void chaos_with(unsigned int seed, bool cpus_too)
{
    struct domain *d[6];
    uint64_t before[SIM_VCPUS];

    srand(seed);
    all_may_go = cpus_too;
    for (unsigned int i = 0; i < 6; i++) {
        d[i] = sim_domain(1 + i % 3, i % 2 ? 0 : 400 * US,
                          i % 2 ? 0 : 300 * US * (i + 1));
        sim_start(d[i]);
    }
    sim_between = anything_between;
    for (unsigned int step = 0; step < 4000; step++) {
        anything();
        sim_settle();
        sim_run((uint64_t)rand() % (2 * MS));
    }
    sim_between = NULL;
    /* When it is over, everybody goes on. */
    for (cpu_t cpu = 1; cpu < 4; cpu++) {
        sched_cpu_up(cpu);
    }
    for (unsigned int i = 0; i < 6; i++) {
        assert_int_equal(sched_set_share(d[i], 256, 0), 0);
    }
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        assert_int_equal(sched_set_affinity(&sim_vcpu[i].v, ~0ULL, ~0ULL), 0);
        sim_release(&sim_vcpu[i].v, VCPU_HOLD_PAUSED);
    }
    sim_run(100 * MS);
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        before[i] = sim_vcpu[i].got_ns;
    }
    sim_idle_limit_ns = 20 * MS;
    sim_run(500 * MS);
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        assert_true(sim_vcpu[i].got_ns > before[i]);
    }
}

static void chaos(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed <= 6; seed++) {
        chaos_with(seed, false);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void chaos_of_cpus(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed <= 6; seed++) {
        chaos_with(seed, true);
        tear_down(NULL);
        set_up(NULL);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pins_are_obeyed),
        TEST(affinity_needs_a_cpu),
        TEST(running_one_is_moved),
        TEST(nobody_is_left_behind),
        TEST(soft_is_preferred),
        TEST(soft_moves_who_wakes),
        TEST(migration_storm),
        TEST(cpus_come_and_go),
        TEST(chaos),
        TEST(chaos_of_cpus),
    };

    return UNIT_RUN(tests);
}
