/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/domain/sched_machine.c - see the header.
 */
#include "tests/unit/domain/sched_machine.h"

#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "fake_hw.h"
#include "mm/heap.h"

#define TIMERS 256

uint64_t sim_now;
unsigned int sim_cpus, sim_vcpus;
struct sim_vcpu sim_vcpu[SIM_VCPUS];
void (*sim_between)(unsigned int cpu);
uint64_t sim_idle_limit_ns;

static struct domain *domains[SIM_VCPUS];
static unsigned int domain_count;
static struct timer *timers[TIMERS];
static unsigned int timers_there;
static uint32_t pending[NR_CPUS];
static struct vcpu *on[NR_CPUS];
static uint64_t since[NR_CPUS]; /* our own account: charged until     */
static uint64_t idle_since[NR_CPUS];
static uint64_t began_ns;

/* ---- what the code under test calls ------------------------------------ */

uint64_t clock_now_ns(void)
{
    return sim_now;
}

void softirq_raise(enum softirq nr)
{
    pending[fake_cpu] |= 1U << nr;
}

void softirq_raise_on(cpu_t cpu, enum softirq nr)
{
    assert_true(cpu < sim_cpus);
    pending[cpu] |= 1U << nr;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn, .arg = arg};
}

void timer_stop(struct timer *t)
{
    for (unsigned int i = 0; i < timers_there; i++) {
        if (timers[i] == t) {
            timers[i] = timers[--timers_there];
        }
    }
    t->slot = 0;
}

void timer_stop_sync(struct timer *t)
{
    timer_stop(t);
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    timer_stop(t);
    assert_true(timers_there < TIMERS);
    t->deadline_ns = deadline_ns;
    t->cpu = fake_cpu;
    t->slot = 1;
    timers[timers_there++] = t;
}

void *heap_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

/* ---- the CPUs ----------------------------------------------------------- */

void sim_on(unsigned int cpu)
{
    fake_cpu = cpu;
}

static void account(unsigned int cpu)
{
    if (on[cpu] != NULL) {
        struct sim_vcpu *s = sim_of(on[cpu]);
        uint64_t ran = sim_now - since[cpu];

        s->got_ns += ran;
        if (s->sleep_ns != 0) {
            assert_true(ran <= s->left_ns);
            s->left_ns -= ran;
        }
    }
    since[cpu] = sim_now;
}

static void take_up(unsigned int cpu, struct vcpu *v)
{
    struct sim_vcpu *s = sim_of(v);

    assert_int_equal(s->on_cpu, -1);
    assert_false(v->is_running); /* or its registers are not saved yet */
    assert_int_equal(v->processor, cpu);
    s->on_cpu = (int)cpu;
    s->taken_up++;
    v->is_running = true;
    if (s->woken_at_ns != 0) {
        s->waited_most_ns =
            MAX(s->waited_most_ns, sim_now - s->woken_at_ns);
        s->woken_at_ns = 0;
    }
}

/* entry/work_exit.c's choose_vcpu(), and pv_switch_to(). */
static void exit_path(unsigned int cpu)
{
    struct vcpu *prev = on[cpu], *next;

    sim_on(cpu);
    pending[cpu] &= ~(1U << SOFTIRQ_SCHED);
    fake_irqs_on = false;
    account(cpu);
    next = sched_pick();
    if (next != prev) {
        if (sim_between != NULL) {
            sim_between(cpu);
            sim_on(cpu);
            fake_irqs_on = false;
        }
        if (prev != NULL) {
            sim_of(prev)->on_cpu = -1;
            prev->is_running = false;
        }
        on[cpu] = next;
        if (next != NULL) {
            take_up(cpu, next);
        }
        sched_after_switch();
    }
    if (next == NULL && idle_since[cpu] == TIMER_NEVER) {
        idle_since[cpu] = sim_now;
    } else if (next != NULL) {
        idle_since[cpu] = TIMER_NEVER;
    }
    fake_irqs_on = true;
}

static bool someone_asked(unsigned int *ret_cpu)
{
    for (unsigned int cpu = 0; cpu < sim_cpus; cpu++) {
        bool stopped = on[cpu] != NULL && on[cpu]->hold != 0;

        if ((pending[cpu] & 1U << SOFTIRQ_SCHED) != 0 || stopped) {
            *ret_cpu = cpu;
            return true;
        }
    }
    return false;
}

void sim_settle(void)
{
    unsigned int cpu, rounds = 0;

    while (someone_asked(&cpu)) {
        exit_path(cpu);
        assert_true(++rounds < 1000); /* they would ask each other for ever */
    }
}

