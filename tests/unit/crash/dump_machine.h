/* SPDX-License-Identifier: MIT */
/*
 * dump_machine.h - CPUs whose NMIs come at once, late or never, for tests of
 * crash/dump; and places where something else may happen in the middle.
 */
#ifndef VIGIL_UNIT_DUMP_MACHINE_H
#define VIGIL_UNIT_DUMP_MACHINE_H

#include "tests/unit/unit.h"

#include "lib/types.h"
#include "x86/regs.h"

#define CPUS  4U
#define LIMIT 1000000U

extern cpumask_t dead; /* their NMI does not come            */
extern cpumask_t sent; /* were sent one                      */
extern uint64_t now_ns;
extern bool asks_again; /* whoever answers asks, too          */

extern uint64_t stack; /* return addresses: this, and 0x11 more each */
extern unsigned int frames;
extern struct cpu_regs in_hv; /* what is interrupted, but on CPU 2 */

/*
 * What happens in the middle of something, once: while a picture is taken, while it
 * is put into words, when the clock is read, and before one of the next locked
 * operations.
 */
extern void (*in_walk)(void), (*in_words)(void), (*in_wait)(void);
extern void (*in_step)(void);
extern unsigned int steps; /* which of them: 1 is the next */

/**
 * forget() - the lines up to now
 *
 * Context: test.
 * Return:  nothing.
 */
void forget(void);

/**
 * last_words() - of who dies: forget, and have them written
 *
 * Context: test.
 * Return:  nothing.
 */
void last_words(void);

/**
 * nmi_of() - the NMI of a CPU comes at last
 * @cpu: its number; it was asked
 *
 * Context: test.
 * Return:  nothing; cpu_block.work says what it leaves to be done
 */
void nmi_of(unsigned int cpu);

/**
 * add_cpus() - as many are online
 * @count: up to NR_CPUS
 *
 * Context: test.
 * Return:  nothing.
 */
void add_cpus(unsigned int count);

/**
 * set_up() - CPUS CPUs, CPU 2 in a guest, all alive, nothing in the middle
 * @state: cmocka's
 *
 * Context: test.
 * Return:  0
 */
int set_up(void **state);

#endif
