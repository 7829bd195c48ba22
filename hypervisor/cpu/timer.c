/* SPDX-License-Identifier: MIT */
/*
 * cpu/timer.c - a binary heap of deadlines for each CPU; slot 1 is the root.
 *
 * A timer belongs to the heap of timer.cpu, also while it is not in it: that
 * heap's lock guards the timer's fields.  Whoever moves one to another CPU
 * holds both locks, the lower CPU's first.
 */
#include "cpu/timer.h"

#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/softirq.h"
#include "lib/assert.h"
#include "sync/spinlock.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"

/* Legend: c constant after init; l under lock */
struct timer_heap {
    struct spinlock lock;
    unsigned int count;    /* l */
    struct timer **slot;   /* c: TIMERS_MAX + 1; contents l               */
    struct timer *running; /* l to set: its callback is being called      */
};

static struct timer *bsp_slots[TIMERS_MAX + 1];
static struct timer_heap heaps[NR_CPUS];

static void place(struct timer_heap *h, unsigned int i, struct timer *t)
{
    h->slot[i] = t;
    t->slot = i;
}

static void sift_up(struct timer_heap *h, unsigned int i, struct timer *t)
{
    while (i > 1 && h->slot[i / 2]->deadline_ns > t->deadline_ns) {
        place(h, i, h->slot[i / 2]);
        i /= 2;
    }
    place(h, i, t);
}

static void sift_down(struct timer_heap *h, unsigned int i, struct timer *t)
{
    for (;;) {
        unsigned int child = 2 * i;

        if (child > h->count) {
            break;
        }
        if (child < h->count &&
            h->slot[child + 1]->deadline_ns < h->slot[child]->deadline_ns) {
            child++;
        }
        if (h->slot[child]->deadline_ns >= t->deadline_ns) {
            break;
        }
        place(h, i, h->slot[child]);
        i = child;
    }
    place(h, i, t);
}

static void heap_remove(struct timer_heap *h, struct timer *t)
{
    unsigned int i = t->slot;
    struct timer *last = h->slot[h->count];

    h->slot[h->count--] = NULL;
    t->slot = 0;
    if (last == t) {
        return;
    }
    if (i > 1 && h->slot[i / 2]->deadline_ns > last->deadline_ns) {
        sift_up(h, i, last);
    } else {
        sift_down(h, i, last);
    }
}

static void heap_insert(struct timer_heap *h, struct timer *t)
{
    BUG_ON(h->count == TIMERS_MAX);
    sift_up(h, ++h->count, t);
}

static void arm_at(uint64_t first, uint64_t now)
{
    this_cpu()->next_deadline_ns = first;
    lapic_timer_arm(first > now ? first - now : 0);
}

/* This CPU's heap, its lock held. */
static void arm(const struct timer_heap *h)
{
    uint64_t first = h->count != 0 ? h->slot[1]->deadline_ns : TIMER_NEVER;

    if (this_cpu()->next_deadline_ns == first) {
        return;
    }
    if (first == TIMER_NEVER) {
        this_cpu()->next_deadline_ns = TIMER_NEVER;
        lapic_timer_arm(TIMER_NEVER);
        return;
    }
    arm_at(first, clock_now_ns());
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER,
                        .cpu = this_cpu_id(),
                        .fn = fn,
                        .arg = arg};
}

/* Lock the heap of @t, which another CPU may be moving.  Interrupts off. */
static struct timer_heap *lock_heap_of(struct timer *t)
{
    for (;;) {
        cpu_t cpu = READ_ONCE(t->cpu);

        spin_lock(&heaps[cpu].lock);
        if (likely(READ_ONCE(t->cpu) == cpu)) {
            return &heaps[cpu];
        }
        spin_unlock(&heaps[cpu].lock);
    }
}

/* Make @t this CPU's, out of any heap; this CPU's heap is locked after it. */
static struct timer_heap *take_over(struct timer *t)
{
    cpu_t me = this_cpu_id();

    for (;;) {
        cpu_t cpu = READ_ONCE(t->cpu);

        spin_lock(&heaps[MIN(cpu, me)].lock);
        if (cpu != me) {
            spin_lock(&heaps[MAX(cpu, me)].lock);
        }
        if (likely(READ_ONCE(t->cpu) == cpu)) {
            if (t->slot != 0) {
                heap_remove(&heaps[cpu], t);
            }
            if (cpu != me) {
                WRITE_ONCE(t->cpu, me);
                spin_unlock(&heaps[cpu].lock);
            }
            return &heaps[me];
        }
        spin_unlock(&heaps[cpu].lock);
        if (cpu != me) {
            spin_unlock(&heaps[me].lock);
        }
    }
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    uint64_t flags = irq_save();
    struct timer_heap *h = take_over(t);

