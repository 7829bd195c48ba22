/* SPDX-License-Identifier: MIT */
/*
 * domain/vtsc.c - the inverse of what a guest computes.
 *
 * A guest makes nanoseconds of a TSC by a 32-bit fraction.  Were the TSC made
 * from nanoseconds by the frequency, the two would part by microseconds a day:
 * it is made by the same fraction, and its time is ours.
 */
#include "domain/vtsc.h"

#include "x86/atomic.h"
#include "x86/tsc.h"

/* (ns << 32) / mul, modulo 2^64, rounded down; by steps that 64 bits hold. */
static uint64_t divide(uint64_t ns, uint32_t mul)
{
    return (ns / mul << 32) + (ns % mul << 32) / mul;
}

/* The last value at which a guest has not yet counted @ns, or the first. */
static uint64_t ticks_below(struct clock_scale s, uint64_t ns)
{
    uint64_t q = divide(ns, s.mul_frac);

    return s.shift < 0 ? q << -s.shift : q >> s.shift;
}

/* The first value of which a guest makes @ns or more. */
static uint64_t ticks_of(struct clock_scale s, uint64_t ns)
{
    uint64_t q = divide(ns, s.mul_frac);

    q += (ns % s.mul_frac << 32) % s.mul_frac != 0;
    return s.shift < 0 ? q << -s.shift : (q + (1UL << s.shift) - 1) >> s.shift;
}

void vtsc_start(struct vtsc *t, uint32_t khz, uint64_t elapsed_ns)
{
    uint64_t now = clock_now_ns();

    *t = (struct vtsc){
        .is_on = true,
        .khz = khz,
        .scale = clock_scale_of(khz),
        .zero_ns = now - elapsed_ns,
        .last_ns = now,
    };
}

void vtsc_stop(struct vtsc *t)
{
    *t = (struct vtsc){.is_on = false};
}

uint64_t vtsc_read(struct vtsc *t)
{
    uint64_t last, now;

    if (!t->is_on) {
        return rdtsc();
    }
    do {
        last = READ_ONCE(t->last_ns);
        now = clock_now_ns();
        now = now > last ? now : last + 1;
    } while (!atomic_cas(&t->last_ns, last, now));
    return ticks_of(t->scale, now - t->zero_ns);
}

uint64_t vtsc_elapsed_ns(const struct vtsc *t)
{
    uint64_t last = READ_ONCE(t->last_ns), now = clock_now_ns();

    return (now > last ? now : last) - t->zero_ns;
}

void vtsc_publish(const struct vtsc *t, struct vcpu_time_info *ret_time)
{
    bool before_boot = (int64_t)t->zero_ns < 0;

    /* System time does not begin below 0: what was before is in the stamp. */
    ret_time->system_time = before_boot ? 0 : t->zero_ns;
    ret_time->tsc_timestamp =
        before_boot ? ticks_below(t->scale, -t->zero_ns) : 0;
    ret_time->tsc_to_system_mul = t->scale.mul_frac;
    ret_time->tsc_shift = t->scale.shift;
}
