/* SPDX-License-Identifier: MIT */
/*
 * domain/vclock.c - one TSC base and one scale serve all vcpus, so the
 * parameters are constants of the boot and no vcpu's time goes backwards.  A
 * domain whose TSC is emulated has a base and a scale of its own.
 */
#include "domain/vclock.h"

#include "cpu/clock.h"
#include "lib/string.h"
#include "x86/barrier.h"

#define NS_PER_S 1000000000ULL

void vclock_fill(const struct domain *d, struct vcpu_time_info *ret_time)
{
    struct clock_scale s = clock_pv_scale();

    memset(ret_time, 0, sizeof(*ret_time));
    if (d->vtsc.is_on) {
        vtsc_publish(&d->vtsc, ret_time);
        return;
    }
    ret_time->tsc_timestamp = clock_tsc_base();
    ret_time->system_time = 0;
    ret_time->tsc_to_system_mul = s.mul_frac;
    ret_time->tsc_shift = s.shift;
}

void vclock_update_vcpu(struct vcpu *v)
{
    volatile struct vcpu_time_info *t = &v->vcpu_info->time;
    struct vcpu_time_info now;

    vclock_fill(v->domain, &now);
    t->version = (t->version | 1) == t->version ? t->version : t->version + 1;
    smp_wmb();
    t->tsc_timestamp = now.tsc_timestamp;
    t->system_time = now.system_time;
    t->tsc_to_system_mul = now.tsc_to_system_mul;
    t->tsc_shift = now.tsc_shift;
    t->flags = 0;
    smp_wmb();
    t->version = t->version + 1;
}

void vclock_update_wall(struct domain *d)
{
    volatile shared_info_t *si = d->shared_info;
    uint64_t utc =
        clock_wall_base_ns() + (uint64_t)d->time_offset_s * NS_PER_S;
    uint64_t sec = utc / NS_PER_S;

    if (si == NULL) {
        return;
    }
    si->wc_version = si->wc_version + 1;
    smp_wmb();
    si->wc_sec = (uint32_t)sec;
    si->wc_nsec = (uint32_t)(utc % NS_PER_S);
    si->wc_sec_hi = (uint32_t)(sec >> 32);
    smp_wmb();
    si->wc_version = si->wc_version + 1;
}

void vclock_update_wall_all(void)
{
    struct domain *d = domain_next(0);

    while (d != NULL) {
        struct domain *next = domain_next((domid_t)(d->domid + 1));

        spin_lock(&d->lock);
        vclock_update_wall(d);
        spin_unlock(&d->lock);
        domain_put(d);
        d = next;
    }
}
