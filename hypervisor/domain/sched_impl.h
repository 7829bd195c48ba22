/* SPDX-License-Identifier: MIT */
/*
 * domain/sched_impl.h - run queues, as sched.c, sched_move.c and
 * sched_domain.c share them; nobody else includes this.
 *
 * Two levels.  On each CPU that a domain has runnable vcpus on, it has one
 * unit; the queue orders the units by their virtual time, which advances with
 * the time its vcpus ran there, divided by the domain's weight times the part
 * of its runnable vcpus that are there.  A unit orders its vcpus by their own
 * virtual time.  So shares go to domains, however many vcpus they have, and
 * within a domain to its vcpus.
 *
 * A queue's clock is the virtual time of the unit it last chose, and never goes
 * back.  Who wakes up begins no more than SCHED_LAG_NS before it: that is all
 * the sleep that is remembered, and what lets it go first.
 *
 * Locks: q is the lock of the queue of vcpu.processor (sched_lock_vcpu()), b a
 * domain's budget lock, a atomic, c constant after creation.  A vcpu is queued
 * on one queue, in the state QUEUED, or on none.
 */
#ifndef VIGIL_DOMAIN_SCHED_IMPL_H
#define VIGIL_DOMAIN_SCHED_IMPL_H

#include "lib/bits.h"
#include "lib/lheap.h"
#include "lib/list.h"
#include "cpu/timer.h"
#include "domain/sched.h"
#include "domain/vcpu.h"
#include "sync/spinlock.h"
#include "x86/percpu.h"

/* Virtual and real nanoseconds are the same for this weight. */
#define SCHED_WEIGHT_UNIT 256U
/* Sleep that counts, and the most a vcpu is credited on moving. */
#define SCHED_LAG_NS 10000000ULL
/*
 * The most it owes then.  That is more than a slice for a light weight, and when
 * the machine was away, in its firmware or for a hypervisor below this one.
 */
#define SCHED_OWED_NS 1000000000ULL
/* A domain's budget is given anew after that. */
#define SCHED_PERIOD_NS 10000000ULL
/* The least a capped vcpu runs for: what is overrun is paid back. */
#define SCHED_BUDGET_LEAST_NS 100000ULL
/* Where clocks begin, so that nothing is below 0. */
#define SCHED_CLOCK_BASE (1ULL << 40)
/*
 * A queue looks for an uneven load after that many slices and up to 7 more, by
 * chance, so that it is not always the same one that waits just then.
 */
#define SCHED_BALANCE_SLICES 3
/* It looks at the end of a slice that was a whole one, if one comes that soon. */
#define SCHED_BALANCE_WAITS_NS 100000000ULL
/* Of queues that serve their vcpus unevenly, so much is made up for. */
#define SCHED_SERVED_NS  1000000000LL
/* If they differ by more, they change places although they are loaded alike. */
#define SCHED_UNEVEN_NS 50000000LL
/* Queued vcpus that are looked at to find one to move. */
#define SCHED_LOOK_AT 64

/* A domain's part of one CPU. */
struct sched_unit {
    struct lheap_node node;     /* q: key: virtual time                   */
    struct lheap ready;         /* q: its queued vcpus                    */
    uint64_t clock_ns;          /* q: of its vcpus' virtual times         */
    uint32_t active;            /* q: vcpus neither asleep nor elsewhere  */
    struct sched_domain *owner; /* c */
};

struct sched_domain {
    uint32_t weight;           /* a */
    uint32_t cap;              /* a: per cent of one CPU; 0: none      */
    uint32_t active;           /* a: sum of the units'                 */
    struct spinlock lock;      /* b: rank LOCK_RANK_SCHED_BUDGET       */
    int64_t budget_ns;         /* b: left of this period; may be owed  */
    uint64_t period_end_ns;    /* b */
    bool refill_armed;         /* b: somebody is parked                */
    struct timer refill;
    struct domain *domain;     /* c */
    unsigned int unit_count;   /* c */
    struct sched_unit unit[];  /* by CPU */
};

