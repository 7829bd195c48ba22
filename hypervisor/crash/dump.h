/* SPDX-License-Identifier: MIT */
/*
 * crash/dump.h - where is every CPU?  Each writes its own stack.
 *
 * Whoever asks sets a bit for each CPU and sends it an NMI; the handler of each
 * writes registers and return addresses, with names, into the log, which needs
 * no lock.  So it works with any lock held and with interrupts off, and a stack
 * is never read while it moves.  Whoever asks waits, but not for long: a CPU
 * that does not answer is named, and nothing else is lost.
 *
 *   asked    the CPU has an NMI under way; its handler takes the bit
 *   pending  it has not finished its lines
 *
 * One round at a time.  A CPU that answers after its round is over writes its
 * lines all the same.
 */
#ifndef VIGIL_CRASH_DUMP_H
#define VIGIL_CRASH_DUMP_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "log/record.h"
#include "x86/regs.h"

/* Enough for 64 CPUs that run; a stalled machine is not held up for longer. */
#define DUMP_LIMIT_NS   80000000ULL
/* For who asks out of curiosity: a busy emulator takes its time. */
#define DUMP_PATIENT_NS 1000000000ULL

/* No mask of CPUs: the one that asks always answers. */
#define DUMP_NOT_NOW (~(cpumask_t)0)

/**
 * dump_cpus() - all online CPUs write where they are
 * @level:    how severe the lines are
 * @regs:     in NMI context: what it interrupted on this CPU; else NULL
 * @limit_ns: how long to wait for the others, e.g. DUMP_LIMIT_NS
 *
 * The last line of the log says how many answered, and how long it took.
 * Context: any, NMI included; with NULL any but NMI/#MC, NMIs not blocked.
 * Return:  CPUs that did not answer in time; DUMP_NOT_NOW: another round is on,
 *          and nothing was done
 */
cpumask_t dump_cpus(enum log_level level, const struct cpu_regs *regs,
                    uint64_t limit_ns);

/**
 * dump_if_asked() - write this CPU's lines, if a round is on
 * @regs: interrupted context
 *
 * Context: NMI.
 * Return:  true: this NMI was asked for by dump_cpus()
 */
bool dump_if_asked(const struct cpu_regs *regs);

/**
 * dump_is_on() - is a round on?
 *
 * Context: any.
 * Return:  true: somebody waits for the CPUs
 */
bool dump_is_on(void);

#endif
