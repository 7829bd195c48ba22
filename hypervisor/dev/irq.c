/* SPDX-License-Identifier: MIT */
/*
 * dev/irq.c - descriptors of physical interrupts, their vectors, dispatch.
 */
#include "dev/irq.h"

#include "lib/errno.h"
#include "log/printk.h"
#include "cpu/lapic.h"
#include "dev/acpi_madt.h"
#include "dev/i8259.h"
#include "dev/ioapic.h"
#include "dev/irq_impl.h"

/* Linux and others use "int 0x80"; the gate is open to guests. */
#define VECTOR_LEGACY_SYSCALL 0x80

#define ISA_IRQS      16U
#define VECTOR_UNUSED (-1)

struct irq_desc irq_descs[NR_IRQS];
SPINLOCK(irq_lock, LOCK_RANK_IRQ_DESC, IRQ_OFF);

/* Read by irq_dispatch() without the lock. */
static int16_t vector_irq[256];
static unsigned int gsi_count;
static uint32_t target_apic;
static uint64_t spurious_count;

/* ---- vectors ------------------------------------------------------------ */

static bool vectors_free(unsigned int first, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        if (vector_irq[first + i] != VECTOR_UNUSED ||
            first + i == VECTOR_LEGACY_SYSCALL) {
            return false;
        }
    }
    return true;
}

int irq_vectors_take(unsigned int count, unsigned int first_irq,
                     uint8_t *ret_vector)
{
    unsigned int v = (IRQ_VECTOR_FIRST + count - 1) & ~(count - 1);

    for (; v + count - 1 <= IRQ_VECTOR_LAST; v += count) {
        if (!vectors_free(v, count)) {
            continue;
        }
        for (unsigned int i = 0; i < count; i++) {
            WRITE_ONCE(vector_irq[v + i], (int16_t)(first_irq + i));
        }
        *ret_vector = (uint8_t)v;
        return 0;
    }
    return -ENOSPC;
}

void irq_vector_free(uint8_t vector)
{
    WRITE_ONCE(vector_irq[vector], VECTOR_UNUSED);
}

uint32_t irq_target_apic(void)
{
    return target_apic;
}

/* ---- pins --------------------------------------------------------------- */

unsigned int irq_isa_to_gsi(unsigned int isa)
{
    const struct acpi_madt *madt = acpi_madt();

    for (unsigned int i = 0; madt != NULL && i < madt->override_count; i++) {
        if (madt->override[i].isa == isa) {
            return madt->override[i].gsi;
        }
    }
    return isa;
}

unsigned int irq_gsi_count(void)
{
    return gsi_count;
}

/* ISA interrupts: edge, active high, unless the firmware says otherwise. */
static void isa_defaults(void)
{
    const struct acpi_madt *madt = acpi_madt();

    for (unsigned int isa = 0; isa < ISA_IRQS; isa++) {
        unsigned int gsi = irq_isa_to_gsi(isa);

        if (gsi < gsi_count) {
            irq_descs[gsi].is_level = false;
            irq_descs[gsi].is_active_low = false;
        }
    }
    for (unsigned int i = 0; madt != NULL && i < madt->override_count; i++) {
        const struct madt_override *o = &madt->override[i];

        if (o->gsi < gsi_count) {
            irq_descs[o->gsi].is_level = MADT_TRIGGER(o->flags) == MADT_LEVEL;
            irq_descs[o->gsi].is_active_low =
                MADT_POLARITY(o->flags) == MADT_ACTIVE_LOW;
        }
    }
}

void irq_init(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(vector_irq); i++) {
        vector_irq[i] = VECTOR_UNUSED;
    }
    target_apic = lapic_id();
    i8259_init();
    gsi_count = ioapic_init();
    if (gsi_count == 0) {
        pr_err("dev: no IO-APIC: devices cannot interrupt, except by message");
    }
    for (unsigned int gsi = 0; gsi < gsi_count; gsi++) {
        irq_descs[gsi].exists = ioapic_has(gsi);
        irq_descs[gsi].is_masked = true;
        irq_descs[gsi].is_level = true; /* PCI */
        irq_descs[gsi].is_active_low = true;
    }
    isa_defaults();
}

/* Program the pin from its descriptor.  irq_lock held. */
static void pin_program(unsigned int gsi)
{
    const struct irq_desc *desc = &irq_descs[gsi];
    const struct ioapic_route route = {
        .vector = desc->vector,
        .is_level = desc->is_level,
        .is_active_low = desc->is_active_low,
        .apic_id = target_apic,
    };

    ioapic_route(gsi, &route, desc->is_masked || desc->is_waiting);
}

static int vector_give(unsigned int irq)
{
    if (irq_descs[irq].vector != 0) {
        return 0;
    }
    return irq_vectors_take(1, irq, &irq_descs[irq].vector);
}

