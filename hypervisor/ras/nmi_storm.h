/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi_storm.h - how often NMIs may come before they are only counted.
 *
 * One meter for each source on each CPU, so that no CPU waits for another:
 *
 *   quiet --bucket empty--> storm --a second below the rate--> quiet
 *
 * In a storm an NMI costs a few hundred instructions: it is not described, and
 * nobody is told.  What is left out is counted, exactly, and said at its end.
 */
#ifndef VIGIL_RAS_NMI_STORM_H
#define VIGIL_RAS_NMI_STORM_H

#include "lib/compiler.h"
#include "lib/types.h"

enum nmi_source {
    NMI_FROM_PORT61, /* SERR, IOCHK             */
    NMI_FROM_FIRMWARE,
    NMI_FROM_NOBODY, /* none that we could ask  */
    NMI_SOURCES,
};

enum nmi_admission {
    NMI_ADMITTED,
    NMI_STORM_BEGINS, /* the first that is only counted */
    NMI_IN_STORM,
};

/* What was left out in a storm that is over. */
struct nmi_storm {
    enum nmi_source source;
    uint64_t count;       /* NMIs, the first included      */
    uint64_t duration_ns; /* until the look that ended it  */
};

/**
 * nmi_storm_set_rate() - the nmi_ratelimit= option
 * @per_second: NMIs of one source, at once or in a second; 0: any number
 *
 * Context: boot, before the first NMI.
 * Return:  nothing.
 */
void nmi_storm_set_rate(unsigned int per_second);

/**
 * nmi_storm_counts() - one more NMI on this CPU, if there is a storm of them
 * @source: where it came from
 *
 * What nmi_storm_admit() does first, and needs no clock for.
 *
 * Context: NMI.
 * Return:  true: it is counted, and that is all; false: ask nmi_storm_admit()
 */
NMI_SAFE bool nmi_storm_counts(enum nmi_source source);

/**
 * nmi_storm_admit() - one more NMI on this CPU
 * @source: where it came from
 * @now_ns: system time
 *
 * Context: NMI.
 * Return:  is it one to describe and to act on, or one to count
 */
NMI_SAFE enum nmi_admission nmi_storm_admit(enum nmi_source source,
                                            uint64_t now_ns);

/**
 * nmi_storm_look() - has one of the storms of a CPU calmed down?
 * @cpu:       any
 * @now_ns:    system time; less than a second after the last look: not yet
 * @ret_storm: the one that is over
 *
 * Context: softirq; one at a time for each CPU.
 * Return:  true: one is, and there may be another
 */
bool nmi_storm_look(cpu_t cpu, uint64_t now_ns, struct nmi_storm *ret_storm);

/**
 * nmi_storm_goes_on() - is there one on a CPU?
 * @cpu: any
 *
 * Context: any.
 * Return:  true: look again in a second
 */
bool nmi_storm_goes_on(cpu_t cpu);

#endif