struct run_queue {
    struct spinlock lock;
    cpu_t cpu;                /* c */
    cpumask_t others;         /* q: all CPUs in use but this one         */
    struct lheap units;       /* those with a vcpu queued                */
    struct vcpu *running;     /* whom sched_pick() chose last            */
    uint64_t clock_ns;        /* virtual                                 */
    uint64_t picked_at_ns;
    uint64_t charged_at_ns;   /* running has been charged until then     */
    /*
     * When to choose anew.  The timer is not moved when that is put off or no
     * longer wanted, which a guest that is woken and soon sleeps again would
     * do each time: it fires early, finds out, and is set again.
     */
    uint64_t slice_end_ns;
    uint64_t slice_armed_ns;  /* when the timer fires                    */
    struct timer slice_timer;
    bool yielded;             /* p: set by this CPU with interrupts off  */
    bool after_switch;        /* a: something for sched_after_switch()   */
    bool settled;             /* chosen last at the end of a whole slice */
    uint32_t ready;           /* vcpus queued here; others peek          */
    uint32_t movable;         /* vcpus in the list; others peek          */
    struct list may_move;     /* queued ones that may run elsewhere      */
    struct list leaving;      /* LEAVING ones: to go when off the CPU    */
    uint64_t balance_at_ns;
    uint32_t chance;          /* the last number drawn                   */
    cpu_t next_look;          /* whose load is looked at next            */
    uint64_t served_skew_ns;  /* sched_move.c: served()                  */
    uint64_t idle_since_ns;   /* TIMER_NEVER: not idle                   */
    uint64_t idle_ns;
} __attribute__((aligned(256)));

extern struct run_queue run_queue[NR_CPUS];
extern cpumask_t sched_cpus;      /* a: in use; sched_cpu_up(), _down()  */
extern cpumask_t sched_idle_cpus; /* a: those that found nothing         */
extern uint64_t sched_ratelimit_ns;

static inline struct run_queue *this_queue(void)
{
    return &run_queue[this_cpu_id()];
}

static inline cpumask_t cpu_bit(cpu_t cpu)
{
    return (cpumask_t)1 << cpu;
}

/* Is the CPU of @q one that @v may be on, if it is in use? */
static inline bool affinity_has(const struct vcpu *v,
                                const struct run_queue *q)
{
    return (v->hard_affinity >> q->cpu & 1) != 0;
}

/* May @v run on the CPU of @q? */
static inline bool sched_allowed(const struct vcpu *v,
                                 const struct run_queue *q)
{
    return (v->hard_affinity & READ_ONCE(sched_cpus) & cpu_bit(q->cpu)) != 0;
}

/*
 * Is @v still on the CPU of @q, which is locked?  Then that CPU will look at
 * the queue in sched_after_switch(), and until then nobody else may have it.
 * If not, its registers are saved.
 */
static inline bool sched_still_on(struct run_queue *q, const struct vcpu *v)
{
    if (likely(!__atomic_load_n(&v->is_running, __ATOMIC_ACQUIRE))) {
        return false; /* switch:A has been */
    }
    WRITE_ONCE(q->after_switch, true);
    /*
     * MB(switch:B) after_switch before the second look; pairs with switch:C.
     * One of the two sees what the other did.
     */
    smp_mb();
    return __atomic_load_n(&v->is_running, __ATOMIC_ACQUIRE);
}

/**
 * sched_queue_init() - an empty queue
 * @q:   storage
 * @cpu: whose it is
 *
 * Context: boot, or a CPU that comes up for the first time.
 */
void sched_queue_init(struct run_queue *q, cpu_t cpu);

/*
 * Lock the queue @v belongs to; v->processor does not change until it is
 * unlocked.  Interrupts off, no queue locked.
 */
static inline struct run_queue *sched_lock_vcpu(const struct vcpu *v)
{
    for (;;) {
        cpu_t cpu = READ_ONCE(v->processor);
        struct run_queue *q = &run_queue[cpu];

        spin_lock(&q->lock);
        if (likely(READ_ONCE(v->processor) == cpu)) {
            return q;
        }
        spin_unlock(&q->lock);
    }
}

/**
 * sched_charge() - account the time the running vcpu had since the last charge
 * @q:      locked queue, somebody running
 * @now_ns: time
 *
 * Context: interrupts off.
 */
void sched_charge(struct run_queue *q, uint64_t now_ns);

/**
 * sched_queue_clock() - a queue's clock, brought up to date
 * @q: locked queue
 *
 * Context: interrupts off.
 * Return:  virtual time
 */
uint64_t sched_queue_clock(struct run_queue *q);

/**
 * sched_deactivate() - a vcpu no longer wants to run: it is asleep
 * @v:      vcpu, its queue locked, queued nowhere
 * @now_ns: time
 *
 * Context: interrupts off.
 */
void sched_deactivate(struct vcpu *v, uint64_t now_ns);

/**
 * sched_join() - queue an active vcpu on the queue of its processor
 * @q:      that queue, locked
 * @v:      active vcpu
 * @lag_ns: how far behind the queue's clock it may begin, virtual time;
 *          negative: what it owes
 *
 * Context: interrupts off.
 */
