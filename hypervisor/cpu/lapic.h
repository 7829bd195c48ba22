/* SPDX-License-Identifier: MIT */
/*
 * cpu/lapic.h - the local APIC: xAPIC, mapped at FIXMAP_LAPIC_VA, or x2APIC
 * where the processor has it (SDM 3A chapter 11).
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
 * Masks every LVT entry but LINT1, which is NMI on the first CPU
 * (lapic_take_nmi_line()).
 * Switches to x2APIC mode where there is one.  Fills in cpu_block.apic_id.
 * Context: boot, on each CPU; the LAPIC page is mapped at FIXMAP_LAPIC_VA.
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
 * Return:  8 bits, in x2APIC mode 32
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
 * lapic_send() - interrupt another CPU, or this one
 * @apic_id: of a CPU that takes interrupts
 * @vector:  e.g. VECTOR_RESCHEDULE
 *
 * Context: any but NMI/#MC.
 */
void lapic_send(uint32_t apic_id, uint8_t vector);

/**
 * lapic_send_init() - reset another CPU; it then waits for lapic_send_startup()
 * @apic_id: CPU; the bootstrap processor would start the firmware
 *
 * Context: any but NMI/#MC, unless dying.
 */
void lapic_send_init(uint32_t apic_id);

/**
 * lapic_send_startup() - let a CPU begin, in real mode
 * @apic_id: CPU that waits
 * @page:    number of the page below 1 MiB it begins in
 *
 * Context: any but NMI/#MC.
 */
void lapic_send_startup(uint32_t apic_id, uint8_t page);

/**
 * lapic_nmi_others() - a real NMI for every CPU but this one
 *
 * By a shorthand, so that an interrupted lapic_send() comes to no harm.
 * Context: any, dying included.
 */
void lapic_nmi_others(void);

/**
 * lapic_nmi() - a real NMI for one CPU
 * @apic_id: of a CPU that has its interrupt table
 *
 * What an interrupted lapic_send() has written is put back.
 * Context: any, NMI too.
 */
void lapic_nmi(uint32_t apic_id);

/**
 * lapic_is_x2() - is the local APIC reached by MSRs?
 *
 * Context: any, after lapic_init().
 * Return:  true: x2APIC mode
 */
bool lapic_is_x2(void);

/**
 * lapic_bootstrap_cpu() - which CPU begins in the firmware after INIT?
 *
 * The one whose IA32_APIC_BASE says so; the first if none does.  They need not be
 * the same where the hypervisor was started by another kernel (kexec).
 *
 * Context: any.
 * Return:  its number
 */
cpu_t lapic_bootstrap_cpu(void);

/**
 * lapic_take_nmi_line() - answer to the machine's NMI line, LINT1, or do not
 * @take: which
 *
 * Context: any but NMI/#MC; of this CPU.
 */
void lapic_take_nmi_line(bool take);

/**
 * lapic_take_pmu() - let the performance counters' interrupt be an NMI, or none
 * @take: which
 *
 * Context: any, NMI included; of this CPU.
 */
void lapic_take_pmu(bool take);

/**
 * lapic_self_nmi() - send this CPU a real NMI
 *
 * Context: any but NMI/#MC.
 */
void lapic_self_nmi(void);

#endif
