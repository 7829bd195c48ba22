/* SPDX-License-Identifier: MIT */
/*
 * cpu/clock.c - system time from the TSC, by the very formula guests use, so
 * that theirs and ours never disagree.
 */
#include "cpu/clock.h"

#include "x86/tsc.h"

static uint64_t tsc_base; /* TSC at system time 0 */
static uint64_t tsc_khz;
static struct clock_scale scale;
static uint64_t wall_base_ns;

/* ((delta << shift) * mul) >> 32 with a 96-bit product. */
static NMI_SAFE uint64_t scale_delta(uint64_t delta)
{
    if (scale.shift < 0) {
        delta >>= -scale.shift;
    } else {
        delta <<= scale.shift;
    }
    return (uint64_t)(((unsigned __int128)delta * scale.mul_frac) >> 32);
}

/* mul/2^32 * 2^shift = 10^6 / khz, with mul in [2^31, 2^32).  A frequency of
 * up to 4 THz keeps num below 2^32. */
struct clock_scale clock_scale_of(uint64_t khz)
{
    uint64_t num = 1000000, den = khz;
    int8_t shift = 0;

    while (num >= den) {
        den <<= 1;
        shift++;
    }
    while (num < den >> 1) {
        num <<= 1;
        shift--;
    }
    /* now den / 2 <= num < den */
    return (struct clock_scale){.mul_frac = (uint32_t)((num << 32) / den),
                                .shift = shift};
}

void clock_init(uint64_t khz, uint64_t utc_ns)
{
    tsc_khz = khz;
    scale = clock_scale_of(khz);
    tsc_base = rdtsc();
    wall_base_ns = utc_ns;
}

NMI_SAFE uint64_t clock_tsc_to_ns(uint64_t tsc)
{
    return tsc < tsc_base ? 0 : scale_delta(tsc - tsc_base);
}

NMI_SAFE uint64_t clock_now_ns(void)
{
    return tsc_khz == 0 ? 0 : clock_tsc_to_ns(rdtsc());
}

uint64_t clock_ns_to_tsc(uint64_t ns)
{
    return tsc_base + ns / 1000000 * tsc_khz +
           ns % 1000000 * tsc_khz / 1000000;
}

uint64_t clock_tsc_base(void)
{
    return tsc_base;
}

uint64_t clock_tsc_khz(void)
{
    return tsc_khz;
}

struct clock_scale clock_pv_scale(void)
{
    return scale;
}

uint64_t clock_wall_base_ns(void)
{
    return wall_base_ns;
}

void clock_set_wall(uint64_t utc_ns, uint64_t at_sys_ns)
{
    wall_base_ns = utc_ns - at_sys_ns;
}
