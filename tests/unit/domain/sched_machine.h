/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/domain/sched_machine.h - CPUs that run vcpus in simulated time.
 *
 * What domain/sched*.c call is here: a clock, timers, softirqs, a heap.  The
 * CPUs do what entry/work_exit.c and pv/switch.c do, with a hook between the
 * decision and the moment the old vcpu is saved, where other CPUs act.
 *
 * A vcpu's program: work so long, sleep so long, over and over; no sleep is a
 * hog.  After each step the rules are checked that hold always:
 *
 *  - a vcpu is on one CPU at most, and only where its hard affinity allows;
 *  - no CPU takes one up that is not saved;
 *  - who is able to run is queued, parked, on a CPU or on its way to one.
 */
#ifndef VIGIL_TESTS_SCHED_MACHINE_H
#define VIGIL_TESTS_SCHED_MACHINE_H

#include "tests/unit/unit.h"

#include "domain/sched.h"
#include "domain/sched_impl.h"

#define US 1000ULL
#define MS 1000000ULL
#define S  1000000000ULL

#define SIM_VCPUS 64

struct sim_vcpu {
    struct vcpu v;
    uint64_t work_ns, sleep_ns; /* its program                            */
    uint64_t left_ns;           /* of the burst it is in                  */
    uint64_t wakes_at_ns;       /* while it sleeps                        */
    uint64_t woken_at_ns;       /* the last time                          */
    uint64_t waited_most_ns;    /* from waking to running                 */
    uint64_t got_ns;            /* on a CPU, by our own account           */
    uint64_t taken_up;          /* how often a CPU switched to it         */
    int on_cpu;                 /* -1: none                               */
};

extern uint64_t sim_now;
extern unsigned int sim_cpus, sim_vcpus;
extern struct sim_vcpu sim_vcpu[SIM_VCPUS];
/* Called between sched_pick() and the saving of the old vcpu; may be NULL. */
extern void (*sim_between)(unsigned int cpu);
/* Checked too: no CPU idles for longer than this while somebody waits. */
extern uint64_t sim_idle_limit_ns;

/* A machine with so many CPUs and nobody on it. */
void sim_begin(unsigned int cpus);
/* Everything goes; checks that the runstates of all add up. */
void sim_end(void);

/* A domain with @vcpus of one program each, asleep until sim_start(). */
struct domain *sim_domain(unsigned int vcpus, uint64_t work_ns,
                          uint64_t sleep_ns);
void sim_start(struct domain *d);

/* Hold and release, as vcpu.c does. */
void sim_hold(struct vcpu *v, uint32_t why);
void sim_release(struct vcpu *v, uint32_t why);

/* Let time go by. */
void sim_run(uint64_t ns);
/* Let all CPUs do what they have been asked for, at this instant. */
void sim_settle(void);
/* Act as this CPU from now on. */
void sim_on(unsigned int cpu);

/* What a domain's vcpus have got since the last sim_reset_counts(). */
uint64_t sim_got(const struct domain *d);
void sim_reset_counts(void);

#define sim_of(vcpu) container_of(vcpu, struct sim_vcpu, v)

/* @got is @want within so many per cent of it. */
#define assert_about(got, want, percent)                                       \
    do {                                                                       \
        uint64_t got_ = (got), want_ = (want);                                 \
        if (got_ * 100 < want_ * (100 - (percent)) ||                          \
            got_ * 100 > want_ * (100 + (percent))) {                          \
            fail_msg("%s is %llu us, not %llu us within %d %%", #got,          \
                     (unsigned long long)(got_ / US),                          \
                     (unsigned long long)(want_ / US), (percent));             \
        }                                                                      \
    } while (0)

#endif
