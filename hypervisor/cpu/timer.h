/* SPDX-License-Identifier: MIT */
/*
 * cpu/timer.h - deadline timers of a CPU.  Callbacks run in the timer
 * softirq: interrupts on, locks allowed, not in NMI/#MC.
 */
#ifndef VIGIL_CPU_TIMER_H
#define VIGIL_CPU_TIMER_H

#include "lib/compiler.h"
#include "lib/types.h"

#define TIMER_NEVER (~0ULL)

#define TIMERS_MAX 32767 /* of a CPU; domain/vcpu.c: vcpus up to a third */
#define TIMER_SLOTS_BYTES ((TIMERS_MAX + 1) * sizeof(struct timer *))

struct timer {
    uint64_t deadline_ns; /* system time; TIMER_NEVER while idle */
    unsigned int slot;    /* place in the heap, 0: not in it     */
    cpu_t cpu;            /* whose heap's lock guards all this   */
    void (*fn)(void *arg);
    void *arg;
};

/**
 * timer_init() - prepare a timer
 * @t:   timer
 * @fn:  called at or after the deadline, once for each timer_set()
 * @arg: given to @fn
 *
 * Context: any but NMI/#MC.
 */
void timer_init(struct timer *t, void (*fn)(void *arg), void *arg);

/**
 * timer_set() - (re)arm on this CPU
 * @t:           timer
 * @deadline_ns: system time (clock_now_ns()); past: fires at once
 *
 * Context: any but NMI/#MC.
 */
void timer_set(struct timer *t, uint64_t deadline_ns);

/**
 * timer_stop() - disarm
 * @t: timer
 *
 * Its callback may be running at this moment on another CPU.
 * Context: any but NMI/#MC.
 */
void timer_stop(struct timer *t);

/**
 * timer_stop_sync() - disarm; the callback neither runs nor will run
 * @t: timer; whoever may still set it does so seldom: it is stopped again
 *
 * Context: interrupts on, no lock held that the callback takes; not from it.
 */
void timer_stop_sync(struct timer *t);

/**
 * timer_count() - timers that are armed now, on all CPUs
 *
 * Context: any but NMI/#MC.
 * Return:  their number
 */
unsigned int timer_count(void);

/**
 * timer_take_from() - take over all timers of a CPU that is going
 * @cpu: another one, which runs no timers any more
 *
 * Context: any but NMI/#MC.
 */
void timer_take_from(cpu_t cpu);

/* What waits in a CPU's heap. */
struct timer_waiting {
    uint64_t deadline_ns;
    void (*fn)(void *arg);
};

/**
 * timer_list() - what timers of a CPU are set? (debug key a)
 * @cpu:      any that timer_cpu_init() was called on; another: none
 * @ret_list: the first one, and some of the others, in no order
 * @room:     how many @ret_list has room for
 *
 * Context: any but NMI/#MC.
 * Return:  how many are set, which may be more than @room
 */
unsigned int timer_list(cpu_t cpu, struct timer_waiting *ret_list,
                        unsigned int room);

/**
 * timer_cpu_init() - this CPU's timers, none yet
 * @slots: TIMER_SLOTS_BYTES of memory for good, or NULL on the first CPU;
 *         not looked at when the CPU has been here before
 *
 * Context: boot, on each CPU.
 */
void timer_cpu_init(void *slots);

/**
 * timer_run() - softirq handler: run what is due, arm the LAPIC for the rest
 *
 * Context: softirq.
 */
void timer_run(void);

#endif
