/* SPDX-License-Identifier: MIT */
/*
 * domain/sched.c - round robin with a 10 ms slice; a vcpu that wakes goes
 * ahead of the others, if it sleeps more than it runs.
 *
 * Two vcpus that wake each other would always be ahead of the rest.  So who
 * has waited for a whole slice comes first, and keeps the pcpu for a slice.
 */
#include "domain/sched.h"

#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "lib/assert.h"
#include "x86/irqflags.h"

/* Legend: i interrupts off */
static struct list queue = LIST_INIT(queue); /* i */
/*
 * The end of the slice.  The timer is not moved when the end is put off or no
 * longer wanted, which a guest that is woken and soon sleeps again would do
 * each time: it fires early, finds out, and is set again.
 */
static struct timer slice_timer;
static uint64_t slice_end_ns = TIMER_NEVER;   /* i: when to choose anew   */
static uint64_t slice_armed_ns = TIMER_NEVER; /* i: when the timer fires  */

/* A woken vcpu may preempt one that has run for at least this long. */
#define PREEMPT_AFTER_NS 500000ULL
/* Sleep and work that are remembered. */
#define CREDIT_MAX_NS    ((int64_t)SCHED_SLICE_NS)

static uint64_t picked_at_ns;
static uint64_t preempt_after_ns = PREEMPT_AFTER_NS; /* of who runs now */

static void slice_ends(uint64_t at_ns)
{
    slice_end_ns = at_ns;
    if (at_ns < slice_armed_ns) {
        slice_armed_ns = at_ns;
        timer_set(&slice_timer, at_ns);
    }
}

static void slice_over(void *arg)
{
    uint64_t flags = irq_save();

    (void)arg;
    slice_armed_ns = TIMER_NEVER;
    if (slice_end_ns <= clock_now_ns()) {
        slice_end_ns = TIMER_NEVER;
        softirq_raise(SOFTIRQ_SCHED);
    } else if (slice_end_ns != TIMER_NEVER) {
        slice_ends(slice_end_ns);
    }
    irq_restore(flags);
}

void sched_init(void)
{
    timer_init(&slice_timer, slice_over, NULL);
}

static void enqueue(struct vcpu *v, bool front)
{
    if (v->is_queued) {
        return;
    }
    v->is_queued = true;
    if (front) {
        list_add(&queue, &v->run_link);
    } else {
        list_add_tail(&queue, &v->run_link);
    }
}

static void dequeue(struct vcpu *v)
{
    if (v->is_queued) {
        v->is_queued = false;
        list_del(&v->run_link);
    }
}

/* Slept (or, negative, ran) for @ns. */
static void credit_add(struct vcpu *v, int64_t ns)
{
    v->credit_ns =
        MAX(MIN(v->credit_ns + MAX(MIN(ns, CREDIT_MAX_NS), -CREDIT_MAX_NS),
                CREDIT_MAX_NS),
            -CREDIT_MAX_NS);
}

void sched_wake(struct vcpu *v)
{
    uint64_t flags = irq_save();
    uint64_t now = clock_now_ns();

    if (!v->is_running && !v->is_queued) {
        bool was_empty = list_empty(&queue), ahead;

        credit_add(v, (int64_t)(now - v->runstate.state_entry_time));
        ahead = v->credit_ns > 0;
        enqueue(v, ahead);
        vcpu_set_runstate(v, RUNSTATE_runnable, now);
        if (current == NULL ||
            (ahead && now - picked_at_ns >= preempt_after_ns)) {
            softirq_raise(SOFTIRQ_SCHED);
        } else if (ahead) {
            slice_ends(picked_at_ns + preempt_after_ns);
        } else if (was_empty) {
            slice_ends(picked_at_ns + SCHED_SLICE_NS);
        }
    }
    irq_restore(flags);
}

void sched_sleep(struct vcpu *v)
{
    uint64_t flags = irq_save();

    dequeue(v);
    if (v->is_running) {
        softirq_raise(SOFTIRQ_SCHED);
    } else {
        vcpu_set_runstate(v,
                          (v->hold & VCPU_HOLD_BLOCKED) != 0 ? RUNSTATE_blocked
                                                             : RUNSTATE_offline,
                          clock_now_ns());
    }
    irq_restore(flags);
}

void sched_yield(void)
{
    uint64_t flags = irq_save();

    softirq_raise(SOFTIRQ_SCHED);
    irq_restore(flags);
}

/* Who has waited longest, if that was a slice or more; NULL: nobody. */
static struct vcpu *longest_waiting(uint64_t now)
{
    struct vcpu *found = NULL;
    struct list *pos;

    list_for_each(pos, &queue) {
        struct vcpu *v = list_entry(pos, struct vcpu, run_link);

        /* The one that just ran is queued, but has not begun to wait. */
        if (v->runstate.state == RUNSTATE_runnable &&
            now - v->runstate.state_entry_time >= SCHED_SLICE_NS &&
            (found == NULL || v->runstate.state_entry_time <
                                  found->runstate.state_entry_time)) {
            found = v;
        }
    }
    return found;
}

struct vcpu *sched_pick(void)
{
    struct vcpu *v = current;
    struct vcpu *next = NULL;
    uint64_t now = clock_now_ns();

    if (v != NULL) {
        credit_add(v, -(int64_t)(now - picked_at_ns));
    }
    if (v != NULL && READ_ONCE(v->hold) == 0) {
        /* Still able to run: behind the others, if there are any. */
        enqueue(v, false);
    }
    preempt_after_ns = PREEMPT_AFTER_NS;
    if (!list_empty(&queue)) {
        next = longest_waiting(now);
        if (next != NULL) {
            preempt_after_ns = SCHED_SLICE_NS;
        } else {
            next = list_first(&queue, struct vcpu, run_link);
        }
        dequeue(next);
    }
    picked_at_ns = now;
    slice_ends(next != NULL && !list_empty(&queue) ? now + SCHED_SLICE_NS
                                                   : TIMER_NEVER);
    return next;
}
