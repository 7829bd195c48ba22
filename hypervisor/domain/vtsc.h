/* SPDX-License-Identifier: MIT */
/*
 * domain/vtsc.h - a domain's emulated time stamp counter.
 *
 * It is made from system time, so it has the rate the domain was started with
 * on whatever machine it runs, goes on when the domain is restored, and never
 * goes backwards.  While one is on, the domain's vcpus run with CR4.TSD set
 * (pv/ctrlreg.c), and what is published to them (domain/vclock.c) counts in it.
 */
#ifndef VIGIL_DOMAIN_VTSC_H
#define VIGIL_DOMAIN_VTSC_H

#include "lib/types.h"
#include "lib/xen_abi.h"
#include "cpu/clock.h"

struct vtsc {
    bool is_on;               /* else the processor's is the domain's       */
    uint32_t khz;             /* all but last_ns: set before it runs        */
    struct clock_scale scale; /* of khz                                     */
    uint64_t zero_ns;         /* system time of its 0, modulo 2^64          */
    uint64_t last_ns;         /* a: system time of the latest value read    */
};

/**
 * vtsc_start() - emulate a TSC from now on
 * @t:          of a domain that has not run yet
 * @khz:        its rate, not 0
 * @elapsed_ns: for so long it has counted already, perhaps elsewhere
 *
 * Context: any but NMI/#MC.
 */
void vtsc_start(struct vtsc *t, uint32_t khz, uint64_t elapsed_ns);

/**
 * vtsc_stop() - the processor's TSC is the domain's
 * @t: of a domain that has not run yet
 *
 * Context: any but NMI/#MC.
 */
void vtsc_stop(struct vtsc *t);

/**
 * vtsc_read() - what a domain reads now
 * @t: its TSC, emulated or not
 *
 * Context: any but NMI/#MC.
 * Return:  if emulated, never less than any vcpu has read before, and later in
 *          system time by at least a nanosecond
 */
uint64_t vtsc_read(struct vtsc *t);

/**
 * vtsc_elapsed_ns() - for how long it has counted
 * @t: emulated
 *
 * Context: any but NMI/#MC.
 * Return:  ns; of a domain that does not run, not less than it has read
 */
uint64_t vtsc_elapsed_ns(const struct vtsc *t);

/**
 * vtsc_publish() - parameters that make system time of it
 * @t:        emulated
 * @ret_time: filled in but for version and flags; constant while it is on
 *
 * Context: any but NMI/#MC.
 */
void vtsc_publish(const struct vtsc *t, struct vcpu_time_info *ret_time);

#endif
