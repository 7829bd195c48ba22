/* SPDX-License-Identifier: MIT */
/*
 * dev/irq_impl.h - what irq.c and msi.c share; for them only.
 */
#ifndef VIGIL_DEV_IRQ_IMPL_H
#define VIGIL_DEV_IRQ_IMPL_H

#include "sync/spinlock.h"
#include "dev/irq.h"

/*
 * Legend:  L  irq_lock   i  also read by irq_dispatch(), without a lock;
 *          written with interrupts off
 */
struct irq_desc {
    void (*fn)(void *arg); /* L, i: NULL: no handler                    */
    void *arg;             /* L, i                                      */
    const char *name;      /* L                                         */
    uint64_t count;        /* i: written by irq_dispatch()              */
    uint8_t vector;        /* L: 0: none                                */
    bool exists;           /* L: a pin, or an allocated message         */
    bool is_msi;           /* L                                         */
    bool is_level;         /* L, i                                      */
    bool is_active_low;    /* L                                         */
    bool is_masked;        /* L                                         */
    bool is_waiting;       /* i: level, masked until irq_eoi()          */

    pci_bdf_t bdf; /* messages only, L                                  */
    bool is_msix;
    uint8_t cap;            /* offset of the capability                 */
    uint16_t entry;         /* MSI-X: index; MSI: place in the block    */
    uint16_t block;         /* MSI: size of the block                   */
    volatile uint32_t *row; /* MSI-X: mapped table entry                */
};

extern struct irq_desc irq_descs[NR_IRQS];
extern struct spinlock irq_lock; /* LOCK_RANK_IRQ_DESC, IRQ_OFF */

/**
 * irq_vectors_take() - take free vectors in a row
 * @count:      1, 2, 4 .. 32; the first one is aligned to it
 * @first_irq:  irq that the first one shall mean, and so on
 * @ret_vector: first vector
 *
 * Context: irq_lock held.
 * Return:  0; -ENOSPC
 */
int irq_vectors_take(unsigned int count, unsigned int first_irq,
                     uint8_t *ret_vector) MUST_CHECK;

/**
 * irq_vector_free() - give a vector back
 * @vector: taken before
 *
 * Context: irq_lock held.
 * Return:  nothing.
 */
void irq_vector_free(uint8_t vector);

/**
 * irq_target_apic() - local APIC that device interrupts are sent to
 *
 * Context: any, after irq_init().
 * Return:  APIC id
 */
uint32_t irq_target_apic(void);

/**
 * msi_set_mask() - mask or unmask one message, where the device can
 * @desc:      allocated message
 * @is_masked: what it shall be
 *
 * Context: irq_lock held.
 * Return:  nothing.
 */
void msi_set_mask(const struct irq_desc *desc, bool is_masked);

#endif
