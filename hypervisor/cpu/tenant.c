/* SPDX-License-Identifier: MIT */
/*
 * cpu/tenant.c - the badge, one word per pcpu so that NMI context never sees
 * half of it.
 */
#include "cpu/tenant.h"

#include "x86/percpu.h"

static uint32_t badge[NR_CPUS] = {[0 ... NR_CPUS - 1] = TENANT_NONE};

void tenant_set(uint16_t domid, uint16_t vcpu)
{
    WRITE_ONCE(badge[this_cpu_id()], domid | (uint32_t)vcpu << 16);
}

NMI_SAFE struct tenant tenant_now(void)
{
    uint32_t b = READ_ONCE(badge[this_cpu_id()]);

    return (struct tenant){(uint16_t)b, (uint16_t)(b >> 16)};
}
