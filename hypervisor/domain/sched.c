/* SPDX-License-Identifier: MIT */
/*
 * domain/sched.c - a run queue for each CPU, fair to domains by weight.
 *
 * sched_impl.h describes the order of a queue; sched_move.c moves vcpus from
 * one to another, sched_domain.c has weights and caps.
 *
 *   ASLEEP --wake--> QUEUED <--pick--> RUNNING --sleep--> ASLEEP
 *                      |  ^               |
 *                      |  +-- PARKED <----+  its domain's budget is used up
 *                      +----> MOVING ----> QUEUED, on another CPU
 *                                ^
 *                    LEAVING ----+  it must go, and is still on this CPU
 *
 * All but ASLEEP are "active".  Whoever changes hold looks at it again with the
 * queue locked, so a sleep and a wake that cross end as the last of the two
 * wanted, whatever the order their calls come in.
 *
 * is_running is set from before a vcpu's registers are loaded until they are
 * saved again (pv/switch.c).  Such a vcpu is never moved to another queue, so
 * nobody can choose it but the CPU it is on, which has saved it by then.
 * docs/states.md has the whole of it.
 */
#include "domain/sched.h"

#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "domain/sched_impl.h"
#include "lib/assert.h"
#include "x86/irqflags.h"

struct run_queue run_queue[NR_CPUS];
uint64_t sched_ratelimit_ns = SCHED_RATELIMIT_DEFAULT_US * 1000ULL;

/*
 * Account the time in the old state, enter the new.  The time is read with the
 * queue locked, or a look by another CPU, just before, was at a later one.
 */
static inline void set_runstate(struct vcpu *v, int state, uint64_t now_ns)
{
    int old = v->runstate.state;

    /* Clocks of CPUs may differ by a little. */
    now_ns = MAX(now_ns, v->runstate.state_entry_time);
    v->runstate.time[old] += now_ns - v->runstate.state_entry_time;
    v->runstate.state_entry_time = now_ns;
    v->runstate.state = state;
}

/* This CPU's queue: let the timer fire no later than the slice ends. */
static void arm_slice(struct run_queue *q)
{
    if (q->slice_end_ns < q->slice_armed_ns) {
        q->slice_armed_ns = q->slice_end_ns;
        timer_set(&q->slice_timer, q->slice_end_ns);
    }
}

/* Choose anew at @at_ns, if not before. */
static void slice_ends(struct run_queue *q, uint64_t at_ns, uint64_t now_ns)
{
    if (at_ns >= q->slice_end_ns) {
        return;
    }
    q->slice_end_ns = at_ns;
    if (at_ns <= now_ns) {
        softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
    } else if (q->cpu == this_cpu_id()) {
        arm_slice(q);
    } else if (at_ns < q->slice_armed_ns) {
        /* Its timer is its own to set: sched_pick() does. */
        softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
    }
}

static void slice_over(void *arg)
{
    struct run_queue *q = arg;
    unsigned long flags = spin_lock_irqsave(&q->lock);

    q->slice_armed_ns = TIMER_NEVER;
    if (q->slice_end_ns <= clock_now_ns()) {
        /* It fires elsewhere if its CPU was away meanwhile. */
        softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
    } else if (q->slice_end_ns != TIMER_NEVER) {
        arm_slice(q);
    }
    spin_unlock_irqrestore(&q->lock, flags);
}

void sched_queue_init(struct run_queue *q, cpu_t cpu)
{
    *q = (struct run_queue){
        .cpu = cpu,
        .clock_ns = SCHED_CLOCK_BASE,
        .slice_end_ns = TIMER_NEVER,
        .slice_armed_ns = TIMER_NEVER,
        .idle_since_ns = clock_now_ns(),
    };
    spin_lock_init(&q->lock, "run queue", LOCK_RANK_RUNQUEUE, IRQ_OFF);
    list_init(&q->may_move);
    list_init(&q->leaving);
    timer_init(&q->slice_timer, slice_over, q);
}

