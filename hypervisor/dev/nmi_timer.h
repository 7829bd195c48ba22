/* SPDX-License-Identifier: MIT */
/*
 * dev/nmi_timer.h - NMIs that come by themselves, for the watchdog.
 *
 * Sources, the best first: a performance counter of each CPU, a comparator of the
 * HPET by message, the same by the pin of ISA interrupt 0, and the 8254 by that
 * pin.  The counters' NMIs come to each CPU that joins, while it does not sleep;
 * the others' to the CPU that has started them.  Of these none can be asked
 * whether an NMI was its own: each knows when it is due, and takes one NMI for
 * that.  So of two NMIs that come at a time one is taken, the other left for
 * others; of two that the processor merges into one the other's is lost, as ever.
 */
#ifndef VIGIL_DEV_NMI_TIMER_H
#define VIGIL_DEV_NMI_TIMER_H

#include "lib/compiler.h"
#include "lib/types.h"

enum nmi_timer {
    NMI_TIMER_PMU,
    NMI_TIMER_HPET_MSG,
    NMI_TIMER_HPET_PIN,
    NMI_TIMER_PIT,
    NMI_TIMER_NONE /* also how many there are */
};

enum nmi_timer_answer {
    NMI_TIMER_NOT_MINE,
    NMI_TIMER_LEFT_OVER, /* of what used the pin before: nobody's, ignore it */
    NMI_TIMER_DUE
};

/**
 * nmi_timer_start() - let one of them send NMIs to this CPU; stop the one before
 * @which:     NMI_TIMER_NONE: just stop
 * @first_ns:  so long from now, roughly
 * @period_ns: from each to the next; the 8254 is faster, counters may be faster,
 *             or slower where the CPU has been slowed down
 *
 * Context: any but NMI/#MC; always the same CPU.
 * Return:  0; -ENODEV: not here; -EBUSY: somebody uses that pin, or counter
 */
int nmi_timer_start(enum nmi_timer which, uint64_t first_ns,
                    uint64_t period_ns) MUST_CHECK;

/**
 * nmi_timer_join() - let the source send NMIs to this CPU as well
 *
 * Where each CPU has one of its own and that is what runs; once for each CPU
 * but the one that has started it, and again when it has left.
 * Context: any but NMI/#MC.
 */
void nmi_timer_join(void);

/**
 * nmi_timer_leave() - no more of them to this CPU, which stops
 *
 * Context: any but NMI/#MC; a CPU other than the one that has started it.
 */
void nmi_timer_leave(void);

/**
 * nmi_timer_take() - is this NMI the timer's?  Then wait for the next
 *
 * Context: NMI.
 * Return:  NMI_TIMER_DUE: it is
 */
enum nmi_timer_answer nmi_timer_take(void);

/**
 * nmi_timer_name() - for messages
 * @which: any of them
 *
 * Context: any.
 * Return:  static string
 */
const char *nmi_timer_name(enum nmi_timer which);

#endif
