/* SPDX-License-Identifier: MIT */
/*
 * domain/sched_move.c - vcpus from one CPU's queue to another's.
 *
 *   wake   to an idle CPU, if its own is busy; of its soft affinity first
 *   steal  a CPU that would idle takes from the one with most to give
 *   give   a CPU with vcpus waiting looks now and then at one or two others
 *   force  affinity has changed, a CPU leaves
 *
 * What moves takes along how far it was ahead of or behind its old queue's
 * clock.  Each looks at a bounded number of vcpus, and steal at every CPU once.
 */
#include "domain/sched.h"

#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "domain/sched_impl.h"
#include "log/printk.h"
#include "x86/irqflags.h"

cpumask_t sched_idle_cpus;

/* Load of one domain of weight 1, so that parts of it can be told apart. */
#define LOAD_UNIT 4096ULL

/* The CPU of @mask that comes first from @cpu upwards, and round. */
static cpu_t next_from(cpumask_t mask, cpu_t cpu)
{
    cpumask_t above = mask & ~MASK_BITS(cpu);

    return bit_lowest(above != 0 ? above : mask);
}

/* CPUs it may run on; affinity that leaves none is given up. */
static cpumask_t allowed_cpus(struct vcpu *v)
{
    cpumask_t cpus = READ_ONCE(sched_cpus);

    if ((v->hard_affinity & cpus) == 0) {
        pr_warn("sched: d%uv%u: its affinity leaves it no processor: "
                "it may run on all",
                v->domain->domid, v->vcpu_id);
        v->hard_affinity = ~(cpumask_t)0;
    }
    return v->hard_affinity & cpus;
}

/* True: the CPU was idle, and nobody else sends anything there now. */
static bool claim_idle(cpu_t cpu)
{
    cpumask_t bit = cpu_bit(cpu);

    return (atomic_and(&sched_idle_cpus, ~bit) & bit) != 0;
}

/* An idle CPU of @mask, claimed. */
static bool find_idle(cpumask_t mask, cpu_t from, cpu_t *ret_cpu)
{
    while ((mask &= READ_ONCE(sched_idle_cpus)) != 0) {
        cpu_t cpu = next_from(mask, from);

        if (claim_idle(cpu)) {
            *ret_cpu = cpu;
            return true;
        }
        mask &= ~cpu_bit(cpu);
    }
    return false;
}

static uint32_t queue_length(const struct run_queue *q)
{
    return READ_ONCE(q->ready) + (READ_ONCE(q->running) != NULL);
}

cpu_t sched_place(struct vcpu *v)
{
    const struct run_queue *q = &run_queue[v->processor];
    cpumask_t allowed = allowed_cpus(v);
    cpumask_t liked = allowed & v->soft_affinity, left;
    cpu_t cpu, best;

    if (liked == 0) {
        liked = allowed;
    }
    if ((liked & cpu_bit(q->cpu)) != 0 && queue_length(q) == 0) {
        return q->cpu;
    }
    if (find_idle(liked, q->cpu, &cpu) || find_idle(allowed, q->cpu, &cpu)) {
        return cpu;
    }
    if ((liked & cpu_bit(q->cpu)) != 0) {
        return q->cpu;
    }
    best = next_from(liked, q->cpu);
    for (left = liked; left != 0; left &= left - 1) {
        cpu = bit_lowest(left);
        if (queue_length(&run_queue[cpu]) < queue_length(&run_queue[best])) {
            best = cpu;
        }
    }
    return best;
}

/* How far @v, on no queue, was behind its queue's clock: its unit and it. */
struct lag {
    int64_t unit_ns, own_ns;
};

static int64_t clamp_lag(uint64_t clock_ns, uint64_t key)
{
    int64_t lag = (int64_t)(clock_ns - key);

    return MAX(MIN(lag, (int64_t)SCHED_LAG_NS), -(int64_t)SCHED_OWED_NS);
}

static struct lag lag_of(struct run_queue *q, const struct vcpu *v)
{
    return (struct lag){
        .unit_ns = clamp_lag(sched_queue_clock(q), v->unit->node.key),
        .own_ns = clamp_lag(v->unit->clock_ns, v->run_node.key),
    };
}

/*
 * How far a queue has served those on it.  With five vcpus on two CPUs no
 * placing is fair: the odd one out is on the queue that has served more, until
 * that has served less.  A vcpu remembers how it differs from its queue.
 */
static uint64_t served(const struct run_queue *q)
{
    return READ_ONCE(q->clock_ns) + READ_ONCE(q->served_skew_ns);
}

