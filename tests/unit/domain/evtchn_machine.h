/* SPDX-License-Identifier: MIT */
/*
 * Two domains with their vcpus, shared pages and some machine frames, for the
 * tests of event channels: what domain/evtchn*.c calls, and counts of it.
 */
#ifndef VIGIL_TESTS_EVTCHN_MACHINE_H
#define VIGIL_TESTS_EVTCHN_MACHINE_H

#include "tests/unit/unit.h"

#include "domain/evtchn.h"
#include "domain/evtchn_impl.h"
#include "domain/virq.h"

#define PAGES 64
#define VCPUS 3

/* domid 1, which stands for the control domain too, and domid 2 */
extern struct domain dom_a, dom_b;
extern struct vcpu vcpus[2][VCPUS];
extern shared_info_t *si[2];

/* Upcalls marked and vcpus kicked, by domain and vcpu. */
extern unsigned int marks[2][VCPUS], kicks[2][VCPUS];
/* Called at each mark, if there is one. */
extern void (*on_mark)(void);
/* The timer that was set last, NULL: none; the test's to fire. */
extern struct timer *late_timer;
/* Holds on each machine frame. */
extern int held[PAGES];
extern unsigned int pirq_unbinds;
/* What pirq_bind() answers. */
extern int pirq_answer;

/* Fixtures: the frames once, domains fresh for each test. */
int evtchn_group_setup(void **state);
int evtchn_setup(void **state);
int evtchn_teardown(void **state);

/* All that evtchn_domain_free() frees. */
void evtchn_free(struct domain *d);
/* A machine frame's contents. */
void *page(unsigned int n);
/* A new port that only its own domain sends on; fails the test if none. */
evtchn_port_t ipi(struct domain *d, unsigned int vcpu);
/* Domain @i's port is set in the bitmap of the 2-level ABI. */
bool pending_2l(unsigned int i, evtchn_port_t port);

#endif
