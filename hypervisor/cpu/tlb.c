/* SPDX-License-Identifier: MIT */
/*
 * cpu/tlb.c - shootdown with generation numbers.
 *
 * To have a CPU flush, one more is added to its tlb_asked, and it is
 * interrupted unless that was done already for a generation it has not
 * answered.  It reads the number, flushes, and writes the number to tlb_done:
 * one flush answers everybody who had asked before it.
 *
 * Who waits answers others meanwhile: two CPUs may wait for each other.
 */
#include "cpu/tlb.h"

#include "cpu/clock.h"
#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "log/printk.h"
#include "x86/barrier.h"
#include "x86/irqflags.h"

#define SLOW_NS  1000000000ULL
/* A CPU that is silent for so long is gone: nothing may be freed any more. */
#define GIVE_UP_NS 60000000000ULL

struct tlb_counters tlb_counters;

static uint64_t own_tables;
static void (*leave_hook)(void);

void tlb_init(uint64_t own_cr3, void (*on_leave)(void))
{
    own_tables = own_cr3;
    leave_hook = on_leave;
}

void tlb_mark_slow(const struct tlb_space *s)
{
    cpumask_t mask = READ_ONCE(s->cpus);

    while (mask != 0) {
        struct cpu_block *cb = cpu_blocks[bit_lowest(mask)];

        mask &= mask - 1;
        if (READ_ONCE(cb->tlb_stale) != TLB_STALE) {
            WRITE_ONCE(cb->tlb_stale, TLB_STALE);
        }
    }
}

/* Of @mask, those that owe a flush. */
static cpumask_t stale_ones(cpumask_t mask)
{
    cpumask_t found = 0, left = mask;

    while (left != 0) {
        unsigned int cpu = bit_lowest(left);

        left &= left - 1;
        if (READ_ONCE(cpu_blocks[cpu]->tlb_stale) != 0) {
            found |= CPUMASK_OF(cpu);
        }
    }
    return found;
}

void tlb_sync_slow(const struct tlb_space *s)
{
    cpumask_t mask, stale;

    /* MB(tlb:B): after the last reference was dropped; pairs with tlb:A. */
    smp_mb();
    mask = READ_ONCE(s->cpus);
    stale = stale_ones(mask);
    if (mask != stale) {
        (void)atomic_add(&tlb_counters.spared,
                         (uint64_t)bit_count(mask & ~stale));
    }
    tlb_flush_cpus(stale);
}

void tlb_sync_all(void)
{
    smp_mb();
    tlb_flush_cpus(stale_ones(smp_online()));
}

void tlb_answer(void)
{
    struct cpu_block *cb = this_cpu();
    uint64_t flags = irq_save();
    uint64_t asked = atomic_load(&cb->tlb_asked);

    while (asked != cb->tlb_done) {
        if (cb->current_vcpu == NULL && cb->space != NULL) {
            tlb_leave();
        } else {
            tlb_flush_now();
        }
        /* A full barrier: who asks after this sees that we are through. */
        (void)atomic_xchg(&cb->tlb_done, asked);
        asked = atomic_load(&cb->tlb_asked);
    }
    irq_restore(flags);
}

/* Ask @cpu.  Return: the generation it must have answered. */
static uint64_t ask(cpu_t cpu)
{
    struct cpu_block *cb = cpu_blocks[cpu];
    uint64_t ticket = atomic_add(&cb->tlb_asked, 1UL) + 1;

    if (atomic_load(&cb->tlb_done) == ticket - 1) {
        ipi_send(cpu, VECTOR_CALL);
        (void)atomic_add(&tlb_counters.ipis, 1UL);
    }
    return ticket;
}

static void wait_for(cpu_t cpu, uint64_t ticket)
{
    struct cpu_block *cb = cpu_blocks[cpu];
    uint64_t begin = 0;
    bool told = false;

    while (atomic_load(&cb->tlb_done) < ticket) {
        uint64_t now = clock_now_ns();

        WRITE_ONCE(this_cpu()->waits_for, cpu + 1);
        smp_answer();
        cpu_relax();
        if (begin == 0) {
            begin = now;
        } else if (now - begin > GIVE_UP_NS) {
            panic("CPU %u does not answer: no TLB flush for %lu s", cpu,
                  (unsigned long)(GIVE_UP_NS / SLOW_NS));
        } else if (now - begin > SLOW_NS && !told) {
            told = true;
            (void)atomic_add(&tlb_counters.slow, 1UL);
            pr_warn("cpu: CPU %u takes long to flush its TLB", cpu);
        }
    }
    WRITE_ONCE(this_cpu()->waits_for, 0);
}

void tlb_flush_others(cpumask_t mask)
{
    uint64_t ticket[NR_CPUS];
    cpumask_t me = CPUMASK_OF(this_cpu_id());
    cpumask_t others = mask & ~me, left;

    for (left = others; left != 0; left &= left - 1) {
        unsigned int cpu = bit_lowest(left);

        ticket[cpu] = ask(cpu);
    }
    if ((mask & me) != 0) {
        tlb_flush_now();
    }
    (void)atomic_add(&tlb_counters.shootdowns, 1UL);
    for (left = others; left != 0; left &= left - 1) {
        unsigned int cpu = bit_lowest(left);

        wait_for(cpu, ticket[cpu]);
    }
}

void tlb_enter(struct tlb_space *s, uint64_t cr3)
{
    struct cpu_block *cb = this_cpu();
    struct tlb_space *old = cb->space;

    if (old == s) {
        tlb_load(cr3);
        return;
    }
    /* In the mask before the first walk: whoever marks later finds us. */
    (void)atomic_or(&s->cpus, cb->cpu_mask);
    tlb_load(cr3);
    cb->space = s;
    if (old != NULL) {
        (void)atomic_and(&old->cpus, ~cb->cpu_mask);
    }
}

void tlb_leave(void)
{
    struct cpu_block *cb = this_cpu();
    struct tlb_space *old = cb->space;

    if (old == NULL) {
        return;
    }
    leave_hook();
    tlb_load(own_tables);
    cb->space = NULL;
    (void)atomic_and(&old->cpus, ~cb->cpu_mask);
}

void tlb_retire(const struct tlb_space *s)
{
    cpumask_t cpus;

    while ((cpus = READ_ONCE(s->cpus)) != 0) {
        if ((cpus & CPUMASK_OF(this_cpu_id())) != 0) {
            uint64_t flags = irq_save();

            BUG_ON(this_cpu()->current_vcpu != NULL);
            tlb_leave();
            irq_restore(flags);
        }
        tlb_flush_cpus(cpus & ~CPUMASK_OF(this_cpu_id()));
    }
}