/* What @delta_ns of a CPU comes to in a unit's virtual time. */
static uint64_t unit_time(const struct sched_unit *u, uint64_t delta_ns)
{
    const struct sched_domain *sd = u->owner;
    uint32_t weight = READ_ONCE(sd->weight), all = READ_ONCE(sd->active);

    if (likely(weight == SCHED_WEIGHT_UNIT && all == u->active)) {
        return delta_ns;
    }
    /* 2^40 ns, 18 minutes: the product stays below 2^64. */
    return MIN(delta_ns, 1ULL << 40) * SCHED_WEIGHT_UNIT * MAX(all, 1U) /
           ((uint64_t)weight * MAX(u->active, 1U));
}

void sched_charge(struct run_queue *q, uint64_t now_ns)
{
    struct vcpu *v = q->running;
    struct sched_unit *u = v->unit;
    uint64_t delta;

    /* Clocks of CPUs may differ by a little. */
    if (now_ns <= q->charged_at_ns) {
        return;
    }
    delta = now_ns - q->charged_at_ns;
    q->charged_at_ns = now_ns;
    v->run_node.key += delta;
    if (lheap_holds(&u->node)) {
        lheap_remove(&q->units, &u->node);
        u->node.key += unit_time(u, delta);
        lheap_insert(&q->units, &u->node);
    } else {
        u->node.key += unit_time(u, delta);
    }
    if (unlikely(READ_ONCE(u->owner->cap) != 0)) {
        sched_budget_use(u->owner, delta, now_ns);
    }
}

static inline uint64_t queue_clock(struct run_queue *q)
{
    if (q->running != NULL) {
        uint64_t least = q->running->unit->node.key;

        if (!lheap_empty(&q->units)) {
            least = MIN(least, q->units.root->key);
        }
        q->clock_ns = MAX(q->clock_ns, least);
    }
    return q->clock_ns;
}

uint64_t sched_queue_clock(struct run_queue *q)
{
    return queue_clock(q);
}

/* The same, one level down. */
static uint64_t unit_clock(const struct run_queue *q, struct sched_unit *u)
{
    if (q->running != NULL && q->running->unit == u) {
        uint64_t least = q->running->run_node.key;

        if (!lheap_empty(&u->ready)) {
            least = MIN(least, u->ready.root->key);
        }
        u->clock_ns = MAX(u->clock_ns, least);
    }
    return u->clock_ns;
}

void sched_deactivate(struct vcpu *v, uint64_t now_ns)
{
    struct sched_unit *u = v->unit;

    (void)atomic_sub(&u->owner->active, 1u);
    u->active--;
    set_runstate(v,
                 (READ_ONCE(v->hold) & VCPU_HOLD_BLOCKED) != 0
                     ? RUNSTATE_blocked
                     : RUNSTATE_offline,
                 now_ns);
    sched_set_state(v, SCHED_ASLEEP);
}

/* @v is active: if it is the unit's only one, nobody else is queued in it. */
static inline void enqueue(struct run_queue *q, struct vcpu *v)
{
    struct sched_unit *u = v->unit;

    if (likely(u->active == 1)) {
        lheap_insert_only(&u->ready, &v->run_node);
    } else {
        lheap_insert(&u->ready, &v->run_node);
    }
    if (likely(lheap_empty(&q->units))) {
        lheap_insert_only(&q->units, &u->node);
    } else if (!lheap_holds(&u->node)) {
        lheap_insert(&q->units, &u->node);
    }
    sched_set_state(v, SCHED_QUEUED);
    q->ready++;
    if (unlikely((v->hard_affinity & q->others) != 0)) {
        list_add_tail(&q->may_move, &v->move_link);
        q->movable++;
    }
}

