/* SPDX-License-Identifier: MIT */
/*
 * pvclock.h - time by what the hypervisor publishes: version, fields, version.
 */
#ifndef VIGIL_STUBS_PVCLOCK_H
#define VIGIL_STUBS_PVCLOCK_H

#include "stub.h"

/**
 * pvclock_ns() - system time of a vcpu
 * @info: what is published for it
 * @tsc:  reads the time stamp counter, no earlier than the version; NULL: @at
 * @at:   a reading of it
 *
 * Context: any.
 * Return:  ns
 */
static inline __attribute__((always_inline)) uint64_t
pvclock_ns(const struct vcpu_time_info *info, uint64_t (*tsc)(void),
           uint64_t at)
{
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
        delta = (tsc ? tsc() : at) - stamp;
        barrier();
        /* Odd: being written.  Different: written meanwhile. */
    } while ((version & 1) || version != READ_ONCE(info->version));

    delta = shift < 0 ? delta >> -shift : delta << shift;
    return base + (uint64_t)(((unsigned __int128)delta * mul) >> 32);
}

#endif /* VIGIL_STUBS_PVCLOCK_H */
