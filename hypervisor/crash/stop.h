/* SPDX-License-Identifier: MIT */
/*
 * crash/stop.h - stop every other CPU, in bounded time.
 *
 * For a panic, and before the machine is left in an orderly way.
 *
 * The dying CPU sets the stop request and sends an NMI to the others; each
 * NMI handler asks crash_stop_requested() before anything else, stores its
 * registers, and parks for ever.  A CPU that does not answer in time is sent INIT,
 * which takes it out of whatever it is in, but for the bootstrap processor: that
 * one would start the firmware.  It is named in the log.
 */
#ifndef VIGIL_CRASH_STOP_H
#define VIGIL_CRASH_STOP_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/percpu.h"
#include "x86/regs.h"

/* Socket: how to reach all other CPUs; plugged by boot/smp.c.  No locks. */
struct crash_stop_ops {
    cpumask_t (*others_online)(void); /* CPUs to wait for               */
    void (*nmi_others)(void);
    bool (*init)(cpu_t cpu); /* send INIT; false: that must not be done  */
};

/**
 * crash_stop_register() - plug in the way to reach the other CPUs
 * @ops: static storage
 *
 * Context: boot.
 * Return:  nothing.
 */
void crash_stop_register(const struct crash_stop_ops *ops);

/**
 * crash_stop_requested() - has another, dying CPU asked us to stop?
 *
 * Context: NMI.
 * Return:  true: call crash_stop_park()
 */
bool crash_stop_requested(void);

/**
 * crash_stop_began() - has any CPU asked the others to stop?
 *
 * From then on CPUs stand still for good, which is nothing to be alarmed at.
 *
 * Context: any.
 * Return:  true: dying, or leaving the machine
 */
bool crash_stop_began(void);

/**
 * crash_stop_park() - store this CPU's registers and stop for ever
 * @regs: interrupted context, or NULL
 *
 * Context: any.
 * Return:  never.
 */
void crash_stop_park(const struct cpu_regs *regs) NORETURN;

/**
 * crash_stop_others() - stop all other CPUs
 * @tsc_khz: TSC cycles per millisecond, 0 if unknown (a safe guess is used)
 *
 * Waits 250 ms for the next of them to answer, 500 ms at most, then sends INIT to
 * the rest, which takes 110 ms at most; prints nothing.  CPUs that are offline
 * stop too, unwaited for.
 *
 * Context: dying; or leaving the machine, log_hold() called.
 * Return:  number of CPUs that did not answer, also of those sent INIT
 */
unsigned int crash_stop_others(uint64_t tsc_khz);

/**
 * crash_stop_keep() - put where the stopped CPUs were into the black box
 *
 * Context: dying, once, after crash_stop_others().
 * Return:  nothing.
 */
void crash_stop_keep(void);

/**
 * crash_stop_print() - say where the stopped CPUs were
 *
 * Context: dying, after crash_stop_others().
 * Return:  nothing.
 */
void crash_stop_print(void);

#endif
