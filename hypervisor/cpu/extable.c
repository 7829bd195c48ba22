/* SPDX-License-Identifier: MIT */
/*
 * cpu/extable.c - linear search: the table has a few dozen entries and a
 * fault in the hypervisor is no hot path.
 */
#include "cpu/extable.h"

#include "x86/percpu.h"

#define LOW_HALF_END (1UL << 47)

struct extable_entry {
    int32_t insn, fixup; /* relative to the field itself */
};

extern const struct extable_entry __ex_table_start[], __ex_table_end[];

static struct extable_probe probes[NR_CPUS]; /* p */

struct extable_probe *extable_probe(void)
{
    return &probes[this_cpu_id()];
}

uint64_t extable_find(uint64_t rip)
{
    struct extable_probe *probe = extable_probe();
    const struct extable_entry *e;

    if (probe->firmware != 0 && rip < LOW_HALF_END) {
        probe->firmware_rip = rip;
        return probe->firmware;
    }

    for (e = __ex_table_start; e < __ex_table_end; e++) {
        if ((uint64_t)&e->insn + (uint64_t)(int64_t)e->insn == rip) {
            return (uint64_t)&e->fixup + (uint64_t)(int64_t)e->fixup;
        }
    }
    /* 0: no probe, and a call to nowhere is not one. */
    return probe->rip == rip && rip != 0 ? probe->fixup : 0;
}
