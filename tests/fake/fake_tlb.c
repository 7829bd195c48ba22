/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_tlb.c - cpu/tlb.c for tests that link no other: every CPU
 * flushes at once.  Weak, so that a test of the real one can link that.
 */
#include "cpu/tlb.h"

#include "fake_hw.h"

#define WEAK __attribute__((weak))

WEAK void tlb_mark_slow(const struct tlb_space *s)
{
    for (cpu_t i = 0; i < NR_CPUS; i++) {
        if ((s->cpus >> i & 1) != 0) {
            fake_cpu_blocks[i].tlb_stale = 1;
        }
    }
}

WEAK void tlb_flush_others(cpumask_t mask)
{
    for (cpu_t i = 0; i < NR_CPUS; i++) {
        if ((mask >> i & 1) != 0) {
            fake_cpu_blocks[i].tlb_stale = 0;
            fake_tlb_flushes++;
        }
    }
}

WEAK void tlb_sync_slow(const struct tlb_space *s)
{
    for (cpu_t i = 0; i < NR_CPUS; i++) {
        if ((s->cpus >> i & 1) != 0 && fake_cpu_blocks[i].tlb_stale) {
            tlb_flush_others(CPUMASK_OF(i));
        }
    }
}

WEAK void tlb_sync_all(void)
{
    const struct tlb_space all = {.cpus = ~0UL};

    tlb_sync_slow(&all);
}

WEAK void tlb_retire(const struct tlb_space *s)
{
    (void)s;
}
