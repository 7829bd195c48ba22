/* SPDX-License-Identifier: MIT */
/*
 * dev/irq.h - physical interrupts: who handles one, and how it is quieted.
 *
 * An irq number below irq_gsi_count() is a global system interrupt (a pin of
 * an IO-APIC); the numbers above are message-signalled (MSI, MSI-X).  Each
 * has at most one handler; sharing of a line is between devices of one
 * domain, and that domain's business.
 *
 *   edge, message: acknowledge, call the handler.
 *   level:         mask the pin, acknowledge, call the handler; irq_eoi()
 *                  unmasks it when the handler's owner is done.
 *
 * Vectors IRQ_VECTOR_FIRST .. IRQ_VECTOR_LAST are given out here; the local
 * APIC's own lie above.  A handler runs with IF=0 on the stack of whatever
 * was interrupted: it sets a bit and raises a softirq, takes no lock.  One irq
 * may be handled by two CPUs at a time, just after it was moved.
 *
 * An irq that comes too often is held back for 10 ms, and twice as long each
 * time it goes on, up to 1.28 s (irq_storm.c).
 */
#ifndef VIGIL_DEV_IRQ_H
#define VIGIL_DEV_IRQ_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "dev/pci_cfg.h"

#define NR_IRQS          512U
#define IRQ_VECTOR_FIRST 0x31
#define IRQ_VECTOR_LAST  0xef

struct irq_info {
    bool is_msi;
    bool is_level;
    bool is_active_low;
    bool is_masked;
    bool has_handler;
    uint8_t vector;   /* 0: none yet              */
    cpu_t cpu;        /* where it is sent         */
    uint32_t pauses;  /* times it was held back   */
    const char *name; /* of the handler, or NULL */
    uint64_t count;   /* times it came            */
};

/**
 * irq_init() - find the interrupt controllers and mask everything
 *
 * Needs acpi_init() and iomap().  Without an IO-APIC in the tables there are
 * no GSIs; that is logged.
 *
 * Context: boot, interrupts off.
 * Return:  nothing.
 */
void irq_init(void);

/**
 * irq_gsi_count() - one more than the highest global system interrupt
 *
 * Context: any.
 * Return:  count; 0 before irq_init()
 */
unsigned int irq_gsi_count(void);

/**
 * irq_cpu_up() - a CPU takes device interrupts from now on
 * @cpu:     number, any
 * @apic_id: its local APIC; one above 254 cannot be named by devices
 *
 * Context: any but NMI/#MC.  irq_init() does it for the CPU it runs on.
 * Return:  nothing.
 */
void irq_cpu_up(cpu_t cpu, uint32_t apic_id);

/**
 * irq_cpu_down() - send what a CPU takes to others, and nothing more to it
 * @cpu: number, any
 *
 * Those that were sent before may still arrive: the caller lets @cpu take
 * interrupts once more before it stops.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EBUSY it is the last one; -ENOSPC no other has room.  After an
 *          error all goes on as before, here or elsewhere.
 */
int irq_cpu_down(cpu_t cpu) MUST_CHECK;

/**
 * irq_follow() - its interrupts are better sent to this CPU
 * @irq: any number
 * @cpu: where the vcpu runs, or ran last, that is told of it
 *
 * A wish: not more often than once in 10 ms, and only if there is room.  Cheap
 * when it is so already.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_follow(unsigned int irq, cpu_t cpu);

/**
 * irq_set_ratelimit() - how often an irq may come before it is held back
 * @count: times in 10 ms, in steps of 64; 0: any
 *
 * Context: boot.
 * Return:  nothing.
 */
void irq_set_ratelimit(unsigned int count);

/**
 * irq_storm_softirq() - hold back what irq_dispatch() found to come too often
 *
 * Called by whoever plugs SOFTIRQ_IRQ, before anything else.
 *
 * Context: softirq.
 * Return:  nothing.
 */
void irq_storm_softirq(void);

/**
 * irq_dispatch() - an interrupt arrived
 * @vector: IRQ_VECTOR_FIRST .. IRQ_VECTOR_LAST, or of the 8259s
 *
 * Acknowledges at the local APIC.
 *
 * Context: interrupt, IF=0.
 * Return:  nothing.
 */
void irq_dispatch(unsigned int vector);

/**
 * irq_isa_to_gsi() - the pin an ISA interrupt is wired to
 * @isa: 0 .. 15
 *
 * Context: any.
 * Return:  GSI by the firmware's overrides; @isa itself without one
 */
