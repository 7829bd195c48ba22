/* SPDX-License-Identifier: MIT */
/*
 * cpu/clock.h - TSC to nanoseconds, and wall-clock time.
 */
#ifndef VIGIL_CPU_CLOCK_H
#define VIGIL_CPU_CLOCK_H

#include "lib/compiler.h"
#include "lib/types.h"

/* ns = ((tsc << shift) * mul_frac) >> 32, as in the pvclock ABI. */
struct clock_scale {
    uint32_t mul_frac;
    int8_t shift;
};

/**
 * clock_init() - start system time at 0 now
 * @tsc_khz: frequency of the TSC, measured by dev/pit.c; not 0
 * @utc_ns:  the real-time clock now, nanoseconds since 1970
 *
 * Context: boot, interrupts off.
 */
void clock_init(uint64_t tsc_khz, uint64_t utc_ns);

/**
 * clock_now_ns() - system time now
 *
 * Context: any, NMI too.
 * Return:  nanoseconds since boot; 0 before clock_init()
 */
uint64_t clock_now_ns(void);

/**
 * clock_tsc_to_ns() - system time of a TSC value
 * @tsc: raw counter value of this boot
 *
 * Context: any, NMI too.
 * Return:  nanoseconds since boot
 */
uint64_t clock_tsc_to_ns(uint64_t tsc);

/**
 * clock_ns_to_tsc() - TSC value of a system time
 * @ns: nanoseconds since boot
 *
 * Context: any.
 * Return:  raw counter value
 */
uint64_t clock_ns_to_tsc(uint64_t ns);

/**
 * clock_tsc_base() - TSC value that is system time 0
 *
 * Context: any.
 * Return:  raw counter value
 */
uint64_t clock_tsc_base(void);

/**
 * clock_tsc_khz() - frequency of the TSC
 *
 * Context: any.
 * Return:  kHz; 0 before clock_init()
 */
uint64_t clock_tsc_khz(void);

/**
 * clock_pv_scale() - factors for struct vcpu_time_info
 *
 * Context: any.
 * Return:  ns = ((tsc << shift) * mul_frac) >> 32
 */
struct clock_scale clock_pv_scale(void);

/**
 * clock_scale_of() - factors for a counter of another frequency
 * @khz: not 0, at most 2^32
 *
 * Context: any.
 * Return:  as clock_pv_scale(), mul_frac at least 2^31
 */
struct clock_scale clock_scale_of(uint64_t khz);

/**
 * clock_wall_base_ns() - UTC of system time 0
 *
 * Context: any.
 * Return:  nanoseconds since 1970
 */
uint64_t clock_wall_base_ns(void);

/**
 * clock_set_wall() - Dom0 sets the time (XENPF_settime)
 * @utc_ns:    UTC nanoseconds
 * @at_sys_ns: system time it was true at
 *
 * Context: any but NMI/#MC.
 */
void clock_set_wall(uint64_t utc_ns, uint64_t at_sys_ns);

#endif
