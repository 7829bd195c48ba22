/* SPDX-License-Identifier: MIT */
/*
 * hypercall/timer_op.c - HYPERVISOR_set_timer_op(system time in ns).
 *
 * 0 stops the timer; a time in the past fires at once.
 * Return:  0
 */
#include "domain/vtimer.h"
#include "hypercall/call.h"

int64_t do_set_timer_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5)
{
    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    if (a1 == 0) {
        vtimer_stop_singleshot(current);
    } else {
        vtimer_set_singleshot(current, a1);
    }
    return 0;
}
