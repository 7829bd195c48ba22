/* SPDX-License-Identifier: MIT */
/*
 * cpu/tsc_sync.c - do two CPUs' time stamp counters agree?
 *
 * What one CPU read is written under a lock before the other reads its own
 * counter, so in order of the lock the values may only grow.
 */
#include "cpu/tsc_sync.h"

#include "cpu/smp.h"
#include "log/printk.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/tsc.h"

#define ROUNDS 300
/* A CPU may be elsewhere (its emulator's thread); the other does not wait long. */
#define MEET_LOOKS 1000000U

/* One check at a time: smp_call() sees to that. */
static struct {
    uint32_t lock;
    uint32_t arrived;
    uint64_t last, behind; /* under lock */
} meeting;

static void take_turns(void *unused)
{
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
            meeting.behind = MAX(meeting.behind, meeting.last - now);
        } else {
            meeting.last = now;
        }
        atomic_store(&meeting.lock, 0U);
    }
}

uint64_t tsc_sync_check(cpu_t cpu)
{
    meeting.arrived = 0;
    meeting.last = meeting.behind = 0;
    smp_call(CPUMASK_OF(this_cpu_id()) | CPUMASK_OF(cpu), take_turns, NULL);
    if (meeting.behind != 0) {
        pr_warn("cpu: the TSCs of CPU %u and CPU %u differ by %lu cycles: time "
                "may go backwards for who moves between them", this_cpu_id(),
                cpu, (unsigned long)meeting.behind);
    }
    return meeting.behind;
}
