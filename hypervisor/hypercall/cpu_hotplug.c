/* SPDX-License-Identifier: MIT */
/*
 * hypercall/cpu_hotplug.c - processors come and go as Dom0 asks.
 */
#include "hypercall/cpu_hotplug.h"

#include "log/printk.h"
#include "cpu/smp.h"
#include "cpu/topology.h"

static bool smt_off; /* a: by cpu_hotplug_smt() */

static bool is_second(const struct cpu_topology *t, cpu_t cpu)
{
    return cpu != 0 &&
           (smp_cpu(cpu)->apic_id & ((1U << t->core_shift) - 1)) != 0;
}

/* Another thread of its core is online. */
static bool has_sibling(const struct cpu_topology *t, cpu_t cpu)
{
    uint32_t core = smp_cpu(cpu)->apic_id >> t->core_shift;

    for (cpu_t i = 0; i < smp_cpu_count(); i++) {
        if (i != cpu && smp_is_online(i) &&
            smp_cpu(i)->apic_id >> t->core_shift == core) {
            return true;
        }
    }
    return false;
}

int64_t cpu_hotplug_online(uint32_t cpu)
{
    struct cpu_topology t;

    if (READ_ONCE(smt_off) && cpu < smp_cpu_count() && !smp_is_online(cpu)) {
        topology_read(&t);
        if (has_sibling(&t, cpu)) {
            pr_info("cpu: CPU %u stays offline: second threads are off", cpu);
            return -EPERM;
        }
    }
    return smp_cpu_up(cpu);
}

int64_t cpu_hotplug_smt(bool on)
{
    struct cpu_topology t;

    topology_read(&t);
    if (t.core_shift == 0) {
        return -EOPNOTSUPP;
    }
    WRITE_ONCE(smt_off, !on);
    for (cpu_t cpu = 1; cpu < smp_cpu_count(); cpu++) {
        int rc;

        if (!is_second(&t, cpu) || smp_is_online(cpu) == on) {
            continue;
        }
        rc = on ? smp_cpu_up(cpu) : smp_cpu_down(cpu);
        if (rc != 0) {
            return rc;
        }
        /* One has changed: whoever calls again gets further. */
        if (hypercall_should_stop()) {
            return -ERESTART;
        }
    }
    pr_info("cpu: second threads are %s, %u of %u processors online",
            on ? "on" : "off", smp_online_count(), smp_cpu_count());
    return 0;
}
