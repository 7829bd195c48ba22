/* SPDX-License-Identifier: MIT */
/*
 * cpu/tenant.h - the badge of this pcpu: which domain's which vcpu it serves.
 * domain/ writes it at each switch; ras/ and crash/ read it, also from NMI.
 */
#ifndef VIGIL_CPU_TENANT_H
#define VIGIL_CPU_TENANT_H

#include "lib/compiler.h"
#include "lib/types.h"

#define TENANT_NONE 0xffffu

struct tenant {
    uint16_t domid; /* TENANT_NONE while idle */
    uint16_t vcpu;
};

/**
 * tenant_set() - this pcpu now serves a vcpu
 * @domid: domain, TENANT_NONE for none
 * @vcpu:  vcpu number
 *
 * Context: switch path, interrupts off.
 */
void tenant_set(uint16_t domid, uint16_t vcpu);

/**
 * tenant_now() - whom this pcpu serves
 *
 * Context: any, NMI and #MC too.
 * Return:  the badge, read in one piece
 */
struct tenant tenant_now(void);

#endif
