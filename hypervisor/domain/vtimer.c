/* SPDX-License-Identifier: MIT */
/*
 * domain/vtimer.c - timers become VIRQ_TIMER; the poll timer only wakes.
 */
#include "domain/vtimer.h"

#include "cpu/clock.h"
#include "domain/virq.h"
#include "x86/atomic.h"
#include "x86/barrier.h"

static void singleshot_fired(void *arg)
{
    virq_raise(arg, VIRQ_TIMER);
}

/* Stopped by another CPU meanwhile: no tick, and no next one. */
static void periodic_tick(struct vcpu *v)
{
    uint64_t period_ns = READ_ONCE(v->periodic_ns);

    if (period_ns != 0) {
        virq_raise(v, VIRQ_TIMER);
        timer_set(&v->periodic, clock_now_ns() + period_ns);
    }
}

static void periodic_fired(void *arg)
{
    struct vcpu *v = arg;

    /*
     * Who does not run gets no ticks, and costs none: vtimer_resume().
     * MB(periodic:A): after the timer left its heap; pairs with periodic:B.
     */
    smp_mb();
    if (READ_ONCE(v->is_running)) {
        periodic_tick(v);
    }
}

static void poll_fired(void *arg)
{
    struct vcpu *v = arg;

    vcpu_poll_end(v);
    vcpu_release(v, VCPU_HOLD_BLOCKED);
}

void vtimer_init(struct vcpu *v)
{
    timer_init(&v->singleshot, singleshot_fired, v);
    timer_init(&v->periodic, periodic_fired, v);
    timer_init(&v->poll_timer, poll_fired, v);
}

void vtimer_resume(struct vcpu *v)
{
    /*
     * Not armed although there is a period: it fell due meanwhile.
     * MB(periodic:B): is_running was set by a locked operation before; pairs
     * with periodic:A.  One of the two looks sees what the other has done.
     */
    if (v->periodic_ns != 0 && READ_ONCE(v->periodic.slot) == 0) {
        periodic_tick(v);
    }
}

void vtimer_set_periodic(struct vcpu *v, uint64_t period_ns)
{
    WRITE_ONCE(v->periodic_ns, period_ns);
    if (period_ns == 0) {
        /* Due on a CPU that the vcpu has left: its guest would see it later. */
        timer_stop_sync(&v->periodic);
    } else {
        timer_set(&v->periodic, clock_now_ns() + period_ns);
    }
}

void vtimer_set_singleshot(struct vcpu *v, uint64_t deadline_ns)
{
    if (deadline_ns <= clock_now_ns()) {
        timer_stop(&v->singleshot);
        virq_raise(v, VIRQ_TIMER);
        return;
    }
    timer_set(&v->singleshot, deadline_ns);
}

void vtimer_stop_singleshot(struct vcpu *v)
{
    timer_stop_sync(&v->singleshot);
}

void vtimer_destroy(struct vcpu *v)
{
    v->periodic_ns = 0;
    timer_stop_sync(&v->singleshot);
    timer_stop_sync(&v->periodic);
    timer_stop_sync(&v->poll_timer);
}
