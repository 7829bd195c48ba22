/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/dev/irq_machine.h - one IO-APIC, messages, a timer and a clock for
 * the tests of dev/irq.
 */
#ifndef VIGIL_TESTS_IRQ_MACHINE_H
#define VIGIL_TESTS_IRQ_MACHINE_H

#include "tests/unit/unit.h"

#include "cpu/timer.h"
#include "dev/ioapic.h"
#include "dev/irq.h"
#include "dev/irq_impl.h"
#include "fake_hw.h"

#define PINS 24

/* Of each pin: how it was routed, is it masked, the local APIC it goes to. */
extern struct ioapic_route routes[PINS];
extern bool masked[PINS];
extern uint32_t targets[PINS];
/* How often; handled: calls of handler(). */
extern unsigned int eois, handled, message_masks, message_moves;
extern bool message_masked, message_maskable;
extern bool masked_at_eoi; /* pin 9, at the last end of interrupt */
extern uint64_t now_ns;
extern struct timer *timer; /* the one that runs, or ran last */

/* To bind, with &handled. */
void handler(void *arg);

/* The set-up of each test: one CPU, nothing bound, pin 9 level by the tables. */
int irq_machine_setup(void **state);

/* An interrupt on this CPU, and what it raises. */
void dispatch(unsigned int vector);

/* @count messages without a device.  Return: that of irq_vectors_take(). */
int make_messages(unsigned int first, unsigned int count, bool is_msix);

#endif