static inline void leave(struct run_queue *q, struct vcpu *v)
{
    struct sched_unit *u = v->unit;

    if (likely(u->active == 1)) {
        lheap_remove_only(&u->ready, &v->run_node);
    } else {
        lheap_remove(&u->ready, &v->run_node);
    }
    if (likely(lheap_holds_only(&q->units, &u->node))) {
        if (lheap_empty(&u->ready)) {
            lheap_remove_only(&q->units, &u->node);
        }
    } else if (lheap_empty(&u->ready)) {
        lheap_remove(&q->units, &u->node);
    }
    q->ready--;
    if (unlikely(!list_empty(&v->move_link))) {
        list_del(&v->move_link);
        q->movable--;
    }
}

void sched_leave(struct run_queue *q, struct vcpu *v)
{
    leave(q, v);
}

void sched_join(struct run_queue *q, struct vcpu *v, int64_t lag_ns)
{
    struct sched_unit *u = v->unit;

    if (unlikely(u->active != 1)) {
        v->run_node.key = MAX(v->run_node.key,
                              unit_clock(q, u) - (uint64_t)MAX(lag_ns, 0L));
    }
    /* The others of the unit may be parked: then it is in no heap either. */
    if (!lheap_holds(&u->node) &&
        (q->running == NULL || q->running->unit != u)) {
        u->node.key =
            MAX(u->node.key, queue_clock(q) - (uint64_t)lag_ns);
    }
    enqueue(q, v);
}

/* Is @v to go before who runs, whose virtual times are @ahead_ns old? */
static bool goes_first(const struct run_queue *q, const struct vcpu *v,
                       uint64_t ahead_ns)
{
    const struct vcpu *run = q->running;

    return v->unit == run->unit
               ? v->run_node.key < run->run_node.key + ahead_ns
               : v->unit->node.key < run->unit->node.key + ahead_ns;
}

static inline void consider(struct run_queue *q, const struct vcpu *v,
                            uint64_t now_ns)
{
    uint64_t at;

    if (q->running == NULL) {
        softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
        return;
    }
    at = q->picked_at_ns + READ_ONCE(sched_ratelimit_ns);
    at = MAX(at, now_ns);
    if (!goes_first(q, v, at - q->charged_at_ns)) {
        at = MAX(q->picked_at_ns + SCHED_SLICE_NS, now_ns);
    }
    if (unlikely(at < q->slice_end_ns)) {
        slice_ends(q, at, now_ns);
    }
}

void sched_consider(struct run_queue *q, const struct vcpu *v, uint64_t now_ns)
{
    consider(q, v, now_ns);
}

/* Queue a vcpu that is active now and was asleep, on its own CPU. */
static inline void wake_here(struct run_queue *q, struct vcpu *v,
                             uint64_t now_ns)
{
    const struct vcpu *run = q->running;
    struct sched_unit *u = v->unit;

    /* What is not charged yet is less than a vcpu runs undisturbed. */
    if (run != NULL &&
        now_ns - q->charged_at_ns >= SCHED_RATELIMIT_DEFAULT_US * 1000ULL) {
        sched_charge(q, now_ns);
    }
    if (likely(u->active == 1 && run != NULL)) {
        /* The only one of its domain here: sched_join() comes to that. */
        u->node.key = MAX(u->node.key, queue_clock(q) - SCHED_LAG_NS);
        enqueue(q, v);
    } else {
        sched_join(q, v, SCHED_LAG_NS);
    }
    consider(q, v, now_ns);
}

/*
 * More CPUs than this one may run @v, which is active now: send it to the
 * best.  True: @q has been unlocked, it is done.
 */
static NOINLINE bool wake_elsewhere(struct run_queue *q, struct vcpu *v,
                                    uint64_t now_ns)
{
    cpu_t cpu;

    if (sched_still_on(q, v)) {
        if (!sched_allowed(v, q)) {
            sched_depart(q, v);
            spin_unlock(&q->lock);
            return true;
        }
        /* It might have gone to an idle CPU, which looks once it is saved. */
        return false;
    }
    cpu = sched_place(v);
    if (cpu == q->cpu) {
        return false;
    }
    sched_go(q, v, cpu, SCHED_LAG_NS, now_ns);
    return true;
}

