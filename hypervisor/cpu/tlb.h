/* SPDX-License-Identifier: MIT */
/*
 * cpu/tlb.h - translations that no page table backs any more, on every CPU
 * that may hold them.
 *
 * Whoever removes or weakens a present entry marks the CPUs that have the
 * address space loaded; whoever gives a frame a new use (another page type,
 * another owner, the free list) synchronises with the address space of the
 * frame's owner first.  So a burst of updates costs a CPU one flush at most,
 * and none when the guest flushes anyway; a CPU that did not load the space, or
 * has flushed since, is not interrupted (docs/adr/0011, 0017).
 *
 * There are no global guest pages and no PCIDs: each load of CR3 flushes all.
 *
 * A CPU that idles keeps the tables of who ran last: when it is asked to flush,
 * it takes the hypervisor's own instead, and is left in peace from then on.
 */
#ifndef VIGIL_CPU_TLB_H
#define VIGIL_CPU_TLB_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/atomic.h"
#include "x86/barrier.h"
#include "x86/cr.h"
#include "x86/invlpg.h"
#include "x86/percpu.h"

/* The tables of one domain, and where they are loaded. */
struct tlb_space {
    cpumask_t cpus; /* a: have one of its tables in CR3                     */
};

/* How often, since boot; each written by atomic additions. */
struct tlb_counters {
    uint64_t shootdowns; /* times one CPU waited for others             */
    uint64_t ipis;       /* CPUs that were interrupted for them         */
    uint64_t spared;     /* CPUs of the space that owed no flush        */
    uint64_t slow;       /* waits of more than a second                 */
};

extern struct tlb_counters tlb_counters;

/* cpu_block.tlb_stale */
#define TLB_CLEAN    0
#define TLB_STALE    1 /* a flush is owed                             */
#define TLB_FLUSHING 2 /* this CPU is at it; a mark overwrites it     */

/*
 * Load another of the tables of the space this CPU has: a flush.  Where none is
 * owed before, nothing is to be cleared after: a mark in between stays.  Built
 * in with its rare half: a call there would cost the bounces their registers.
 */
static ALWAYS_INLINE void tlb_load(uint64_t cr3)
{
    uint64_t *stale = &this_cpu()->tlb_stale;

    /* Compared in memory: a value seen too late only costs a flush more. */
    barrier();
    if (likely(*stale == TLB_CLEAN)) {
        write_cr3(cr3);
        return;
    }
    /*
     * MB(tlb:A): who finds it clean may give frames a new use, so it is not
     * clean before the flush, and a mark that comes during it stays.
     */
    WRITE_ONCE(*stale, TLB_FLUSHING);
    write_cr3(cr3);
    (void)atomic_and(stale, ~(uint64_t)TLB_FLUSHING);
}

/* Flush this CPU now, whatever is owed. */
static inline void tlb_flush_now(void)
{
    uint64_t *stale = &this_cpu()->tlb_stale;

    if (READ_ONCE(*stale) != TLB_CLEAN) {
        WRITE_ONCE(*stale, TLB_FLUSHING);
    }
    tlb_flush_local();
    if (unlikely(READ_ONCE(*stale) == TLB_FLUSHING)) {
        (void)atomic_and(stale, ~(uint64_t)TLB_FLUSHING);
    }
}

/**
 * tlb_mark_slow() - tlb_mark_stale() where other CPUs are concerned
 * @s: address space
 *
 * Context: any but NMI/#MC.
 */
void tlb_mark_slow(const struct tlb_space *s);

/* A present entry of @s was removed or weakened, without a flush. */
static inline void tlb_mark_stale(const struct tlb_space *s)
{
    struct cpu_block *cb = this_cpu();

    /* The entry was changed by a locked instruction: no barrier here. */
    if (likely(READ_ONCE(s->cpus) == cb->cpu_mask)) {
        WRITE_ONCE(cb->tlb_stale, TLB_STALE);
    } else {
        tlb_mark_slow(s);
    }
}

/**
 * tlb_sync_slow() - tlb_sync() where other CPUs are concerned
 * @s: address space
 *
 * Context: as tlb_sync().
 */
void tlb_sync_slow(const struct tlb_space *s);

/*
 * Before a frame of this space's owner gets a new use: what is owed is flushed.
 * Context: any but NMI/#MC; no lock held that is taken with interrupts off.
 */
static inline void tlb_sync(const struct tlb_space *s)
{
    struct cpu_block *cb = this_cpu();
    cpumask_t mask = READ_ONCE(s->cpus);

    if (unlikely((mask & ~cb->cpu_mask) != 0)) {
        tlb_sync_slow(s);
    } else if (mask != 0 && cb->tlb_stale) {
        tlb_flush_now();
    }
}

/**
 * tlb_sync_all() - tlb_sync() for a frame of which the owner is not known
 *
 * Context: as tlb_sync().
 */
void tlb_sync_all(void);

/**
 * tlb_flush_others() - tlb_flush_cpus() where other CPUs are concerned
 * @mask: as there
 *
 * Context: as tlb_sync().
 */
void tlb_flush_others(cpumask_t mask);

/*
 * Flush these CPUs, online ones of which this may be one, whatever they owe: on
 * return they have.  Context: as tlb_sync().
 */
static inline void tlb_flush_cpus(cpumask_t mask)
{
    if (unlikely((mask & ~this_cpu()->cpu_mask) != 0)) {
        tlb_flush_others(mask);
    } else if (mask != 0) {
        tlb_flush_now();
    }
}

/**
 * tlb_enter() - load tables of an address space on this CPU
 * @s:   the space
 * @cr3: which of its tables
 *
 * Context: interrupts off.
 */
void tlb_enter(struct tlb_space *s, uint64_t cr3);

/**
 * tlb_leave() - load the hypervisor's own tables on this CPU, if it has others
 *
 * The GDT in use must be mapped there: see tlb_on_leave().
 * Context: interrupts off; nothing of a guest is in use.
 */
void tlb_leave(void);

/**
 * tlb_retire() - no CPU has this space loaded any more
 * @s: space that no CPU enters again
 *
 * Context: as tlb_sync().
 */
void tlb_retire(const struct tlb_space *s);

/**
 * tlb_answer() - flush if another CPU has asked this one to
 *
 * Context: VECTOR_CALL, and wherever a CPU waits for another.
 */
void tlb_answer(void);

/**
 * tlb_init() - what an idle CPU falls back to
 * @own_cr3:  the hypervisor's own tables
 * @on_leave: called before they are loaded: takes up the CPU's own GDT
 *
 * Context: boot.
 */
void tlb_init(uint64_t own_cr3, void (*on_leave)(void));

#endif
