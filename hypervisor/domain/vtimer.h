/* SPDX-License-Identifier: MIT */
/*
 * domain/vtimer.h - a vcpu's timers: single shot, periodic, poll timeout.
 */
#ifndef VIGIL_DOMAIN_VTIMER_H
#define VIGIL_DOMAIN_VTIMER_H

#include "domain/vcpu.h"

/* The shortest period a guest may ask for. */
#define VTIMER_PERIOD_MIN_NS 1000000ULL

/**
 * vtimer_init() - prepare a vcpu's timers, all stopped
 * @v: vcpu being created
 *
 * Context: any but NMI/#MC.
 */
void vtimer_init(struct vcpu *v);

/**
 * vtimer_set_periodic() - VIRQ_TIMER every @period_ns while it runs
 * @v:         vcpu
 * @period_ns: 0 stops: nothing of it is raised after the return; else at
 *             least VTIMER_PERIOD_MIN_NS
 *
 * Context: any but NMI/#MC; no lock that raising a VIRQ takes.
 */
void vtimer_set_periodic(struct vcpu *v, uint64_t period_ns);

/**
 * vtimer_resume() - a vcpu runs again: the tick it missed, and the next ones
 * @v: vcpu, is_running
 *
 * The periodic timer stops when it falls due while its vcpu does not run.
 * Context: any but NMI/#MC.
 */
void vtimer_resume(struct vcpu *v);

/**
 * vtimer_set_singleshot() - one VIRQ_TIMER
 * @v:           vcpu
 * @deadline_ns: system time; past: at once
 *
 * Context: any but NMI/#MC.
 */
void vtimer_set_singleshot(struct vcpu *v, uint64_t deadline_ns);

/**
 * vtimer_stop_singleshot() - nothing of it is raised after the return
 * @v: vcpu
 *
 * Context: any but NMI/#MC; no lock that raising a VIRQ takes.
 */
void vtimer_stop_singleshot(struct vcpu *v);

/**
 * vtimer_destroy() - no timer of this vcpu fires any more
 * @v: vcpu
 *
 * Context: any but NMI/#MC.
 */
void vtimer_destroy(struct vcpu *v);

#endif