void sched_wake(struct vcpu *v)
{
    uint64_t flags = irq_save();
    struct run_queue *q = sched_lock_vcpu(v);

    if (READ_ONCE(v->hold) == 0 && v->sched_state == SCHED_ASLEEP) {
        uint64_t now = clock_now_ns();

        set_runstate(v, RUNSTATE_runnable, now);
        v->woken_at_ns = now;
        (void)atomic_add(&v->unit->owner->active, 1u);
        v->unit->active++;
        if (unlikely(q->others != 0 || !affinity_has(v, q)) &&
            wake_elsewhere(q, v, now)) {
            irq_restore(flags);
            return;
        }
        wake_here(q, v, now);
    }
    spin_unlock(&q->lock);
    irq_restore(flags);
}

void sched_sleep(struct vcpu *v)
{
    struct run_queue *q;
    uint64_t flags;

    if (v == current) {
        /* It is RUNNING until this CPU chooses anew. */
        softirq_raise(SOFTIRQ_SCHED);
        return;
    }
    flags = irq_save();
    q = sched_lock_vcpu(v);
    if (READ_ONCE(v->hold) != 0) {
        switch ((enum sched_state)v->sched_state) {
        case SCHED_RUNNING:
            softirq_raise_on(q->cpu, SOFTIRQ_SCHED);
            break;
        case SCHED_QUEUED:
            sched_leave(q, v);
            sched_deactivate(v, clock_now_ns());
            break;
        case SCHED_LEAVING:
            list_del(&v->move_link);
            sched_deactivate(v, clock_now_ns());
            break;
        case SCHED_PARKED:
            sched_deactivate(v, clock_now_ns());
            break;
        case SCHED_ASLEEP:
        case SCHED_MOVING: /* whoever moves it looks at hold at the end */
            break;
        }
    }
    spin_unlock(&q->lock);
    irq_restore(flags);
}

void sched_yield(void)
{
    struct run_queue *q = this_queue();

    /* With nobody to yield to there is nothing to choose. */
    if (READ_ONCE(q->ready) != 0) {
        WRITE_ONCE(q->yielded, true);
        softirq_raise(SOFTIRQ_SCHED);
    }
}

/* Behind whoever would be next: siblings first, then other domains. */
static void step_back(struct run_queue *q, struct vcpu *v)
{
    struct sched_unit *u = v->unit;

    if (!lheap_empty(&u->ready)) {
        v->run_node.key = MAX(v->run_node.key, u->ready.root->key);
    } else if (!lheap_empty(&q->units)) {
        u->node.key = MAX(u->node.key, q->units.root->key);
    }
}

/* The running vcpu goes back to where it belongs now. */
static void put_back(struct run_queue *q, struct vcpu *v, uint64_t now_ns)
{
    if (READ_ONCE(v->hold) != 0) {
        sched_deactivate(v, now_ns);
    } else if (!sched_allowed(v, q)) {
        sched_depart(q, v);
    } else {
        if (q->yielded) {
            step_back(q, v);
        }
        enqueue(q, v);
    }
    q->running = NULL;
}

/* The first that may run, off the queue; NULL: none. */
static struct vcpu *take_first(struct run_queue *q, uint64_t now_ns)
{
    while (!lheap_empty(&q->units)) {
        struct sched_unit *u =
            container_of(q->units.root, struct sched_unit, node);
        struct vcpu *v =
            container_of(u->ready.root, struct vcpu, run_node);

        q->clock_ns = MAX(q->clock_ns, u->node.key);
        u->clock_ns = MAX(u->clock_ns, v->run_node.key);
        leave(q, v);
        if (likely(READ_ONCE(u->owner->cap) == 0) ||
            sched_budget_left(u->owner, now_ns) != 0) {
            return v;
        }
        sched_set_state(v, SCHED_PARKED);
        if (v->runstate.state == RUNSTATE_running) {
            set_runstate(v, RUNSTATE_runnable, now_ns);
        }
    }
    return NULL;
}

