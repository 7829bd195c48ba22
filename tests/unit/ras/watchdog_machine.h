/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/watchdog_machine.h - a machine of some CPUs, each of which may
 * hang, for ras/watchdog.
 */
#ifndef VIGIL_UNIT_WATCHDOG_MACHINE_H
#define VIGIL_UNIT_WATCHDOG_MACHINE_H

#include "tests/unit/unit.h"

#include "x86/regs.h"
#include "cpu/smp.h"
#include "dev/nmi_timer.h"

#define CPUS 3U
#define LOOK 1250000000ULL /* a quarter of 5 s */
#define MS   1000000ULL

/* The counters are not there unless a test says so. */
extern bool here[NMI_TIMER_NONE], works[NMI_TIMER_NONE], has_counters;
extern enum nmi_timer running;
extern cpumask_t joined; /* these have a counter that runs              */
extern bool left_over;   /* an NMI of what used the pin before          */

extern bool has_esb;
extern unsigned int feeds;
extern uint64_t esb_ms;

extern unsigned int dumps;
extern bool round_is_on;                  /* somebody else's             */
extern const struct cpu_regs regs;        /* of every NMI                */
extern const struct cpu_regs *asked_with; /* who asked for the last dump */

extern cpumask_t hangs;  /* these run no timers         */
extern cpumask_t silent; /* nor write lines for a dump  */
extern cpumask_t no_nmi; /* these get no NMIs           */
extern cpumask_t sleeps; /* the counters of these stand */

/* Let time go by, a millisecond after the other. */
void run(uint64_t ns);

/* A fresh machine with the option watchdog=@option, at the end of its boot. */
void start(const char *option);

void take_offline(unsigned int cpu);

#endif
