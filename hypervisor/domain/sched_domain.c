/* SPDX-License-Identifier: MIT */
/*
 * domain/sched_domain.c - a domain's weight and cap, its vcpus' run times.
 *
 * A cap of n per cent is a budget of n/100 of a CPU's time in each period of
 * 10 ms, for all vcpus together.  What they overrun is taken off the next
 * period's, so that in the long run it is exact; what they do not use is lost.
 * Without budget a vcpu that would be chosen is parked: runnable, on no queue.
 * The first that parks arms a timer for the end of the period.
 */
#include "domain/sched.h"

#include "cpu/clock.h"
#include "domain/sched_impl.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "x86/irqflags.h"

/* CPUs there may ever be: domains get a unit for each. */
static unsigned int cpu_limit = 1;

void sched_init(unsigned int cpus)
{
    cpu_limit = cpus;
    sched_cpu_up(this_cpu_id());
}

static int64_t budget_of_period(const struct sched_domain *sd)
{
    return (int64_t)(READ_ONCE(sd->cap) * (SCHED_PERIOD_NS / 100));
}

/* A new period, or several; lock held. */
static void refill_if_due(struct sched_domain *sd, uint64_t now_ns)
{
    uint64_t periods;

    if (now_ns < sd->period_end_ns) {
        return;
    }
    periods = (now_ns - sd->period_end_ns) / SCHED_PERIOD_NS + 1;
    sd->period_end_ns += periods * SCHED_PERIOD_NS;
    /* What is owed is less than that. */
    periods = MIN(periods, 1000UL);
    sd->budget_ns =
        MIN(sd->budget_ns + budget_of_period(sd) * (int64_t)periods,
            budget_of_period(sd));
}

void sched_budget_use(struct sched_domain *sd, uint64_t used_ns,
                      uint64_t now_ns)
{
    spin_lock(&sd->lock);
    refill_if_due(sd, now_ns);
    sd->budget_ns -= (int64_t)used_ns;
    spin_unlock(&sd->lock);
}

uint64_t sched_budget_left(struct sched_domain *sd, uint64_t now_ns)
{
    uint64_t left = 0;

    spin_lock(&sd->lock);
    refill_if_due(sd, now_ns);
    if (READ_ONCE(sd->cap) == 0) {
        left = SCHED_SLICE_NS; /* lifted a moment ago */
    } else if (sd->budget_ns > 0) {
        /* All of its vcpus that want to use it up together. */
        left = (uint64_t)sd->budget_ns / MAX(READ_ONCE(sd->active), 1U);
        left = MAX(left, 1UL);
    } else if (!sd->refill_armed) {
        sd->refill_armed = true;
        timer_set(&sd->refill, sd->period_end_ns);
    }
    spin_unlock(&sd->lock);
    return left;
}

static void unpark_all(const struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            sched_unpark(d->vcpu[i]);
        }
    }
}

static void refill(void *arg)
{
    struct sched_domain *sd = arg;
    unsigned long flags = spin_lock_irqsave(&sd->lock);

    sd->refill_armed = false;
    spin_unlock_irqrestore(&sd->lock, flags);
    /* Those for whom it is still too early park again and arm it again. */
    unpark_all(sd->domain);
}

int sched_domain_init(struct domain *d)
{
    struct sched_domain *sd = heap_alloc(
        sizeof(*sd) + cpu_limit * sizeof(struct sched_unit));

    if (sd == NULL) {
        return -ENOMEM;
    }
    sd->weight = SCHED_WEIGHT_UNIT;
    sd->domain = d;
    sd->unit_count = cpu_limit;
    spin_lock_init(&sd->lock, "budget", LOCK_RANK_SCHED_BUDGET, IRQ_OFF);
    timer_init(&sd->refill, refill, sd);
    for (unsigned int i = 0; i < cpu_limit; i++) {
        sd->unit[i].owner = sd;
        sd->unit[i].clock_ns = SCHED_CLOCK_BASE;
    }
    d->sched = sd;
    return 0;
}

void sched_domain_free(struct domain *d)
{
    if (d->sched != NULL) {
        timer_stop_sync(&d->sched->refill);
        heap_free(d->sched);
    }
}

void sched_vcpu_init(struct vcpu *v)
{
    cpumask_t cpus = sched_cpus_used();

    /* The waking CPU moves it to an idle one. */
    v->processor = bit_lowest(cpus);
    for (unsigned int i = 0; i < v->vcpu_id; i++) {
        cpus &= cpus - 1;
        cpus = cpus != 0 ? cpus : sched_cpus_used();
        v->processor = bit_lowest(cpus);
    }
    v->unit = &v->domain->sched->unit[v->processor];
    v->hard_affinity = ~(cpumask_t)0;
    v->soft_affinity = ~(cpumask_t)0;
    list_init(&v->move_link);
    v->run_node.key = SCHED_CLOCK_BASE;
}

/* The clock is read with the queue locked, as where a state changes. */
static ALWAYS_INLINE void read_runstate(struct vcpu *v, bool up_to_now,
                                        vcpu_runstate_info_t *ret_info)
{
    uint64_t flags = irq_save();
    struct run_queue *q = sched_lock_vcpu(v);
    uint64_t now = up_to_now ? clock_now_ns() : 0;

    *ret_info = v->runstate;
    if (now > ret_info->state_entry_time) {
        ret_info->time[ret_info->state] += now - ret_info->state_entry_time;
    }
    spin_unlock(&q->lock);
    irq_restore(flags);
}

void vcpu_runstate_get(struct vcpu *v, vcpu_runstate_info_t *ret_info)
{
    read_runstate(v, true, ret_info);
}

void vcpu_runstate_copy(struct vcpu *v, vcpu_runstate_info_t *ret_info)
{
    read_runstate(v, false, ret_info);
}

void sched_get_share(const struct domain *d, uint16_t *ret_weight,
                     uint16_t *ret_cap)
{
    *ret_weight = (uint16_t)READ_ONCE(d->sched->weight);
    *ret_cap = (uint16_t)READ_ONCE(d->sched->cap);
}

int sched_set_share(struct domain *d, uint16_t weight, uint16_t cap)
{
    struct sched_domain *sd = d->sched;
    uint64_t now;
    unsigned long flags;

    if (weight == 0) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&sd->lock);
    now = clock_now_ns();
    WRITE_ONCE(sd->weight, weight);
    if (cap != READ_ONCE(sd->cap)) {
        WRITE_ONCE(sd->cap, cap);
        sd->budget_ns = budget_of_period(sd);
        sd->period_end_ns = now + SCHED_PERIOD_NS;
    }
    spin_unlock_irqrestore(&sd->lock, flags);
    unpark_all(d);
    /* Who runs, perhaps without an end, has one now. */
    for (unsigned int i = 0; cap != 0 && i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            sched_reslice(d->vcpu[i]);
        }
    }
    return 0;
}

int sched_set_ratelimit(uint32_t us)
{
    /* Xen's limits; 0: none. */
    if (us != 0 && (us < 100 || us > 500000)) {
        return -EINVAL;
    }
    WRITE_ONCE(sched_ratelimit_ns, us * 1000ULL);
    return 0;
}

uint32_t sched_ratelimit_us(void)
{
    return (uint32_t)(READ_ONCE(sched_ratelimit_ns) / 1000);
}
