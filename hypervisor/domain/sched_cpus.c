/* SPDX-License-Identifier: MIT */
/*
 * domain/sched_cpus.c - which CPUs run vcpus, and which of them may run whom.
 *
 * A vcpu that may no longer be where it is moves at once if it is queued, at
 * the next exit of its CPU if it runs, and when it wakes if it sleeps.
 */
#include "domain/sched.h"

#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "domain/sched_impl.h"
#include "lib/errno.h"
#include "x86/irqflags.h"

cpumask_t sched_cpus;

/* Guards changes of sched_cpus and who may run on what is left of it. */
static SPINLOCK(cpus_lock, LOCK_RANK_SCHED_CPUS, IRQ_ANY);

/* @v, whose affinity has changed or whose CPU goes, is on @q; unlocks. */
static void review(struct run_queue *q, struct vcpu *v)
{
    uint64_t now = clock_now_ns();

    if (v->sched_state == SCHED_RUNNING && !sched_allowed(v, q)) {
        softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
    }
    if (v->sched_state != SCHED_QUEUED) {
        /* The others are looked at when they are to be queued. */
        spin_unlock(&q->lock);
        return;
    }
    sched_leave(q, v);
    if (sched_allowed(v, q)) {
        /* Anew, for the list of movable ones; its times stay. */
        sched_join(q, v, SCHED_LAG_NS);
    } else if (sched_still_on(q, v)) {
        sched_depart(q, v);
    } else {
        sched_send(q, v, now);
        return;
    }
    spin_unlock(&q->lock);
}

int sched_set_affinity(struct vcpu *v, cpumask_t hard, cpumask_t soft)
{
    struct run_queue *q;
    int rc = 0;

    spin_lock(&cpus_lock);
    if ((hard & sched_cpus) == 0) {
        rc = -EINVAL;
    } else {
        uint64_t flags = irq_save();

        q = sched_lock_vcpu(v);
        v->hard_affinity = hard;
        v->soft_affinity = soft;
        review(q, v);
        irq_restore(flags);
    }
    spin_unlock(&cpus_lock);
    return rc;
}

bool sched_cpu_is_used(cpu_t cpu)
{
    return cpu < NR_CPUS && (READ_ONCE(sched_cpus) & cpu_bit(cpu)) != 0;
}

void sched_queue_state(cpu_t cpu, struct sched_queue_state *ret_state)
{
    struct run_queue *q = &run_queue[cpu];
    unsigned long flags = spin_lock_irqsave(&q->lock);
    const struct vcpu *v = q->running;

    *ret_state = (struct sched_queue_state){
        .is_idle = v == NULL,
        .domid = v != NULL ? v->domain->domid : DOMID_INVALID,
        .vcpu_id = v != NULL ? v->vcpu_id : 0,
        .ready = q->ready,
        .movable = q->movable,
        .clock_ns = q->clock_ns,
        .slice_end_ns = q->slice_end_ns,
    };
    spin_unlock_irqrestore(&q->lock, flags);
}

uint64_t sched_idle_ns(cpu_t cpu)
{
    struct run_queue *q = &run_queue[cpu];
    unsigned long flags = spin_lock_irqsave(&q->lock);
    uint64_t idle = q->idle_ns, now = clock_now_ns();

    if (q->idle_since_ns != TIMER_NEVER && now > q->idle_since_ns) {
        idle += now - q->idle_since_ns;
    }
    spin_unlock_irqrestore(&q->lock, flags);
    return idle;
}

cpumask_t sched_cpus_used(void)
{
    return READ_ONCE(sched_cpus);
}

/* The set of CPUs is another: who may move where?  cpus_lock held. */
static void others_changed(void)
{
    for (cpumask_t left = sched_cpus; left != 0; left &= left - 1) {
        struct run_queue *q = &run_queue[bit_lowest(left)];
        unsigned long flags = spin_lock_irqsave(&q->lock);
        struct lheap_node *n, *m;

        q->others = sched_cpus & ~cpu_bit(q->cpu);
        for (n = q->units.root; n != NULL; n = lheap_next(n)) {
            struct sched_unit *u = container_of(n, struct sched_unit, node);

            for (m = u->ready.root; m != NULL; m = lheap_next(m)) {
                struct vcpu *v = container_of(m, struct vcpu, run_node);

                if (!list_empty(&v->move_link)) {
                    list_del(&v->move_link);
                    q->movable--;
                }
                if ((v->hard_affinity & q->others) != 0) {
                    list_add_tail(&q->may_move, &v->move_link);
                    q->movable++;
                }
            }
        }
        spin_unlock_irqrestore(&q->lock, flags);
    }
}

void sched_cpu_up(cpu_t cpu)
{
    struct run_queue *q = &run_queue[cpu];

    spin_lock(&cpus_lock);
    if ((sched_cpus & cpu_bit(cpu)) == 0) {
        if (q->lock.name == NULL) {
            sched_queue_init(q, cpu);
        }
        (void)atomic_or(&sched_cpus, cpu_bit(cpu));
        others_changed();
        softirq_raise_on(cpu, SOFTIRQ_SCHED);
    }
    spin_unlock(&cpus_lock);
}

/* Whoever is queued on a CPU that goes, one by one. */
static void evacuate(struct run_queue *q)
{
    uint64_t flags = irq_save();

    for (;;) {
        struct sched_unit *u;

        spin_lock(&q->lock);
        if (lheap_empty(&q->units)) {
            break;
        }
        u = container_of(q->units.root, struct sched_unit, node);
        review(q, container_of(u->ready.root, struct vcpu, run_node));
    }
    spin_unlock(&q->lock);
    irq_restore(flags);
}

int sched_cpu_down(cpu_t cpu)
{
    struct run_queue *q = &run_queue[cpu];
    unsigned long flags;
    int rc = 0;

    spin_lock(&cpus_lock);
    if (sched_cpus == cpu_bit(cpu)) {
        spin_unlock(&cpus_lock);
        return -EBUSY;
    }
    (void)atomic_and(&sched_cpus, ~cpu_bit(cpu));
    (void)atomic_and(&sched_idle_cpus, ~cpu_bit(cpu));
    others_changed();
    evacuate(q);
    flags = spin_lock_irqsave(&q->lock);
    if (q->running != NULL || !list_empty(&q->leaving)) {
        softirq_raise_on(cpu, SOFTIRQ_SCHED);
        rc = -EAGAIN;
    }
    spin_unlock_irqrestore(&q->lock, flags);
    spin_unlock(&cpus_lock);
    return rc;
}
