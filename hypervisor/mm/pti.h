/* SPDX-License-Identifier: MIT */
/*
 * mm/pti.h - page-table isolation: where a processor lets user mode read what
 * only the supervisor may (Meltdown), guests run on tables without our memory.
 *
 * Each CPU has an L4 of its own for that: a copy of the guest's, but that of our
 * slots it has the M2P and the domain's descriptors, and of slot 261 what the
 * doors need: this CPU's block, the descriptor tables, entry code.  Entry code
 * changes to the guest's real L4, which has all of us, and back
 * (entry/macros.h).  The copy follows the guest's on the way out; a guest that
 * another vcpu gave an entry meanwhile faults once and finds it.
 *
 * Nothing of ours is global then, for that would outlive the change.
 */
#ifndef VIGIL_MM_PTI_H
#define VIGIL_MM_PTI_H

#include "lib/compiler.h"
#include "x86/page.h"

extern bool pti_on; /* c: pti_init() */

/**
 * pti_init() - are guests to be isolated, some of them at least?
 * @on: cpu/spec_ctrl.c's choice
 *
 * Context: boot, before hvmap_init().
 */
void pti_init(bool on);

/**
 * pti_cpu_init() - the tables of one CPU
 * @cpu:   its number
 * @block: address of its block, mapped
 *
 * Nothing to do, or done before: 0.
 * Context: boot, for the first CPU; before it is started, for others.
 * Return:  0 or -ENOMEM
 */
int pti_cpu_init(cpu_t cpu, uint64_t block) MUST_CHECK;

/**
 * pti_follow() - let this CPU's copy be one of the tables it has loaded
 *
 * Context: on the way to a guest, interrupts off.
 */
void pti_follow(void);

/**
 * pti_l4_changed() - an L4 of some guest has another entry now
 *
 * Context: any; after the entry was stored, before a flush for it.
 */
void pti_l4_changed(void);

/**
 * pti_was_behind() - may a guest's fault come of a copy that is out of date?
 *
 * Context: a #PF of the guest that runs here, interrupts off or on.
 * Return:  true: it goes right when tried again
 */
bool pti_was_behind(void);

#endif
