/* SPDX-License-Identifier: MIT */
/*
 * cpu/tsc_sync.c - do two CPUs' time stamp counters agree?  Make them.
 *
 * What one CPU read is written under a lock before the other reads its own
 * counter, so in order of the lock the values may only grow.
 *
 * A counter that differs was written by firmware, or began at another moment.
 * IA32_TSC_ADJUST (SDM 3, 18.17.3) has what was written: taking it away leaves
 * counters that began together.  What remains is measured.  The lag seen is too
 * small by the time that the lock takes from one CPU to the other, so after a
 * correction by it no lag is seen that anybody could see.
 */
#include "cpu/tsc_sync.h"

#include "cpu/features.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "log/printk.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/msr.h"
#include "x86/tsc.h"

#define ROUNDS 300
/* A CPU may be elsewhere (its emulator's thread); the other does not wait long. */
#ifndef MEET_LOOKS
#define MEET_LOOKS 1000000U
#endif
#define CORRECTIONS 5

/* One check at a time: smp_call() sees to that. */
static struct {
    cpu_t other;
    uint32_t lock;
    uint32_t arrived;
    uint64_t last;      /* under lock */
    uint64_t behind[2]; /* under lock: who asks, the other */
} meeting;

static void take_turns(void *unused)
{
    uint64_t *behind = &meeting.behind[this_cpu_id() == meeting.other];

    (void)unused;
    (void)atomic_add(&meeting.arrived, 1U);
    for (unsigned int i = 0;
         i < MEET_LOOKS && atomic_load(&meeting.arrived) < 2; i++) {
        cpu_relax();
    }
    for (unsigned int i = 0; i < ROUNDS; i++) {
        uint64_t now;

        while (!atomic_cas(&meeting.lock, 0U, 1U)) {
            cpu_relax();
        }
        now = rdtsc_ordered();
        if (now < meeting.last) {
            *behind = MAX(*behind, meeting.last - now);
        } else {
            meeting.last = now;
        }
        atomic_store(&meeting.lock, 0U);
    }
}

/* Return: cycles by which one was seen behind the other. */
static uint64_t compare(cpu_t cpu)
{
    meeting.other = cpu;
    meeting.arrived = 0;
    meeting.last = meeting.behind[0] = meeting.behind[1] = 0;
    smp_call(CPUMASK_OF(this_cpu_id()) | CPUMASK_OF(cpu), take_turns, NULL);
    return MAX(meeting.behind[0], meeting.behind[1]);
}

/* Deadlines that were set by the old counter are set anew. */
static void write_counter(uint32_t msr, uint64_t value)
{
    /* Refused or without effect: seen by the next comparison. */
    (void)wrmsr_safe(msr, value);
    softirq_raise(SOFTIRQ_TIMER);
}

static void take_adjust(void *arg)
{
    const uint64_t *adjust = arg;

    write_counter(MSR_TSC_ADJUST, *adjust);
}

static void shift_counter(void *arg)
{
    const int64_t *cycles = arg;

    if (cpu_features.tsc_adjust) {
        write_counter(MSR_TSC_ADJUST,
                      rdmsr(MSR_TSC_ADJUST) + (uint64_t)*cycles);
    } else {
        write_counter(MSR_TSC, rdtsc_ordered() + (uint64_t)*cycles);
    }
}

uint64_t tsc_sync(cpu_t cpu)
{
    uint64_t first = compare(cpu), left = first;

    if (first == 0) {
        return 0;
    }
    if (cpu_features.tsc_adjust) {
        uint64_t adjust = rdmsr(MSR_TSC_ADJUST);

        smp_call(CPUMASK_OF(cpu), take_adjust, &adjust);
        left = compare(cpu);
    }
    for (unsigned int n = 0; left != 0 && n < CORRECTIONS; n++) {
        /* A write comes late by what it takes itself: again, and by more. */
        int64_t cycles = (int64_t)(meeting.behind[1] - meeting.behind[0]) *
                         (int64_t)(n + 1);

        smp_call(CPUMASK_OF(cpu), shift_counter, &cycles);
        left = compare(cpu);
    }
    /* One that runs at another rate agreed for a moment. */
    left = left != 0 ? left : compare(cpu);
    if (left != 0) {
        pr_warn("cpu: the TSCs of CPU %u and CPU %u differ by %lu cycles: time "
                "may go backwards for who moves between them", this_cpu_id(),
                cpu, (unsigned long)left);
    } else {
        pr_info("cpu: the TSC of CPU %u differed by %lu cycles from CPU %u's, "
                "and was set", cpu, (unsigned long)first, this_cpu_id());
    }
    return left;
}
