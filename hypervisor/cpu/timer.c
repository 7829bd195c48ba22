/* SPDX-License-Identifier: MIT */
/*
 * cpu/timer.c - a binary heap of deadlines for each CPU; slot 1 is the root.
 * Only the owning CPU touches its heap, with interrupts off.
 */
#include "cpu/timer.h"

#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/softirq.h"
#include "lib/assert.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"

#define TIMERS_MAX 32768 /* domain/vcpu.c limits vcpus to a third of it */

static struct timer *heap[TIMERS_MAX + 1];
static unsigned int heap_count;

static void place(unsigned int i, struct timer *t)
{
    heap[i] = t;
    t->slot = i;
}

static void sift_up(unsigned int i, struct timer *t)
{
    while (i > 1 && heap[i / 2]->deadline_ns > t->deadline_ns) {
        place(i, heap[i / 2]);
        i /= 2;
    }
    place(i, t);
}

static void sift_down(unsigned int i, struct timer *t)
{
    for (;;) {
        unsigned int child = 2 * i;

        if (child > heap_count) {
            break;
        }
        if (child < heap_count &&
            heap[child + 1]->deadline_ns < heap[child]->deadline_ns) {
            child++;
        }
        if (heap[child]->deadline_ns >= t->deadline_ns) {
            break;
        }
        place(i, heap[child]);
        i = child;
    }
    place(i, t);
}

static void heap_remove(struct timer *t)
{
    unsigned int i = t->slot;
    struct timer *last = heap[heap_count];

    heap[heap_count--] = NULL;
    t->slot = 0;
    if (last == t) {
        return;
    }
    if (i > 1 && heap[i / 2]->deadline_ns > last->deadline_ns) {
        sift_up(i, last);
    } else {
        sift_down(i, last);
    }
}

static void arm_at(uint64_t first, uint64_t now)
{
    this_cpu()->next_deadline_ns = first;
    lapic_timer_arm(first > now ? first - now : 0);
}

static void arm(void)
{
    uint64_t first = heap_count != 0 ? heap[1]->deadline_ns : TIMER_NEVER;

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
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn, .arg = arg};
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    uint64_t flags = irq_save();

    if (t->slot != 0) {
        heap_remove(t);
    }
    BUG_ON(heap_count == TIMERS_MAX);
    t->deadline_ns = deadline_ns;
    t->cpu = this_cpu_id();
    sift_up(++heap_count, t);
    arm();
    irq_restore(flags);
}

void timer_stop(struct timer *t)
{
    uint64_t flags = irq_save();

    if (t->slot != 0) {
        heap_remove(t);
        t->deadline_ns = TIMER_NEVER;
        arm();
    }
    irq_restore(flags);
}

void timer_run(void)
{
    for (;;) {
        uint64_t flags = irq_save();
        uint64_t now = clock_now_ns();
        struct timer *t = heap_count != 0 ? heap[1] : NULL;

        if (t == NULL) {
            /* The count has run out, or would for nothing. */
            arm();
            irq_restore(flags);
            return;
        }
        if (t->deadline_ns > now) {
            /* The interrupt was used up: always a new count. */
            arm_at(t->deadline_ns, now);
            irq_restore(flags);
            return;
        }
        heap_remove(t);
        t->deadline_ns = TIMER_NEVER;
        irq_restore(flags);
        t->fn(t->arg);
    }
}

void timer_cpu_init(void)
{
    this_cpu()->next_deadline_ns = TIMER_NEVER;
    softirq_plug(SOFTIRQ_TIMER, timer_run);
}
