/* SPDX-License-Identifier: MIT */
/*
 * time.c - system time from vcpu_info, and sleeping.
 */
#include "stub.h"

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    /* lfence: the reading must not move before the version was read. */
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return ((uint64_t)high << 32) | low;
}

uint64_t time_now_ns(void)
{
    const struct vcpu_time_info *info = &vcpu_info0->time;
    uint32_t version, mul;
    uint64_t stamp, base, delta;
    int shift;

    do {
        version = READ_ONCE(info->version);
        barrier();
        stamp = READ_ONCE(info->tsc_timestamp);
        base = READ_ONCE(info->system_time);
        mul = READ_ONCE(info->tsc_to_system_mul);
        shift = READ_ONCE(info->tsc_shift);
        delta = rdtsc() - stamp;
        barrier();
        /* Odd: being written.  Different: written meanwhile. */
    } while ((version & 1) || version != READ_ONCE(info->version));

    delta = shift < 0 ? delta >> -shift : delta << shift;
    return base + (uint64_t)(((unsigned __int128)delta * mul) >> 32);
}

void time_sleep_ns(uint64_t ns)
{
    struct sched_poll poll = {.nr_ports = 0, .timeout = time_now_ns() + ns};

    if (hc_sched_op(SCHEDOP_poll, &poll)) {
        hc_sched_op(SCHEDOP_yield, NULL);
    }
}