/* How long the vcpu just chosen may run. */
static void begin_slice(struct run_queue *q, struct vcpu *v, uint64_t now_ns)
{
    q->picked_at_ns = now_ns;
    q->slice_end_ns = v != NULL && !lheap_empty(&q->units)
                          ? now_ns + SCHED_SLICE_NS
                          : TIMER_NEVER;
    if (v != NULL && unlikely(READ_ONCE(v->unit->owner->cap) != 0)) {
        uint64_t left = MAX(sched_budget_left(v->unit->owner, now_ns),
                            SCHED_BUDGET_LEAST_NS);

        q->slice_end_ns = MIN(q->slice_end_ns, now_ns + left);
    }
    arm_slice(q);
}

static void note_idle(struct run_queue *q, bool idle, uint64_t now_ns)
{
    if (idle) {
        if (q->idle_since_ns == TIMER_NEVER) {
            q->idle_since_ns = now_ns;
        }
        (void)atomic_or(&sched_idle_cpus, cpu_bit(q->cpu));
    } else if (q->idle_since_ns != TIMER_NEVER) {
        (void)atomic_and(&sched_idle_cpus, ~cpu_bit(q->cpu));
        q->idle_ns += now_ns - q->idle_since_ns;
        q->idle_since_ns = TIMER_NEVER;
    }
}

/* Somebody else may have to run.  Return: who */
static struct vcpu *choose(struct run_queue *q, uint64_t now)
{
    struct vcpu *prev = q->running, *next;

    if (prev != NULL) {
        put_back(q, prev, now);
    }
    q->yielded = false;
    next = take_first(q, now);
    if (next == NULL && q->others != 0) {
        sched_steal(q);
        now = clock_now_ns();
        next = take_first(q, now);
    }
    if (prev != NULL && next != prev &&
        prev->runstate.state == RUNSTATE_running) {
        set_runstate(prev, RUNSTATE_runnable, now);
    }
    if (next != NULL) {
        sched_set_state(next, SCHED_RUNNING);
        if (next->runstate.state != RUNSTATE_running) {
            set_runstate(next, RUNSTATE_running, now);
        }
    }
    q->running = next;
    q->charged_at_ns = now;
    note_idle(q, next == NULL, now);
    if (unlikely(q->movable != 0)) {
        q->settled = now - q->picked_at_ns >= SCHED_SLICE_NS && next != NULL &&
                     now - next->woken_at_ns >= SCHED_SLICE_NS;
        if (next == prev) {
            sched_share_out(q, now);
        } else {
            /* Not before the switch: prev may be the one to move. */
            WRITE_ONCE(q->after_switch, true);
        }
    }
    begin_slice(q, next, now);
    return next;
}

struct vcpu *sched_pick(void)
{
    struct run_queue *q = this_queue();
    struct vcpu *v;
    uint64_t now;

    spin_lock(&q->lock);
    now = clock_now_ns();
    v = q->running;
    if (v != NULL) {
        sched_charge(q, now);
        if (READ_ONCE(v->hold) == 0 && !q->yielded && now < q->slice_end_ns &&
            sched_allowed(v, q)) {
            arm_slice(q); /* another CPU may have moved the end */
            spin_unlock(&q->lock);
            return v;
        }
    }
    v = choose(q, now);
    spin_unlock(&q->lock);
    return v;
}

bool vcpu_is_off(const struct vcpu *v)
{
    return !__atomic_load_n(&v->is_running, __ATOMIC_ACQUIRE) &&
           __atomic_load_n(&v->sched_state, __ATOMIC_ACQUIRE) == SCHED_ASLEEP;
}

void sched_reslice(struct vcpu *v)
{
    uint64_t flags = irq_save();
    struct run_queue *q = sched_lock_vcpu(v);

    if (v->sched_state == SCHED_RUNNING) {
        uint64_t now = clock_now_ns();

        slice_ends(q, now, now);
    }
    spin_unlock(&q->lock);
    irq_restore(flags);
}