/* Its queue's lock held, and it is on no queue: from now on it is @cpu's. */
static void hand_over(struct vcpu *v, cpu_t cpu, struct lag lag)
{
    const struct run_queue *from = &run_queue[v->processor];
    struct sched_unit *to = &v->unit->owner->unit[cpu];
    uint64_t clock = READ_ONCE(to->clock_ns);

    v->run_node.key = clock - (uint64_t)lag.own_ns;
    v->unit->active--;
    v->unit = to;
    v->served_ns += (int64_t)(served(from) - served(&run_queue[cpu]));
    v->served_ns = MAX(MIN(v->served_ns, SCHED_SERVED_NS), -SCHED_SERVED_NS);
    __atomic_store_n(&v->processor, cpu, __ATOMIC_RELEASE);
}

/* Active on @q, which is locked: @v is where it was to be. */
static void arrive(struct run_queue *q, struct vcpu *v, int64_t lag_ns,
                   uint64_t now_ns)
{
    if (READ_ONCE(v->hold) != 0) {
        sched_deactivate(v, clock_now_ns());
        /* It may have been claimed while idle: let it say so again. */
        softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
        return;
    }
    if (q->running != NULL) {
        sched_charge(q, now_ns);
    }
    sched_join(q, v, lag_ns);
    sched_consider(q, v, now_ns);
}

void sched_go(struct run_queue *q, struct vcpu *v, cpu_t cpu, int64_t lag_ns,
              uint64_t now_ns)
{
    sched_set_state(v, SCHED_MOVING);
    for (;;) {
        hand_over(v, cpu, lag_of(q, v));
        spin_unlock(&q->lock);
        q = &run_queue[cpu];
        spin_lock(&q->lock);
        v->unit->active++;
        /* Between the locks its affinity or the set of CPUs may change. */
        if (likely(sched_allowed(v, q))) {
            break;
        }
        cpu = sched_place(v);
    }
    arrive(q, v, lag_ns, now_ns);
    spin_unlock(&q->lock);
}

void sched_depart(struct run_queue *q, struct vcpu *v)
{
    sched_set_state(v, SCHED_LEAVING);
    list_add_tail(&q->leaving, &v->move_link);
    WRITE_ONCE(q->after_switch, true);
}

void sched_send(struct run_queue *q, struct vcpu *v, uint64_t now_ns)
{
    int64_t lag = lag_of(q, v).unit_ns;
    cpu_t cpu = sched_place(v);

    if (cpu != q->cpu) {
        sched_go(q, v, cpu, lag, now_ns);
        return;
    }
    sched_join(q, v, lag);
    sched_consider(q, v, now_ns);
    spin_unlock(&q->lock);
}

/* Let an idle CPU fetch something from this queue. */
static void call_idle(struct run_queue *q)
{
    struct list *pos;
    unsigned int looked = 0;

    list_for_each(pos, &q->may_move) {
        const struct vcpu *v = list_entry(pos, struct vcpu, move_link);
        cpu_t cpu;

        if (!READ_ONCE(v->is_running) &&
            find_idle(v->hard_affinity & q->others, q->cpu, &cpu)) {
            softirq_raise_on(cpu, SOFTIRQ_SCHED);
            return;
        }
        if (++looked == SCHED_LOOK_AT) {
            return;
        }
    }
}

void sched_after_switch(void)
{
    struct run_queue *q = this_queue();
    uint64_t now;

    /*
     * MB(switch:C) in pv_switch_to(), after switch:A; pairs with switch:B.
     */
    if (likely(!READ_ONCE(q->after_switch))) {
        return;
    }
    for (;;) {
        struct vcpu *v;

        spin_lock(&q->lock);
        now = clock_now_ns();
        WRITE_ONCE(q->after_switch, false);
        if (list_empty(&q->leaving)) {
            break;
        }
        v = list_first(&q->leaving, struct vcpu, move_link);
        list_del(&v->move_link);
        sched_send(q, v, now);
    }
    sched_share_out(q, now);
    spin_unlock(&q->lock);
}

/* Something of @from that may run on @cpu and is on none. */
static struct vcpu *find_movable(const struct run_queue *from, cpu_t cpu)
{
    struct vcpu *found = NULL;
    struct list *pos;
    unsigned int looked = 0;

    list_for_each(pos, &from->may_move) {
        struct vcpu *v = list_entry(pos, struct vcpu, move_link);

        /* Acquire; pairs with switch:A: it has been saved. */
        if ((v->hard_affinity & cpu_bit(cpu)) != 0 &&
            !__atomic_load_n(&v->is_running, __ATOMIC_ACQUIRE)) {
            if ((v->soft_affinity & cpu_bit(cpu)) != 0) {
                return v;
            }
            found = found != NULL ? found : v;
        }
        if (++looked == SCHED_LOOK_AT) {
            break;
        }
    }
    return found;
}