/* ---- programs ----------------------------------------------------------- */

void sim_hold(struct vcpu *v, uint32_t why)
{
    uint32_t before = v->hold;

    v->hold |= why;
    if (before == 0) {
        sched_sleep(v);
    }
}

void sim_release(struct vcpu *v, uint32_t why)
{
    uint32_t before = v->hold;

    v->hold &= ~why;
    if (before != 0 && v->hold == 0) {
        sim_of(v)->woken_at_ns = sim_now;
        sched_wake(v);
    }
}

static uint64_t next_event(uint64_t limit)
{
    for (unsigned int i = 0; i < timers_there; i++) {
        limit = MIN(limit, MAX(timers[i]->deadline_ns, sim_now));
    }
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        const struct sim_vcpu *s = &sim_vcpu[i];

        if (s->sleep_ns == 0) {
            continue;
        }
        if (s->on_cpu >= 0) {
            limit = MIN(limit, sim_now + s->left_ns);
        } else if ((s->v.hold & VCPU_HOLD_BLOCKED) != 0) {
            limit = MIN(limit, MAX(s->wakes_at_ns, sim_now));
        }
    }
    return limit;
}

static void run_timers(void)
{
    bool again = true;

    while (again) {
        again = false;
        for (unsigned int i = 0; i < timers_there; i++) {
            struct timer *t = timers[i];

            if (t->deadline_ns <= sim_now) {
                sim_on(t->cpu);
                timer_stop(t);
                t->fn(t->arg);
                again = true;
                break;
            }
        }
    }
}

static void run_programs(void)
{
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        struct sim_vcpu *s = &sim_vcpu[i];

        if (s->sleep_ns == 0) {
            continue;
        }
        if (s->on_cpu >= 0 && s->left_ns == 0 && s->v.hold == 0) {
            s->left_ns = s->work_ns;
            s->wakes_at_ns = sim_now + s->sleep_ns;
            sim_on((unsigned int)s->on_cpu);
            sim_hold(&s->v, VCPU_HOLD_BLOCKED);
        } else if ((s->v.hold & VCPU_HOLD_BLOCKED) != 0 &&
                   s->wakes_at_ns <= sim_now) {
            unsigned int cpu = i % sim_cpus; /* whoever's timer it is */

            sim_on(cpu);
            sim_release(&s->v, VCPU_HOLD_BLOCKED);
            /* An idle one looks for work at the end of each interrupt. */
            if (on[cpu] == NULL) {
                exit_path(cpu);
            }
        }
    }
}

/* ---- rules -------------------------------------------------------------- */

static void check_vcpu(const struct sim_vcpu *s)
{
    const struct vcpu *v = &s->v;

    if (s->on_cpu >= 0) {
        assert_ptr_equal(on[s->on_cpu], v);
        assert_int_equal(v->sched_state, SCHED_RUNNING);
        assert_int_equal(v->runstate.state, RUNSTATE_running);
        assert_true((v->hard_affinity & cpu_bit((cpu_t)s->on_cpu)) != 0);
        return;
    }
    assert_false(v->is_running);
    if (v->hold == 0) {
        /* Nobody is lost. */
        assert_true(v->sched_state == SCHED_QUEUED ||
                    v->sched_state == SCHED_PARKED);
        assert_int_equal(v->runstate.state, RUNSTATE_runnable);
        assert_true(v->sched_state == SCHED_PARKED ||
                    (v->hard_affinity & cpu_bit(v->processor)) != 0);
    } else {
        assert_int_equal(v->sched_state, SCHED_ASLEEP);
        assert_true(vcpu_is_off(v));
    }
    assert_int_equal(lheap_holds(&v->run_node),
                     v->sched_state == SCHED_QUEUED);
}

static void check_idle(void)
{
    for (unsigned int cpu = 0; cpu < sim_cpus; cpu++) {
        if (sim_idle_limit_ns == 0 || idle_since[cpu] == TIMER_NEVER ||
            sim_now - idle_since[cpu] <= sim_idle_limit_ns) {
            continue;
        }
        for (unsigned int i = 0; i < sim_vcpus; i++) {
            const struct vcpu *v = &sim_vcpu[i].v;

            if (v->sched_state == SCHED_QUEUED &&
                sim_now - v->runstate.state_entry_time > sim_idle_limit_ns &&
                (v->hard_affinity & cpu_bit(cpu)) != 0) {
                fail_msg("CPU %u idles while vcpu %u waits", cpu, i);
            }
        }
    }
}