unsigned int irq_isa_to_gsi(unsigned int isa);

/**
 * irq_setup_gsi() - set trigger mode and polarity of a pin
 * @gsi:           below irq_gsi_count()
 * @is_level:      level-triggered (else edge)
 * @is_active_low: polarity
 *
 * Gives it a vector; the pin stays masked until it has a handler.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such pin; -EEXIST has a handler already, and other
 *          settings: nothing changed; -ENOSPC no vector left
 */
int irq_setup_gsi(unsigned int gsi, bool is_level, bool is_active_low)
    MUST_CHECK;

/**
 * irq_bind() - give an irq its handler, and let it come
 * @irq:  number
 * @fn:   called at each interrupt; rules above
 * @arg:  given to @fn
 * @name: static string, for listings
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such irq; -EBUSY has a handler; -ENOSPC no vector
 */
int irq_bind(unsigned int irq, void (*fn)(void *arg), void *arg,
             const char *name) MUST_CHECK;

/**
 * irq_take_nmi() - a pin sends NMIs to this CPU from now on
 * @gsi: edge-triggered pin that nobody has bound
 *
 * Context: boot.
 * Return:  0; -EINVAL no such pin; -EBUSY has a handler
 */
int irq_take_nmi(unsigned int gsi) MUST_CHECK;

/**
 * irq_give_nmi() - undo irq_take_nmi()
 * @gsi: pin; masked afterwards
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_give_nmi(unsigned int gsi);

/**
 * irq_unbind() - mask an irq and forget its handler
 * @irq: number; without a handler nothing happens
 *
 * On return the handler is not running and will not be called.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_unbind(unsigned int irq);

/**
 * irq_has_handler() - is it in use?
 * @irq: any number
 *
 * Context: any.
 * Return:  true: irq_bind() would say -EBUSY
 */
bool irq_has_handler(unsigned int irq);

/**
 * irq_needs_eoi() - does the owner have to call irq_eoi() each time?
 * @irq: number
 *
 * Context: any.
 * Return:  true for level-triggered pins
 */
bool irq_needs_eoi(unsigned int irq);

/**
 * irq_eoi() - the owner has dealt with a level interrupt: unmask the pin
 * @irq: any number; one that is not waiting for it is left alone
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_eoi(unsigned int irq);

/**
 * irq_info_get() - state of one irq, for listings and queries
 * @irq:      number
 * @ret_info: filled in
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such irq
 */
int irq_info_get(unsigned int irq, struct irq_info *ret_info) MUST_CHECK;

/**
 * irq_ioapic_read() - a register of an IO-APIC, for the control domain
 * @base:      machine address of the IO-APIC
 * @reg:       register number
 * @ret_value: its value
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no IO-APIC there, or no such register
 */
int irq_ioapic_read(uint64_t base, unsigned int reg, uint32_t *ret_value)
    MUST_CHECK;

/**
 * irq_ioapic_page() - pages no domain may write: the n-th IO-APIC's
 * @n: index from 0
 *
 * Context: any.
 * Return:  machine address; 0 past the last
 */
uint64_t irq_ioapic_page(unsigned int n);

struct msi_request {
    pci_bdf_t bdf;
    bool is_msix;
    unsigned int entry; /* MSI-X: index into the table                 */
    unsigned int count; /* MSI: vectors wanted, 1, 2, 4 .. 32; MSI-X: 1 */
};

/**
 * irq_msi_alloc() - make message-signalled irqs and program the device
 * @req:           which device, and what
 * @ret_first_irq: first of @req->count consecutive irq numbers
 *
 * The device can send from then on only what is bound: MSI-X entries stay
 * masked until irq_bind().  Turning MSI on in the device's control register
 * is left to its driver in the control domain.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENODEV no device or no such capability; -EINVAL bad entry or
 *          count; -EEXIST that entry is in use; -ENOSPC no irq or vector
 *          left; -ENOMEM
 */
int irq_msi_alloc(const struct msi_request *req, unsigned int *ret_first_irq)
    MUST_CHECK;

/**
 * irq_msi_free() - undo irq_msi_alloc() for one irq
 * @irq: message-signalled; others are ignored
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_msi_free(unsigned int irq);

/**
 * irq_msi_restore() - write the messages again after a device lost them
 * @bdf: device; one that has none is left alone
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void irq_msi_restore(pci_bdf_t bdf);

#endif
