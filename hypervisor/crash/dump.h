/* SPDX-License-Identifier: MIT */
/*
 * crash/dump.h - where is every CPU?  Each looks at its own stack.
 *
 * Whoever asks sends each CPU an NMI; the handler of each keeps a picture of
 * registers and return addresses (crash/picture.h) in memory of its CPU, and is
 * done.  So a stack is never read while it moves, and NMIs are blocked for a few
 * hundred instructions.  Who has asked waits for the pictures, not for long, and
 * puts them into words as they come, those of one CPU together.  The log needs no
 * lock, so all this works with any lock held and with interrupts off.  A CPU that
 * does not answer is named, and nothing else is lost.
 *
 *   asked --NMI--> picture --+--> words, by who asked
 *                            +--> round over: words, "late", by that CPU itself
 *                            +--> somebody dies: among the last words
 *
 * One round at a time; each has a number, and so has each picture.  Who asks and
 * does not come to an end, because it hangs itself, loses its turn.
 */
#ifndef VIGIL_CRASH_DUMP_H
#define VIGIL_CRASH_DUMP_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"
#include "log/record.h"

/* Enough for 64 CPUs that run; a stalled machine is not held up for longer. */
#define DUMP_LIMIT_NS   80000000ULL
/* For who asks out of curiosity: a busy emulator takes its time. */
#define DUMP_PATIENT_NS 1000000000ULL

/* No mask of CPUs: the one that asks always answers. */
#define DUMP_NOT_NOW (~(cpumask_t)0)

/**
 * dump_cpus() - where all online CPUs are, into the log
 * @level:    how severe the lines are
 * @regs:     in NMI context: what it interrupted on this CPU; else NULL
 * @limit_ns: how long to wait for the others, e.g. DUMP_LIMIT_NS
 *
 * The last line of the log says how many answered, and how long it took.  In NMI
 * context that is for who is about to die: it writes all lines with NMIs blocked.
 * Context: any, NMI included; with NULL any but NMI/#MC, NMIs not blocked.
 * Return:  CPUs that did not answer in time; DUMP_NOT_NOW: another round is on,
 *          and nothing was done, or this one was taken for one that hangs
 */
cpumask_t dump_cpus(enum log_level level, const struct cpu_regs *regs,
                    uint64_t limit_ns);

/**
 * dump_if_asked() - take this CPU's picture, if somebody has asked
 * @regs: interrupted context
 *
 * Late, it sets WORK_NMI: dump_say_late() is due.
 * Context: NMI.
 * Return:  true: this NMI was asked for by dump_cpus()
 */
bool dump_if_asked(const struct cpu_regs *regs);

/**
 * dump_is_late() - has a CPU a picture that came after its round, unsaid?
 * @cpu: number
 *
 * Context: any.
 * Return:  true: dump_say_late() has something to say
 */
bool dump_is_late(cpu_t cpu);

/**
 * dump_say_late() - put that into words
 * @cpu: number
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void dump_say_late(cpu_t cpu);

/**
 * dump_is_on() - is a round on?
 *
 * Context: any.
 * Return:  true: somebody waits for the CPUs
 */
bool dump_is_on(void);

#endif
