/* SPDX-License-Identifier: MIT */
/*
 * domain/sched.h - the run queue of a pcpu.  Decides, never switches:
 * entry/work_exit.c asks sched_pick() and switches.
 */
#ifndef VIGIL_DOMAIN_SCHED_H
#define VIGIL_DOMAIN_SCHED_H

#include "domain/vcpu.h"

#define SCHED_SLICE_NS 10000000ULL

/**
 * sched_init() - empty queues; plugs nothing
 *
 * Context: boot.
 */
void sched_init(void);

/**
 * sched_wake() - a vcpu has become able to run
 * @v: vcpu with hold == 0
 *
 * Context: any but NMI/#MC.
 */
void sched_wake(struct vcpu *v);

/**
 * sched_sleep() - a vcpu may no longer run
 * @v: vcpu with hold != 0
 *
 * Context: any but NMI/#MC.
 */
void sched_sleep(struct vcpu *v);

/**
 * sched_yield() - the current vcpu gives up its slice
 *
 * Context: hypercall.
 */
void sched_yield(void);

/**
 * sched_pick() - whom should this pcpu run now?
 *
 * Arms the slice timer.
 * Context: exit path, interrupts off.
 * Return:  vcpu with hold == 0, or NULL for idle
 */
struct vcpu *sched_pick(void);

#endif