int irq_setup_gsi(unsigned int gsi, bool is_level, bool is_active_low)
{
    struct irq_desc *desc;
    unsigned long flags;
    int rc = 0;

    if (gsi >= gsi_count || !irq_descs[gsi].exists) {
        return -EINVAL;
    }
    desc = &irq_descs[gsi];
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->fn != NULL) {
        if (desc->is_level != is_level ||
            desc->is_active_low != is_active_low) {
            rc = -EEXIST;
        }
    } else {
        rc = vector_give(gsi);
        if (rc == 0) {
            desc->is_level = is_level;
            desc->is_active_low = is_active_low;
            pin_program(gsi);
        }
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    return rc;
}

/* ---- handlers ------------------------------------------------------------ */

int irq_bind(unsigned int irq, void (*fn)(void *arg), void *arg,
             const char *name)
{
    struct irq_desc *desc;
    unsigned long flags;
    int rc;

    if (irq >= NR_IRQS) {
        return -EINVAL;
    }
    desc = &irq_descs[irq];
    flags = spin_lock_irqsave(&irq_lock);
    if (!desc->exists) {
        rc = -EINVAL;
    } else if (desc->fn != NULL) {
        rc = -EBUSY;
    } else {
        rc = vector_give(irq);
    }
    if (rc == 0) {
        desc->arg = arg;
        desc->name = name;
        desc->is_waiting = false;
        desc->is_masked = false;
        __atomic_store_n(&desc->fn, fn, __ATOMIC_RELEASE);
        if (desc->is_msi) {
            msi_set_mask(desc, false);
        } else {
            pin_program(irq);
        }
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    return rc;
}

void irq_unbind(unsigned int irq)
{
    struct irq_desc *desc;
    unsigned long flags;

    if (irq >= NR_IRQS) {
        return;
    }
    desc = &irq_descs[irq];
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->fn != NULL) {
        desc->is_masked = true;
        desc->is_waiting = false;
        if (desc->is_msi) {
            msi_set_mask(desc, true);
        } else {
            ioapic_set_mask(irq, true);
        }
        __atomic_store_n(&desc->fn, NULL, __ATOMIC_RELEASE);
        desc->arg = NULL;
        desc->name = NULL;
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

bool irq_has_handler(unsigned int irq)
{
    return irq < NR_IRQS &&
           __atomic_load_n(&irq_descs[irq].fn, __ATOMIC_RELAXED) != NULL;
}

bool irq_needs_eoi(unsigned int irq)
{
    return irq < NR_IRQS && irq_descs[irq].exists && !irq_descs[irq].is_msi &&
           irq_descs[irq].is_level;
}

void irq_eoi(unsigned int irq)
{
    struct irq_desc *desc;
    unsigned long flags;

    if (irq >= NR_IRQS) {
        return;
    }
    desc = &irq_descs[irq];
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->is_waiting) {
        desc->is_waiting = false;
        if (!desc->is_masked) {
            ioapic_set_mask(irq, false);
        }
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

void irq_dispatch(unsigned int vector)
{
    int irq;
    struct irq_desc *desc;
    void (*fn)(void *arg);

    if (vector >= I8259_VECTOR_FIRST && vector <= I8259_VECTOR_LAST) {
        i8259_spurious(vector);
        return;
    }
    irq = vector < ARRAY_SIZE(vector_irq) ? READ_ONCE(vector_irq[vector])
                                          : VECTOR_UNUSED;
    if (irq < 0) {
        /* A message that was on its way when its irq was freed. */
        spurious_count++;
        lapic_eoi();
        return;
    }
    desc = &irq_descs[irq];
    desc->count++;
    fn = __atomic_load_n(&desc->fn, __ATOMIC_ACQUIRE);
    if (!desc->is_msi && (desc->is_level || fn == NULL)) {
        /* Masked before the EOI, or it would come again at once. */
        ioapic_set_mask((unsigned int)irq, true);
        desc->is_waiting = fn != NULL;
    }
    lapic_eoi();
    if (fn != NULL) {
        fn(desc->arg);
    }
}

int irq_info_get(unsigned int irq, struct irq_info *ret_info)
{
    const struct irq_desc *desc;
    unsigned long flags;
    int rc = -EINVAL;

    if (irq >= NR_IRQS) {
        return -EINVAL;
    }
    desc = &irq_descs[irq];
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->exists) {
        *ret_info = (struct irq_info){
            .is_msi = desc->is_msi,
            .is_level = desc->is_level,
            .is_active_low = desc->is_active_low,
            .is_masked = desc->is_masked || desc->is_waiting,
            .has_handler = desc->fn != NULL,
            .vector = desc->vector,
            .name = desc->name,
            .count = desc->count,
        };
        rc = 0;
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    return rc;
}

int irq_ioapic_read(uint64_t base, unsigned int reg, uint32_t *ret_value)
{
    return ioapic_read_register(base, reg, ret_value);
}

uint64_t irq_ioapic_page(unsigned int n)
{
    return ioapic_address(n) & PAGE_MASK;
}
