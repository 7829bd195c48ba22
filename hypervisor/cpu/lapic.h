/* SPDX-License-Identifier: MIT */
/*
 * cpu/lapic.h - the local APIC (xAPIC, memory mapped at FIXMAP_LAPIC_VA).
 */
#ifndef VIGIL_CPU_LAPIC_H
#define VIGIL_CPU_LAPIC_H

#include "lib/compiler.h"
#include "lib/types.h"

/* Vectors the hypervisor keeps for itself; device vectors lie below. */
#define VECTOR_FIRST_DYNAMIC 0x31
#define VECTOR_LAST_DYNAMIC 0xef
#define VECTOR_TIMER 0xf0
#define VECTOR_RESCHEDULE 0xf1 /* look at work and softirqs on the way out */
#define VECTOR_CALL 0xf2
#define VECTOR_SPURIOUS 0xff

/**
 * lapic_init() - enable this CPU's local APIC
 *
 * Masks every LVT entry but LINT1 (NMI) and the error one; LINT0 masked.
 * Context: boot, the LAPIC page is mapped at FIXMAP_LAPIC_VA.
 */
void lapic_init(void);

/**
 * lapic_calibrate() - measure the timer's frequency against the TSC
 *
 * Context: boot, after clock_init(), interrupts off.
 */
void lapic_calibrate(void);

/**
 * lapic_eoi() - end of interrupt
 *
 * Context: interrupt.
 */
void lapic_eoi(void);

/**
 * lapic_id() - this CPU's APIC id
 *
 * Context: any.
 * Return:  xAPIC id, 8 bits
 */
uint32_t lapic_id(void);

/**
 * lapic_timer_arm() - one interrupt (VECTOR_TIMER) after a delay
 * @delay_ns: from now; TIMER_NEVER stops the timer
 *
 * Context: interrupts off.
 */
void lapic_timer_arm(uint64_t delay_ns);

/**
 * lapic_self_ipi() - interrupt this CPU
 * @vector: e.g. VECTOR_RESCHEDULE
 *
 * NMI-safe: one register write, saved ICR2 untouched (shorthand).
 * Context: any.
 */
void lapic_self_ipi(uint8_t vector);

/**
 * lapic_self_nmi() - send this CPU a real NMI
 *
 * Context: any but NMI/#MC.
 */
void lapic_self_nmi(void);

#endif