static void check_all(void)
{
    unsigned int queued = 0, listed = 0;

    for (unsigned int i = 0; i < sim_vcpus; i++) {
        check_vcpu(&sim_vcpu[i]);
        queued += sim_vcpu[i].v.sched_state == SCHED_QUEUED;
    }
    for (unsigned int cpu = 0; cpu < sim_cpus; cpu++) {
        assert_false(run_queue[cpu].after_switch);
        assert_true(list_empty(&run_queue[cpu].leaving));
        assert_int_equal(spin_is_locked(&run_queue[cpu].lock), false);
        assert_ptr_equal(run_queue[cpu].running, on[cpu]);
        listed += run_queue[cpu].ready;
    }
    assert_int_equal(queued, listed);
    check_idle();
}

void sim_run(uint64_t ns)
{
    uint64_t end = sim_now + ns;

    sim_settle();
    for (;;) {
        uint64_t next = next_event(end);

        sim_now = next;
        for (unsigned int cpu = 0; cpu < sim_cpus; cpu++) {
            account(cpu);
        }
        run_timers();
        run_programs();
        sim_settle();
        check_all();
        if (next >= end) {
            return;
        }
    }
}

/* ---- set-up ------------------------------------------------------------- */

void sim_begin(unsigned int cpus)
{
    fake_hw_reset();
    sim_now += 3 * S;
    began_ns = sim_now;
    sim_cpus = cpus;
    sim_vcpus = domain_count = timers_there = 0;
    sim_between = NULL;
    sim_idle_limit_ns = 0;
    sched_cpus = 0;
    sched_idle_cpus = 0;
    memset(sim_vcpu, 0, sizeof(sim_vcpu));
    memset(run_queue, 0, sizeof(run_queue));
    memset(pending, 0, sizeof(pending));
    memset(on, 0, sizeof(on));
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        fake_cpu_blocks[cpu].cpu_id = cpu;
        idle_since[cpu] = TIMER_NEVER;
        since[cpu] = sim_now;
    }
    sim_on(0);
    sched_init(cpus);
    for (unsigned int cpu = 1; cpu < cpus; cpu++) {
        sched_cpu_up(cpu);
    }
    assert_int_equal(sched_set_ratelimit(SCHED_RATELIMIT_DEFAULT_US), 0);
    sim_settle();
}

void sim_end(void)
{
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        vcpu_runstate_info_t info;
        uint64_t sum = 0;

        vcpu_runstate_get(&sim_vcpu[i].v, &info);
        for (unsigned int state = 0; state < 4; state++) {
            sum += info.time[state];
        }
        assert_int_equal(sum, sim_now - began_ns);
        sim_hold(&sim_vcpu[i].v, VCPU_HOLD_STOPPED);
    }
    sim_settle();
    for (unsigned int i = 0; i < domain_count; i++) {
        assert_int_equal(domains[i]->sched->active, 0);
        sched_domain_free(domains[i]);
        free(domains[i]);
    }
    assert_true(fake_irqs_on);
}

struct domain *sim_domain(unsigned int vcpus, uint64_t work_ns,
                          uint64_t sleep_ns)
{
    struct domain *d = calloc(1, sizeof(*d));

    d->domid = (domid_t)domain_count;
    d->max_vcpus = vcpus;
    domains[domain_count++] = d;
    assert_int_equal(sched_domain_init(d), 0);
    for (unsigned int i = 0; i < vcpus; i++) {
        struct sim_vcpu *s = &sim_vcpu[sim_vcpus++];

        assert_true(sim_vcpus <= SIM_VCPUS);
        s->v.domain = d;
        s->v.vcpu_id = i;
        s->v.hold = VCPU_HOLD_DOWN;
        s->v.runstate.state = RUNSTATE_offline;
        s->v.runstate.state_entry_time = began_ns;
        s->work_ns = s->left_ns = work_ns;
        s->sleep_ns = sleep_ns;
        s->on_cpu = -1;
        sched_vcpu_init(&s->v);
        d->vcpu[i] = &s->v;
    }
    return d;
}

void sim_start(struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        sim_release(d->vcpu[i], VCPU_HOLD_DOWN);
    }
    sim_settle();
}

uint64_t sim_got(const struct domain *d)
{
    uint64_t got = 0;

    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        got += sim_of(d->vcpu[i])->got_ns;
    }
    return got;
}

void sim_reset_counts(void)
{
    for (unsigned int i = 0; i < sim_vcpus; i++) {
        sim_vcpu[i].got_ns = 0;
        sim_vcpu[i].taken_up = 0;
        sim_vcpu[i].waited_most_ns = 0;
    }
}
