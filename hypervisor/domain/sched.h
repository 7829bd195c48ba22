/* SPDX-License-Identifier: MIT */
/*
 * domain/sched.h - the run queues of the CPUs.  Decides, never switches:
 * entry/work_exit.c asks sched_pick(), switches, and calls
 * sched_after_switch().
 *
 * All but those two may be called on any CPU, for any vcpu.  sched_impl.h
 * describes the order of a queue, docs/states.md how a vcpu changes CPUs.
 */
#ifndef VIGIL_DOMAIN_SCHED_H
#define VIGIL_DOMAIN_SCHED_H

#include "domain/vcpu.h"

/* Who has waited is looked at after that, if nothing happens before. */
#define SCHED_SLICE_NS 10000000ULL
/* A vcpu that wakes lets the one that runs run that long. */
#define SCHED_RATELIMIT_DEFAULT_US 500U

/**
 * sched_init() - begin with this CPU
 * @cpus: CPU numbers there may ever be, 1 .. NR_CPUS
 *
 * Context: boot, before the first domain.
 */
void sched_init(unsigned int cpus);

/**
 * sched_cpu_up() - a CPU takes part from now on
 * @cpu: number, below what sched_init() was told; its cpu_block is there
 *
 * Context: any but NMI/#MC; on any CPU.
 */
void sched_cpu_up(cpu_t cpu);

/**
 * sched_cpu_down() - a CPU takes no part any more
 * @cpu: number
 *
 * Whoever is queued there goes elsewhere, whoever runs there at the next exit;
 * a vcpu whose hard affinity has only CPUs that are gone may run on all from
 * then on, with a message, as under Xen.  Vcpus that sleep move when they wake.
 * Context: any but NMI/#MC, interrupts on; on any CPU.
 * Return:  0; -EAGAIN somebody is still on it: call again; -EBUSY the last one
 */
int sched_cpu_down(cpu_t cpu) MUST_CHECK;

/**
 * sched_cpu_is_used() - does a CPU run vcpus?
 * @cpu: any number
 *
 * Context: any.
 * Return:  true: between sched_cpu_up() and sched_cpu_down()
 */
bool sched_cpu_is_used(cpu_t cpu);

/**
 * sched_cpus_used() - the CPUs that run vcpus
 *
 * Context: any.
 * Return:  their set
 */
cpumask_t sched_cpus_used(void);

/**
 * sched_domain_init() - a new domain's weight and cap, the usual ones
 * @d: domain without vcpus
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ENOMEM
 */
int sched_domain_init(struct domain *d) MUST_CHECK;

/**
 * sched_domain_free() - the last of them
 * @d: domain whose vcpus are asleep for good, and not freed yet
 *
 * Context: interrupts on, no lock held.
 */
void sched_domain_free(struct domain *d);

/**
 * sched_vcpu_init() - a new vcpu: asleep, at home on some CPU, all affinity
 * @v: vcpu, its domain set
 *
 * Context: any but NMI/#MC.
 */
void sched_vcpu_init(struct vcpu *v);

/**
 * sched_wake() - a vcpu has become able to run
 * @v: vcpu whose hold became 0
 *
 * Looks at hold again: it may have changed meanwhile.  Another CPU that is to
 * run it is interrupted.
 * Context: any but NMI/#MC.
 */
void sched_wake(struct vcpu *v);

/**
 * sched_sleep() - a vcpu may no longer run
 * @v: vcpu whose hold was 0
 *
 * Does not wait for another CPU that runs it: vcpu_is_off() tells when it is
 * done.
 * Context: any but NMI/#MC.
 */
void sched_sleep(struct vcpu *v);

/**
 * sched_yield() - the current vcpu lets those that wait go first
 *
 * Context: hypercall.
 */
void sched_yield(void);

/**
 * sched_pick() - whom should this CPU run now?
 *
 * Accounts the time of the one before, sets runstates, arms the slice timer.
 * Context: exit path, interrupts off.
 * Return:  vcpu with hold == 0, or NULL for idle
 */
struct vcpu *sched_pick(void);

/**
 * sched_after_switch() - the vcpu this CPU ran before has been saved
 *
 * Whoever could not leave this CPU while that was not so goes now.
 * Context: exit path, interrupts off, right after pv_switch_to().
 */
void sched_after_switch(void);

/**
 * sched_set_affinity() - where may a vcpu run, and where would it rather?
 * @v:    vcpu
 * @hard: CPUs it may run on; it is moved if it is elsewhere
 * @soft: CPUs it prefers among them
 *
 * Context: any but NMI/#MC, no lock above rank LOCK_RANK_SCHED_CPUS held.
 * Return:  0; -EINVAL no CPU in use is among @hard
 */
int sched_set_affinity(struct vcpu *v, cpumask_t hard,
                       cpumask_t soft) MUST_CHECK;

/**
 * sched_get_share() - a domain's weight and cap
 * @d:          domain
 * @ret_weight: weight, 256 usual
 * @ret_cap:    per cent of one CPU, 0 none
 *
 * Context: any.
 */
void sched_get_share(const struct domain *d, uint16_t *ret_weight,
                     uint16_t *ret_cap);

/**
 * sched_set_share() - change a domain's weight and cap
 * @d:      domain
 * @weight: shares are in proportion to it; not 0
 * @cap:    per cent of one CPU for all its vcpus together, 0 none
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL weight is 0
 */
int sched_set_share(struct domain *d, uint16_t weight,
                    uint16_t cap) MUST_CHECK;

/**
 * sched_reslice() - let the scheduler look at a vcpu that runs
 * @v: vcpu, in any state
 *
 * Context: any but NMI/#MC.
 */
void sched_reslice(struct vcpu *v);

/**
 * sched_set_ratelimit() - how long may a vcpu run before one that wakes?
 * @us: microseconds, 100 to 500000, or 0: no time at all
 *
 * Context: any.
 * Return:  0; -EINVAL out of range
 */
int sched_set_ratelimit(uint32_t us) MUST_CHECK;

/**
 * sched_ratelimit_us() - what sched_set_ratelimit() set last
 *
 * Context: any.
 * Return:  microseconds
 */
uint32_t sched_ratelimit_us(void);

/* A queue at one moment. */
struct sched_queue_state {
    bool is_idle;
    domid_t domid;           /* who runs, unless idle             */
    uint32_t vcpu_id;
    uint32_t ready;          /* vcpus that wait                   */
    uint32_t movable;        /* of these may run elsewhere        */
    uint64_t clock_ns;       /* virtual                           */
    uint64_t slice_end_ns;   /* system time; ~0: it has no end    */
};

/**
 * sched_queue_state() - look at a CPU's queue (debug key r)
 * @cpu:       CPU number, sched_cpu_is_used()
 * @ret_state: filled in
 *
 * Context: any but NMI/#MC.
 */
void sched_queue_state(cpu_t cpu, struct sched_queue_state *ret_state);

/**
 * sched_idle_ns() - time a CPU had nothing to run since it is up
 * @cpu: number of a CPU that is or was in use
 *
 * Context: any but NMI/#MC.
 * Return:  ns
 */
uint64_t sched_idle_ns(cpu_t cpu);

#endif
