/* SPDX-License-Identifier: MIT */
/*
 * cpu/percpu.c - the per-CPU block: allocate nothing, initialise everything.
 */
#include "cpu/percpu.h"

#include "lib/assert.h"
#include "lib/string.h"

struct cpu_block *cpu_blocks[NR_CPUS];

void percpu_init(cpu_t cpu)
{
    struct cpu_block *cb = this_cpu();

    /* What other CPUs ask of it goes on: see there. */
    memset(cb, 0, offsetof(struct cpu_block, tlb_asked));
    cb->cpu_id = cpu;
    cb->cpu_mask = CPUMASK_OF(cpu);
    __atomic_store_n(&cpu_blocks[cpu], cb, __ATOMIC_RELEASE);
}

NMI_SAFE bool percpu_stack_contains(uint64_t addr)
{
    return cpu_block_has_stack(addr - cpu_block_of(read_rsp()));
}
