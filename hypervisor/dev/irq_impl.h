/* SPDX-License-Identifier: MIT */
/*
 * dev/irq_impl.h - what irq.c, irq_vector.c, irq_storm.c and msi.c share; for
 * them only.
 */
#ifndef VIGIL_DEV_IRQ_IMPL_H
#define VIGIL_DEV_IRQ_IMPL_H

#include "sync/spinlock.h"
#include "dev/irq.h"

/*
 * Legend:  L  irq_lock   i  also read by irq_dispatch(), without a lock, on
 *          any CPU        a  atomic
 */
struct irq_desc {
    void (*fn)(void *arg); /* L, i: NULL: no handler; set after arg     */
    void *arg;             /* L, i                                      */
    const char *name;      /* L                                         */
    uint64_t count;        /* a                                         */
    uint32_t running;      /* a: CPUs that are in irq_dispatch() for it */
    uint8_t vector;        /* L: 0: none                                */
    bool exists;           /* L, i: a pin, or an allocated message      */
    bool is_msi;           /* L, i                                      */
    bool is_level;         /* L, i                                      */
    bool is_active_low;    /* L                                         */
    bool is_masked;        /* L: nobody handles it                      */
    bool is_held;          /* L: irq_storm.c                            */
    bool is_waiting;       /* a: level, masked until irq_eoi()          */

    cpu_t cpu;         /* L, read without: where it is sent             */
    cpu_t wanted;      /* L: level: where to at the next irq_eoi()      */
    uint64_t moved_ns; /* L, read without: when cpu changed last        */

    pci_bdf_t bdf; /* messages only, L                                  */
    bool is_msix;
    bool was_enabled;       /* MSI held by its enable bit: as it was    */
    uint8_t cap;            /* offset of the capability                 */
    uint16_t entry;         /* MSI-X: index; MSI: place in the block    */
    uint16_t block;         /* MSI: size of the block                   */
    volatile uint32_t *row; /* MSI-X: mapped table entry                */
};

extern struct irq_desc irq_descs[NR_IRQS];
extern struct spinlock irq_lock; /* LOCK_RANK_IRQ_DESC, IRQ_OFF */

/* ---- irq.c -------------------------------------------------------------- */

/**
 * irq_mask_update() - let an irq come or not, as its descriptor says
 * @irq: number of one that exists
 *
 * Context: irq_lock held.
 * Return:  nothing.
 */
void irq_mask_update(unsigned int irq);

/**
 * irq_call() - call the handler as if the interrupt had come
 * @irq: any number; without a handler nothing happens
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_call(unsigned int irq);

/* ---- irq_vector.c: vectors and the CPUs they are sent to ----------------- */

/**
 * irq_vectors_init() - no vector means anything
 *
 * Context: boot.
 * Return:  nothing.
 */
void irq_vectors_init(void);

/**
 * irq_at() - what a vector means on a CPU
 * @cpu:    below NR_CPUS
 * @vector: 0 .. 255
 *
 * Context: any.
 * Return:  irq, or -1
 */
int irq_at(cpu_t cpu, unsigned int vector);

/**
 * irq_vectors_take() - give irqs in a row vectors in a row, on some CPU
 * @first: first irq; vector and cpu of each are set
 * @count: 1, 2, 4 .. 32; the first vector is aligned to it
 *
 * Context: irq_lock held.
 * Return:  0; -ENOSPC
 */
int irq_vectors_take(unsigned int first, unsigned int count) MUST_CHECK;

/**
 * irq_vector_free() - an irq gives its vector back, on all CPUs
 * @irq: number; one without a vector is left alone
 *
 * Context: irq_lock held.
 * Return:  nothing.
 */
void irq_vector_free(unsigned int irq);

/**
 * irq_apic() - local APIC that an irq is sent to
 * @desc: descriptor
 *
 * Context: irq_lock held.
 * Return:  APIC id
 */
uint32_t irq_apic(const struct irq_desc *desc);

/**
 * irq_move_locked() - send an irq to another CPU from now on
 * @irq: number; of a block of MSI the first, which takes the others along
 * @cpu: where to
 *
 * Its vector stays the same, and the old CPU goes on to know it.
 *
 * Context: irq_lock held.
 * Return:  0; -EINVAL that CPU takes no device interrupts; -ENOSPC the vector
 *          is in use there
 */
int irq_move_locked(unsigned int irq, cpu_t cpu) MUST_CHECK;

/* ---- irq_storm.c ---------------------------------------------------------- */

/* irq_dispatch() asks each time this many more have come. */
#define IRQ_STORM_STRIDE 64U

/**
 * irq_storm_init() - timers that end pauses
 *
 * Context: boot.
 * Return:  nothing.
 */
void irq_storm_init(void);

/**
 * irq_storm_check() - does it come too often?  Then hold it back for a while
 * @irq: number; IRQ_STORM_STRIDE more have come
 *
 * Context: interrupt, IF=0, no lock held.
 * Return:  nothing.
 */
void irq_storm_check(unsigned int irq);

/**
 * msix_mask_now() - silence a message of MSI-X without a lock
 * @desc: allocated message
 *
 * Who holds irq_lock may undo it.
 *
 * Context: interrupt, IF=0.
 * Return:  nothing.
 */
void msix_mask_now(const struct irq_desc *desc);

/**
 * irq_storm_pauses() - how often one was held back
 * @irq: number
 *
 * Context: any.
 * Return:  count since boot
 */
uint32_t irq_storm_pauses(unsigned int irq);

/* ---- msi.c ----------------------------------------------------------------- */

/**
 * msi_set_mask() - mask or unmask one message, where the device can
 * @desc:      allocated message
 * @is_masked: what it shall be
 *
 * Context: irq_lock held.
 * Return:  nothing.
 */
void msi_set_mask(struct irq_desc *desc, bool is_masked);

/**
 * msi_can_mask() - would the device keep a message in mind while masked?
 * @desc: allocated message
 *
 * Context: irq_lock held.
 * Return:  true: MSI-X, or MSI with mask bits
 */
bool msi_can_mask(const struct irq_desc *desc);

/**
 * msi_move() - the message goes to desc->cpu from now on
 * @desc: allocated message; of a block the first
 *
 * Context: irq_lock held.
 * Return:  nothing.
 */
void msi_move(const struct irq_desc *desc);

#endif