/*
 * Is that CPU, locked, about to take up all it has?  Who has just sent a vcpu to
 * an idle CPU, and idles itself, is not to take it back: it was sent there for a
 * reason, its affinity or its memory.
 */
static bool takes_it_itself(const struct run_queue *from)
{
    return from->running == NULL && from->ready == 1;
}

/* Both locked. */
static int64_t move_queued(struct run_queue *from, struct run_queue *to,
                           struct vcpu *v)
{
    struct lag lag;

    sched_leave(from, v);
    lag = lag_of(from, v);
    hand_over(v, to->cpu, lag);
    v->unit->active++;
    return lag.unit_ns;
}

void sched_steal(struct run_queue *q)
{
    cpumask_t victims = READ_ONCE(sched_cpus) & q->others;

    while (victims != 0) {
        struct run_queue *from = NULL;
        struct vcpu *v;
        cpumask_t left;

        for (left = victims; left != 0; left &= left - 1) {
            struct run_queue *other = &run_queue[bit_lowest(left)];

            if (READ_ONCE(other->movable) != 0 &&
                (from == NULL ||
                 READ_ONCE(other->ready) > READ_ONCE(from->ready))) {
                from = other;
            }
        }
        if (from == NULL) {
            return;
        }
        victims &= ~cpu_bit(from->cpu);
        /* Two queues are locked in the order of their addresses. */
        if (from < q) {
            spin_unlock(&q->lock);
            spin_lock(&from->lock);
            spin_lock(&q->lock);
        } else {
            spin_lock(&from->lock);
        }
        v = lheap_empty(&q->units) && sched_cpu_is_used(q->cpu) &&
                    !takes_it_itself(from)
                ? find_movable(from, q->cpu)
                : NULL;
        if (v != NULL) {
            sched_join(q, v, move_queued(from, q, v));
        }
        spin_unlock(&from->lock);
        if (!lheap_empty(&q->units)) {
            return;
        }
    }
}

/* What one vcpu of the unit's domain weighs. */
static uint64_t vcpu_load(const struct sched_unit *u)
{
    const struct sched_domain *sd = u->owner;

    return READ_ONCE(sd->weight) * LOAD_UNIT / MAX(READ_ONCE(sd->active), 1U);
}

static uint64_t queue_load(const struct run_queue *q)
{
    struct lheap_node *node;
    uint64_t load = 0;

    for (node = q->units.root; node != NULL; node = lheap_next(node)) {
        const struct sched_unit *u =
            container_of(node, struct sched_unit, node);

        load += vcpu_load(u) * u->active;
    }
    if (q->running != NULL && !lheap_holds(&q->running->unit->node)) {
        load += vcpu_load(q->running->unit) * q->running->unit->active;
    }
    return load;
}

/*
 * Whose moving from @from to @to makes them most alike, @more being what @from
 * has more: one of half of that would be best, and of those the one that has got
 * least so far.  @less is by how much @from has served less.  If it has, one
 * that just swaps the difference will do; if it has by far, any.  That makes the
 * other queue the slow one, so it is the one that has got most.
 */
static struct vcpu *find_gift(const struct run_queue *from,
                              const struct run_queue *to, uint64_t more,
                              int64_t less)
{
    struct vcpu *best = NULL;
    uint64_t best_off = 0;
    struct list *pos;
    unsigned int looked = 0;

    list_for_each(pos, &from->may_move) {
        struct vcpu *v = list_entry(pos, struct vcpu, move_link);
        uint64_t load = vcpu_load(v->unit);
        uint64_t off = load * 2 > more ? load * 2 - more : more - load * 2;

        /* Acquire; pairs with switch:A: it has been saved. */
        if ((load < more || (load == more && less > 0) ||
             less > SCHED_UNEVEN_NS) &&
            (v->hard_affinity & cpu_bit(to->cpu)) != 0 &&
            ((v->soft_affinity & cpu_bit(to->cpu)) != 0 ||
             (v->soft_affinity & cpu_bit(from->cpu)) == 0) &&
            !__atomic_load_n(&v->is_running, __ATOMIC_ACQUIRE) &&
            (best == NULL || off < best_off ||
             (off == best_off &&
              (load >= more ? v->served_ns > best->served_ns
                            : v->served_ns < best->served_ns)))) {
            best = v;
            best_off = off;
        }
        if (++looked == SCHED_LOOK_AT) {
            break;
        }
    }
    return best;
}

