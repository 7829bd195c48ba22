/* SPDX-License-Identifier: MIT */
/*
 * storm/clocks.c - would anybody see time go backwards?
 *
 * Two looks.  Each reading must not be before one that was complete before it
 * began, on whatever vcpu; that finds time stamp counters that differ, if by
 * more than the time between the two readings.  And the formulas that all
 * vcpus have been given must agree on one reading of the counter: that finds a
 * difference of 1 ns.
 */
#include "pvclock.h"
#include "storm.h"

struct clocks clocks;
static uint64_t last_ns;
static uint64_t skew_ns;

void clocks_init(void)
{
    skew_ns = cmdline_number("skew", 0);
    clocks.least_step_ns = ~0UL;
}

/* Of now by @tsc, or of the reading @at. */
static uint64_t time_of(unsigned int id, uint64_t (*tsc)(void), uint64_t at)
{
    uint64_t ns = pvclock_ns(&vcpu_info_of(id)->time, tsc, at);

    return id == 1 ? ns - skew_ns : ns;
}

static void least(uint64_t *to, uint64_t value)
{
    uint64_t seen = READ_ONCE(*to);

    while (value < seen &&
           !__atomic_compare_exchange_n(to, &seen, value, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
}

static bool most(uint64_t *to, uint64_t value)
{
    uint64_t seen = READ_ONCE(*to);

    while (value > seen) {
        if (__atomic_compare_exchange_n(to, &seen, value, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return true;
        }
    }
    return false;
}

uint64_t clock_read(unsigned int id)
{
    uint64_t before = __atomic_load_n(&last_ns, __ATOMIC_SEQ_CST);
    uint64_t now = time_of(id, vcpu_tsc, 0);

    if (now < before) {
        __atomic_fetch_add(&clocks.backwards, 1, __ATOMIC_SEQ_CST);
        (void)most(&clocks.worst_back_ns, before - now);
    } else {
        least(&clocks.least_step_ns, now - before);
    }
    (void)most(&last_ns, now);
    __atomic_fetch_add(&clocks.readings, 1, __ATOMIC_RELAXED);
    return now;
}

void clocks_compare(unsigned int id)
{
    uint64_t tsc = vcpu_tsc(), mine = time_of(id, NULL, tsc);

    for (unsigned int i = 0; i < vcpus; i++) {
        if (time_of(i, NULL, tsc) != mine) {
            __atomic_fetch_add(&clocks.differ, 1, __ATOMIC_SEQ_CST);
        }
    }
}
