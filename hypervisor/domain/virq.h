/* SPDX-License-Identifier: MIT */
/*
 * domain/virq.h - virtual interrupts: events that the hypervisor is the
 * source of.
 *
 * Per-vcpu ones (timer, debug, profiling) go to the vcpu concerned.  Global
 * ones go to the domain that handles them, by default the control domain.
 */
#ifndef VIGIL_DOMAIN_VIRQ_H
#define VIGIL_DOMAIN_VIRQ_H

#include "domain/domain.h"
#include "domain/vcpu.h"

/**
 * virq_init() - plug the softirqs from which events are sent
 *
 * Calls pirq_init().
 *
 * Context: boot, before the first domain.
 * Return:  nothing.
 */
void virq_init(void);

/**
 * virq_is_global() - one for the machine, or one for each vcpu?
 * @virq: 0 .. NR_VIRQS - 1
 *
 * Context: any.
 * Return:  true: one for the machine
 */
bool virq_is_global(unsigned int virq);

/**
 * virq_raise() - raise a per-vcpu virq
 * @v:    vcpu
 * @virq: VIRQ_TIMER, VIRQ_DEBUG, ...; unbound: nothing happens
 *
 * Context: any but NMI/#MC and interrupt handlers.
 * Return:  nothing.
 */
void virq_raise(struct vcpu *v, unsigned int virq);

/**
 * virq_raise_global() - raise a global virq in the domain that handles it
 * @virq: VIRQ_DOM_EXC, VIRQ_CONSOLE, VIRQ_MCA, ...; unbound: nothing happens
 *
 * Context: any but NMI/#MC and interrupt handlers.
 * Return:  nothing.
 */
void virq_raise_global(unsigned int virq);

/**
 * virq_set_handler() - choose the domain that handles a global virq
 * @virq: global
 * @d:    domain; the control domain restores the default
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL not a global virq, or a dying domain
 */
int virq_set_handler(unsigned int virq, struct domain *d) MUST_CHECK;

/**
 * virq_get_handler() - which domain handles a global virq
 * @virq: global
 *
 * Context: any but NMI/#MC.
 * Return:  its domid; the control domain's by default
 */
domid_t virq_get_handler(unsigned int virq);

/**
 * virq_forget_domain() - a domain is dying: it handles nothing any more
 * @d: domain
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void virq_forget_domain(struct domain *d);

#endif
