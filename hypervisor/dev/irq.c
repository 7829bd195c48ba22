/* SPDX-License-Identifier: MIT */
/*
 * dev/irq.c - descriptors of physical interrupts, their handlers, dispatch.
 */
#include "dev/irq.h"

#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/lapic.h"
#include "dev/acpi_madt.h"
#include "dev/i8259.h"
#include "dev/ioapic.h"
#include "dev/irq_impl.h"

#define ISA_IRQS 16U

struct irq_desc irq_descs[NR_IRQS];
SPINLOCK(irq_lock, LOCK_RANK_IRQ_DESC, IRQ_OFF);

static unsigned int gsi_count;
static uint64_t spurious_count; /* a */

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
    irq_vectors_init();
    irq_storm_init();
    irq_cpu_up(this_cpu_id(), lapic_id());
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

static bool pin_is_masked(const struct irq_desc *desc)
{
    return desc->is_masked || desc->is_held ||
           __atomic_load_n(&desc->is_waiting, __ATOMIC_ACQUIRE);
}

/* Program the pin from its descriptor.  irq_lock held. */
static void pin_program(unsigned int gsi)
{
    const struct irq_desc *desc = &irq_descs[gsi];
    const struct ioapic_route route = {
        .vector = desc->vector,
        .is_level = desc->is_level,
        .is_active_low = desc->is_active_low,
        .apic_id = irq_apic(desc),
    };

    ioapic_route(gsi, &route, pin_is_masked(desc));
}

void irq_mask_update(unsigned int irq)
{
    struct irq_desc *desc = &irq_descs[irq];

    if (desc->is_msi) {
        msi_set_mask(desc, desc->is_masked || desc->is_held);
    } else {
        ioapic_set_mask(irq, pin_is_masked(desc));
    }
}

static int vector_give(unsigned int irq)
{
    return irq_descs[irq].vector != 0 ? 0 : irq_vectors_take(irq, 1);
}

/* Return: NULL: there is no such pin. */
static struct irq_desc *desc_of_gsi(unsigned int gsi)
{
    return gsi < gsi_count && irq_descs[gsi].exists ? &irq_descs[gsi] : NULL;
}

int irq_setup_gsi(unsigned int gsi, bool is_level, bool is_active_low)
{
    struct irq_desc *desc = desc_of_gsi(gsi);
    unsigned long flags;
    int rc = 0;

    if (desc == NULL) {
        return -EINVAL;
    }
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
            irq_mask_update(irq);
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
        irq_mask_update(irq);
        atomic_store(&desc->fn, NULL); /* MB(irq_unbind:A), pairs with */
        desc->name = NULL;             /* irq_running:B                */
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    /*
     * Another CPU may have read the handler.  It does not wait for us: its
     * interrupts are off and a handler takes no lock of ours.
     */
    while (atomic_load(&desc->running) != 0) {
        cpu_relax();
    }
}

/* Holds the place of a handler; NMIs do not come this way. */
static void never_called(void *arg)
{
    (void)arg;
}

int irq_take_nmi(unsigned int gsi)
{
    const struct ioapic_route route = {.is_nmi = true, .apic_id = lapic_id()};
    struct irq_desc *desc = desc_of_gsi(gsi);
    unsigned long flags;
    int rc = 0;

    if (desc == NULL) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->fn != NULL) {
        rc = -EBUSY;
    } else {
        desc->fn = never_called;
        desc->name = "watchdog NMI";
        desc->is_masked = false;
        ioapic_route(gsi, &route, false);
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    return rc;
}

void irq_give_nmi(unsigned int gsi)
{
    if (gsi < gsi_count && irq_descs[gsi].fn == never_called) {
        irq_unbind(gsi);
    }
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
        if (desc->wanted != desc->cpu) {
            /* The quiet moment for it: masked, and acknowledged there. */
            (void)!irq_move_locked(irq, desc->wanted);
        }
        desc->is_waiting = false;
        irq_mask_update(irq);
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

/* From here to irq_done() irq_unbind() waits for us. */
static void (*irq_running(struct irq_desc *desc))(void *)
{
    (void)atomic_add(&desc->running, 1U); /* MB(irq_running:B), pairs with */
                                          /* irq_unbind:A                  */
    return __atomic_load_n(&desc->fn, __ATOMIC_ACQUIRE);
}

static void irq_done(struct irq_desc *desc)
{
    (void)atomic_sub(&desc->running, 1U);
}

void irq_call(unsigned int irq)
{
    struct irq_desc *desc = &irq_descs[irq];
    uint64_t flags = irq_save();
    void (*fn)(void *arg) = irq_running(desc);

    if (fn != NULL) {
        fn(desc->arg);
    }
    irq_done(desc);
    irq_restore(flags);
}

void irq_dispatch(unsigned int vector)
{
    int irq;
    struct irq_desc *desc;
    void (*fn)(void *arg);
    uint64_t count;

    if (vector >= I8259_VECTOR_FIRST && vector <= I8259_VECTOR_LAST) {
        i8259_spurious(vector);
        return;
    }
    irq = irq_at(this_cpu_id(), vector);
    if (irq < 0) {
        /* A message that was on its way when its irq was freed. */
        (void)atomic_add(&spurious_count, 1UL);
        lapic_eoi();
        return;
    }
    desc = &irq_descs[irq];
    count = atomic_add(&desc->count, 1UL) + 1;
    fn = irq_running(desc);
    if (!desc->is_msi && (desc->is_level || fn == NULL)) {
        /* Masked before the EOI, or it would come again at once. */
        ioapic_set_mask((unsigned int)irq, true);
        __atomic_store_n(&desc->is_waiting, fn != NULL, __ATOMIC_RELEASE);
    }
    lapic_eoi();
    if (fn != NULL) {
        fn(desc->arg);
    }
    if (unlikely(count % IRQ_STORM_STRIDE == 0)) {
        irq_storm_check((unsigned int)irq);
    }
    irq_done(desc);
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
            .is_masked = pin_is_masked(desc),
            .has_handler = desc->fn != NULL,
            .vector = desc->vector,
            .cpu = desc->cpu,
            .pauses = irq_storm_pauses(irq),
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