/* What @q has served less than @to.  Both locked; what is long ago is forgotten. */
static int64_t served_less(struct run_queue *q, struct run_queue *to,
                           uint64_t now_ns)
{
    int64_t less;

    if (to->running != NULL) {
        sched_charge(to, now_ns);
    }
    (void)sched_queue_clock(to);
    (void)sched_queue_clock(q);
    less = (int64_t)(served(to) - served(q));
    if (less > SCHED_SERVED_NS) {
        q->served_skew_ns += (uint64_t)(less - SCHED_SERVED_NS);
    } else if (less < -SCHED_SERVED_NS) {
        to->served_skew_ns += (uint64_t)(-SCHED_SERVED_NS - less);
    }
    return less;
}

/* The same without its lock: about.  Who runs alone is seldom charged. */
static uint64_t served_by_now(const struct run_queue *q, uint64_t now_ns)
{
    uint64_t since = now_ns - READ_ONCE(q->charged_at_ns);

    return served(q) +
           (READ_ONCE(q->ready) == 0 && (int64_t)since > 0 ? since : 0);
}

/* True: something was given. */
static bool balance_with(struct run_queue *q, struct run_queue *to,
                         uint64_t now_ns)
{
    struct vcpu *v = NULL;
    uint64_t mine, theirs;
    int64_t less;

    /* Against the order of the locks, so not if it would have to wait. */
    if (!spin_trylock(&to->lock)) {
        return false;
    }
    mine = queue_load(q);
    theirs = queue_load(to);
    less = served_less(q, to, now_ns);
    if (mine > theirs || (mine == theirs && less > SCHED_UNEVEN_NS)) {
        v = find_gift(q, to, mine - theirs, less);
    }
    if (v != NULL) {
        arrive(to, v, move_queued(q, to, v), now_ns);
    }
    spin_unlock(&to->lock);
    return v != NULL;
}

static void balance(struct run_queue *q, uint64_t now_ns)
{
    cpumask_t left = READ_ONCE(sched_cpus) & q->others;
    struct run_queue *turn, *shortest;
    cpu_t cpu = q->next_look;

    if (left == 0) {
        return;
    }
    turn = shortest = &run_queue[next_from(left, cpu)];
    q->next_look = (turn->cpu + 1) % NR_CPUS;
    for (; left != 0; left &= ~cpu_bit(cpu)) {
        struct run_queue *other;

        cpu = next_from(left, cpu);
        other = &run_queue[cpu];
        if (queue_length(other) < queue_length(shortest) ||
            (queue_length(other) == queue_length(shortest) &&
             (int64_t)(served_by_now(other, now_ns) -
                       served_by_now(shortest, now_ns)) > 0)) {
            shortest = other;
        }
    }
    /* Long is not loaded: weights differ.  So the one whose turn it is, too. */
    if (!balance_with(q, shortest, now_ns) && turn != shortest) {
        (void)balance_with(q, turn, now_ns);
    }
}

void sched_share_out(struct run_queue *q, uint64_t now_ns)
{
    if (q->movable != 0 && READ_ONCE(sched_idle_cpus) != 0) {
        call_idle(q);
    }
    /*
     * Who has just woken is mostly there for a moment only, and is no reason to
     * move others.  The end of a whole slice has nothing to do with that one.
     */
    if (q->movable != 0 && now_ns >= q->balance_at_ns &&
        (q->settled ||
         now_ns >= q->balance_at_ns + SCHED_BALANCE_WAITS_NS)) {
        q->chance = q->chance * 1664525U + 1013904223U;
        q->balance_at_ns = now_ns + (SCHED_BALANCE_SLICES + (q->chance >> 29)) *
                                        SCHED_SLICE_NS;
        balance(q, now_ns);
    }
}

void sched_unpark(struct vcpu *v)
{
    uint64_t flags = irq_save();
    struct run_queue *q = sched_lock_vcpu(v);
    uint64_t now = clock_now_ns();

    if (v->sched_state != SCHED_PARKED) {
        spin_unlock(&q->lock);
    } else if (!sched_still_on(q, v)) {
        sched_send(q, v, now);
    } else {
        /* It was parked a moment ago, and is being saved. */
        if (sched_allowed(v, q)) {
            sched_join(q, v, 0);
            sched_consider(q, v, now);
        } else {
            sched_depart(q, v);
        }
        spin_unlock(&q->lock);
    }
    irq_restore(flags);
}
