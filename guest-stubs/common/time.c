/* SPDX-License-Identifier: MIT */
/*
 * time.c - system time from vcpu_info, and sleeping.
 */
#include "pvclock.h"

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    /* lfence: the reading must not move before the version was read. */
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return ((uint64_t)high << 32) | low;
}

uint64_t time_now_ns(void)
{
    return pvclock_ns(&vcpu_info0->time, rdtsc, 0);
}

void time_sleep_ns(uint64_t ns)
{
    struct sched_poll poll = {.nr_ports = 0, .timeout = time_now_ns() + ns};

    if (hc_sched_op(SCHEDOP_poll, &poll)) {
        hc_sched_op(SCHEDOP_yield, NULL);
    }
}
