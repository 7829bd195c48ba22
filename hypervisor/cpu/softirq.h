/* SPDX-License-Identifier: MIT */
/*
 * cpu/softirq.h - deferred work of a CPU; a socket: upper floors plug in one
 * handler each.  Run on the way out to the guest and in the idle loop.
 */
#ifndef VIGIL_CPU_SOFTIRQ_H
#define VIGIL_CPU_SOFTIRQ_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/percpu.h"

enum softirq {
    SOFTIRQ_TIMER,
    SOFTIRQ_IRQ,     /* send events of physical irqs   */
    SOFTIRQ_CONSOLE, /* serial input, log drain        */
    SOFTIRQ_RAS,     /* poll machine-check banks       */
    SOFTIRQ_SCHED,   /* always last: may switch        */
    SOFTIRQ_COUNT,
};

/**
 * softirq_plug() - set the handler of a softirq
 * @nr: which
 * @fn: called with interrupts on
 *
 * Context: boot, once each.
 */
void softirq_plug(enum softirq nr, void (*fn)(void));

/**
 * softirq_raise() - ask for a softirq on this CPU
 * @nr: which
 *
 * Context: any but NMI/#MC (those set work bits).
 */
void softirq_raise(enum softirq nr);

/**
 * softirq_raise_on() - ask for a softirq on any CPU
 * @cpu: online; another one is interrupted, so that it looks
 * @nr:  which
 *
 * Context: any but NMI/#MC.
 */
void softirq_raise_on(cpu_t cpu, enum softirq nr);

/**
 * softirq_run() - run what is pending on this CPU, all but SCHED
 *
 * Context: main stack, interrupts on, no lock held.
 */
void softirq_run(void);

static inline bool softirq_pending(void)
{
    return READ_ONCE(this_cpu()->softirq) != 0;
}

#endif
