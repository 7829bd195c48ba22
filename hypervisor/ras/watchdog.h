/* SPDX-License-Identifier: MIT */
/*
 * ras/watchdog.h - a CPU that hangs is noticed.
 *
 * Each CPU has a heart, cpu_block.heartbeat: a timer of its own moves it, from a
 * softirq, four times in a time-out.  So it stands still on a CPU that takes no
 * interrupts, or never comes to the end of what it does.  It is looked at
 *
 *   by an NMI, four times in a time-out: on CPU 0 all hearts, or, where each CPU
 *     has NMIs of its own, its own
 *   by each CPU when its own heart beats: that of its neighbour
 *
 * A heart that stands still for four looks of the first kind, or five of the
 * second, has stopped.  Looks are counted, not just time, so that a machine that
 * was elsewhere (a busy emulator, firmware) is not taken for a hanging one.
 * Then the log gets where all CPUs are (crash/dump.h), and the one that hangs
 * panics, if it still takes NMIs, so that the record is of its registers; else
 * the one that noticed does.
 *
 * If it is only to be reported, whoever looks from outside an NMI does that, and
 * behind one that hangs looks at the next, too: words take long, and NMIs are
 * blocked in one.  The NMI writes only where no heart beats (known limit 41).
 *
 * Where the machine has a watchdog of its own (dev/i6300esb.h) it is fed by CPU
 * 0 while all hearts beat, and resets the machine after three time-outs, which
 * leaves the black box.
 *
 * Code that keeps a CPU busy for seconds and is right to do so moves the heart
 * itself now and then: this_cpu()->heartbeat++.
 */
#ifndef VIGIL_RAS_WATCHDOG_H
#define VIGIL_RAS_WATCHDOG_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"

/* What there is to say of it (vigil info). */
struct watchdog_state {
    const char *source;   /* what sends its NMIs, as dev/nmi_timer.h has it */
    uint32_t timeout_ms;  /* 0: off                                         */
    bool is_proved;       /* NMIs have come                                 */
    bool is_fatal;        /* a CPU that hangs is a panic                    */
    uint64_t nmis;        /* its NMIs so far                                */
    uint64_t stalls;      /* CPUs found hanging (those that went on again)  */
};

/**
 * watchdog_option() - the option watchdog=
 * @value: a boolean; "force": as yes; "report": say so, but do not panic
 *
 * Context: boot.
 * Return:  0, -EINVAL
 */
int watchdog_option(const char *value) MUST_CHECK;

/**
 * watchdog_timeout_option() - the option watchdog_timeout=
 * @value: seconds, 0: off
 *
 * Context: boot.
 * Return:  0, -EINVAL
 */
int watchdog_timeout_option(const char *value) MUST_CHECK;

/**
 * watchdog_hardware_option() - the option watchdog_hw=
 * @value: a boolean; no: the i6300esb is the control domain's, if it is there
 *
 * Context: boot.
 * Return:  0, -EINVAL
 */
int watchdog_hardware_option(const char *value) MUST_CHECK;

/**
 * watchdog_init() - begin to watch, on the first CPU
 *
 * The source of NMIs has to prove itself while the boot goes on.
 * Context: boot, when timers run.
 */
void watchdog_init(void);

/**
 * watchdog_cpu_init() - watch this CPU; while the boot goes on from its first beat
 *
 * Context: boot, on each CPU but the first, also when it comes back.
 */
void watchdog_cpu_init(void);

/**
 * watchdog_boot_ends() - watch all CPUs that are there
 *
 * Those, too, whose heart has not beaten yet: who hangs before it does must be
 * noticed.  Until here a CPU may be busy for longer, with Dom0's kernel for one.
 * The hardware's watchdog runs from here on.
 * Context: boot, on the first CPU, before the control domain runs.
 */
void watchdog_boot_ends(void);

/**
 * watchdog_cpu_down() - this CPU stops
 *
 * Context: interrupts off, on that CPU.
 */
void watchdog_cpu_down(void);

/**
 * watchdog_nmi() - was this NMI the watchdog's?  Then look at the hearts
 * @regs: interrupted context
 *
 * Context: NMI.
 * Return:  true: it was
 */
NMI_SAFE bool watchdog_nmi(const struct cpu_regs *regs);

/**
 * watchdog_asked() - this CPU has given its picture to an all-CPU dump
 * @regs: interrupted context
 *
 * Does not return on the CPU that hangs, if that is a panic.
 * Context: NMI.
 */
NMI_SAFE void watchdog_asked(const struct cpu_regs *regs);

/**
 * watchdog_get_state() - what it does
 * @ret_state: filled in
 *
 * Context: any but NMI/#MC.
 */
void watchdog_get_state(struct watchdog_state *ret_state);

#endif
