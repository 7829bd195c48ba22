/* SPDX-License-Identifier: MIT */
/*
 * domain/vclock.h - published time: struct vcpu_time_info and the wall clock.
 */
#ifndef VIGIL_DOMAIN_VCLOCK_H
#define VIGIL_DOMAIN_VCLOCK_H

#include "domain/vcpu.h"

/**
 * vclock_update_vcpu() - write a vcpu's time parameters
 * @v: vcpu
 *
 * Versioned: odd while writing.
 * Context: any but NMI/#MC.
 */
void vclock_update_vcpu(struct vcpu *v);

/**
 * vclock_fill() - the parameters as they would be published now
 * @d:        for whom: they count in its TSC
 * @ret_time: filled in, version even
 *
 * Context: any but NMI/#MC.
 */
void vclock_fill(const struct domain *d, struct vcpu_time_info *ret_time);

/**
 * vclock_update_wall() - write a domain's wall-clock base
 * @d: domain
 *
 * Context: any but NMI/#MC.
 */
void vclock_update_wall(struct domain *d);

/**
 * vclock_update_wall_all() - after the wall clock was set
 *
 * Context: any but NMI/#MC.
 */
void vclock_update_wall_all(void);

#endif
