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

struct timer {
    uint64_t deadline_ns; /* system time; TIMER_NEVER while idle */
    unsigned int slot;    /* place in the heap, 0: not in it     */
    cpu_t cpu;            /* CPU whose heap it is in             */
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
 * timer_stop() - disarm; the callback does not run afterwards
 * @t: timer
 *
 * Context: any but NMI/#MC.
 */
void timer_stop(struct timer *t);

/**
 * timer_cpu_init() - empty heap for this CPU
 *
 * Context: boot.
 */
void timer_cpu_init(void);

/**
 * timer_run() - softirq handler: run what is due, arm the LAPIC for the rest
 *
 * Context: softirq.
 */
void timer_run(void);

#endif