void sched_join(struct run_queue *q, struct vcpu *v, int64_t lag_ns);

/**
 * sched_leave() - take a queued vcpu off its queue; it stays active
 * @q: its queue, locked
 * @v: vcpu, QUEUED
 *
 * Context: interrupts off.
 */
void sched_leave(struct run_queue *q, struct vcpu *v);

/**
 * sched_consider() - somebody was queued: when is to be chosen anew?
 * @q:      locked queue
 * @v:      who was queued
 * @now_ns: time
 *
 * Sets the end of the slice and tells the CPU.
 * Context: interrupts off.
 */
void sched_consider(struct run_queue *q, const struct vcpu *v,
                    uint64_t now_ns);

/**
 * sched_set_state() - note a vcpu's scheduling state
 * @v:  vcpu, its queue locked
 * @to: the state
 *
 * With release order: vcpu_is_off() reads it without the lock.
 * Context: interrupts off.
 */
static inline void sched_set_state(struct vcpu *v, enum sched_state to)
{
    __atomic_store_n(&v->sched_state, (uint8_t)to, __ATOMIC_RELEASE);
}

/* ---- sched_move.c -------------------------------------------------------- */

/**
 * sched_place() - where should a vcpu that wants to run be?
 * @v: vcpu, its queue locked, queued nowhere, not on a CPU
 *
 * Affinity that no CPU in use satisfies is given up, with a message.  An idle
 * CPU that is chosen is claimed: the caller queues the vcpu there.
 * Context: interrupts off.
 * Return:  CPU
 */
cpu_t sched_place(struct vcpu *v);

/**
 * sched_go() - move a vcpu that is queued nowhere to another CPU's queue
 * @q:      its queue, locked; unlocked on return
 * @v:      vcpu, active, not on a CPU
 * @cpu:    where to
 * @lag_ns: as for sched_join()
 * @now_ns: time
 *
 * It is MOVING meanwhile.  If it has been stopped by then, it goes to sleep
 * there.
 * Context: interrupts off.
 */
void sched_go(struct run_queue *q, struct vcpu *v, cpu_t cpu, int64_t lag_ns,
              uint64_t now_ns);

/**
 * sched_send() - choose a place for a vcpu and queue it there
 * @q:      its queue, locked; unlocked on return
 * @v:      vcpu, active, queued nowhere, not on a CPU
 * @now_ns: time
 *
 * Context: interrupts off.
 */
void sched_send(struct run_queue *q, struct vcpu *v, uint64_t now_ns);

/**
 * sched_depart() - a vcpu must not stay on this CPU, where it still is
 * @q: its queue, locked
 * @v: active, queued nowhere
 *
 * sched_after_switch() of that CPU moves it: called by that CPU before it
 * switches, or after sched_still_on() has said so.
 * Context: interrupts off.
 */
void sched_depart(struct run_queue *q, struct vcpu *v);

/**
 * sched_steal() - find work for a CPU that has none
 * @q: this CPU's queue, locked, empty; unlocked on the way
 *
 * Context: interrupts off.
 */
void sched_steal(struct run_queue *q);

/**
 * sched_share_out() - let others have of what waits on this CPU
 * @q:      this CPU's queue, locked
 * @now_ns: time
 *
 * An idle CPU is told to fetch something; from time to time one or two others
 * are looked at, and the one with less to do is given something.
 * Context: interrupts off.
 */
void sched_share_out(struct run_queue *q, uint64_t now_ns);

/* ---- sched_domain.c ------------------------------------------------------ */

/**
 * sched_budget_use() - a capped domain has used some of its budget
 * @sd:      domain
 * @used_ns: time a vcpu ran
 * @now_ns:  time
 *
 * Context: interrupts off.
 */
void sched_budget_use(struct sched_domain *sd, uint64_t used_ns,
                      uint64_t now_ns);

/**
 * sched_budget_left() - how long may a vcpu of a capped domain run?
 * @sd:     domain
 * @now_ns: time
 *
 * With nothing left the next period's begin is awaited by a timer, which
 * queues the domain's PARKED vcpus.
 * Context: interrupts off.
 * Return:  ns; 0: it must park
 */
uint64_t sched_budget_left(struct sched_domain *sd, uint64_t now_ns);

/**
 * sched_unpark() - queue a vcpu that waited for its domain's budget
 * @v: vcpu, in any state
 *
 * Context: any but NMI/#MC.
 */
void sched_unpark(struct vcpu *v);

#endif