    t->deadline_ns = deadline_ns;
    heap_insert(h, t);
    arm(h);
    spin_unlock(&h->lock);
    irq_restore(flags);
}

void timer_stop(struct timer *t)
{
    uint64_t flags = irq_save();
    struct timer_heap *h = lock_heap_of(t);

    if (t->slot != 0) {
        heap_remove(h, t);
        t->deadline_ns = TIMER_NEVER;
        /* Another CPU's count runs out for nothing, and is set anew then. */
        if (h == &heaps[this_cpu_id()]) {
            arm(h);
        }
    }
    spin_unlock(&h->lock);
    irq_restore(flags);
}

void timer_stop_sync(struct timer *t)
{
    cpu_t cpu;

    do {
        timer_stop(t);
        cpu = READ_ONCE(t->cpu);
        while (cpu != this_cpu_id() &&
               atomic_load(&heaps[cpu].running) == t) {
            WRITE_ONCE(this_cpu()->waits_for, cpu + 1);
            cpu_relax();
        }
        /* The callback may have set it once more. */
    } while (READ_ONCE(t->slot) != 0);
    WRITE_ONCE(this_cpu()->waits_for, 0);
}

void timer_run(void)
{
    struct timer_heap *h = &heaps[this_cpu_id()];

    for (;;) {
        uint64_t flags = spin_lock_irqsave(&h->lock);
        uint64_t now = clock_now_ns();
        struct timer *t = h->count != 0 ? h->slot[1] : NULL;

        __atomic_store_n(&h->running, NULL, __ATOMIC_RELEASE);
        if (t == NULL) {
            /* The count has run out, or would for nothing. */
            arm(h);
            spin_unlock_irqrestore(&h->lock, flags);
            return;
        }
        if (t->deadline_ns > now) {
            /* The interrupt was used up: always a new count. */
            arm_at(t->deadline_ns, now);
            spin_unlock_irqrestore(&h->lock, flags);
            return;
        }
        heap_remove(h, t);
        t->deadline_ns = TIMER_NEVER;
        __atomic_store_n(&h->running, t, __ATOMIC_RELEASE);
        spin_unlock_irqrestore(&h->lock, flags);
        t->fn(t->arg);
    }
}

unsigned int timer_count(void)
{
    unsigned int count = 0;

    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        count += READ_ONCE(heaps[cpu].count);
    }
    return count;
}

void timer_take_from(cpu_t cpu)
{
    struct timer_heap *from = &heaps[cpu], *to;
    cpu_t me = this_cpu_id();
    uint64_t flags = irq_save();

    spin_lock(&heaps[MIN(cpu, me)].lock);
    spin_lock(&heaps[MAX(cpu, me)].lock);
    to = &heaps[me];
    while (from->count != 0) {
        struct timer *t = from->slot[1];

        heap_remove(from, t);
        WRITE_ONCE(t->cpu, me);
        heap_insert(to, t);
    }
    arm(to);
    spin_unlock(&heaps[MAX(cpu, me)].lock);
    spin_unlock(&heaps[MIN(cpu, me)].lock);
    irq_restore(flags);
}

unsigned int timer_list(cpu_t cpu, struct timer_waiting *ret_list,
                        unsigned int room)
{
    struct timer_heap *h = &heaps[cpu];
    unsigned int count;
    uint64_t flags;

    if (READ_ONCE(h->slot) == NULL) {
        return 0;
    }
    flags = spin_lock_irqsave(&h->lock);
    count = h->count;
    for (unsigned int i = 0; i < count && i < room; i++) {
        ret_list[i] = (struct timer_waiting){h->slot[i + 1]->deadline_ns,
                                             h->slot[i + 1]->fn};
    }
    spin_unlock_irqrestore(&h->lock, flags);
    return count;
}

void timer_cpu_init(void *slots)
{
    struct timer_heap *h = &heaps[this_cpu_id()];

    if (h->slot == NULL) {
        spin_lock_init(&h->lock, "timer_lock", LOCK_RANK_TIMER, IRQ_OFF);
        h->slot = slots != NULL ? slots : bsp_slots;
    }
    this_cpu()->next_deadline_ns = TIMER_NEVER;
    softirq_plug(SOFTIRQ_TIMER, timer_run);
}
