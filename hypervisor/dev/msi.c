/* SPDX-License-Identifier: MIT */
/*
 * dev/msi.c - message-signalled interrupts: allocate, program, mask.
 *
 * The control domain's kernel asks for a message, then turns MSI on in the
 * device's control register itself (pci_guard.c sees to it that it does no
 * more); address and data are ours.
 *
 * Source: PCI 3.0, 6.8; SDM 3A 10.11 (address and data).
 */
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/io.h"
#include "dev/irq_impl.h"
#include "dev/msi.h"
#include "dev/msix_table.h"

#define MSIX_ROW_CONTROL 3 /* 32-bit words in a row */
#define MSIX_MASKED      1U

#define MSI_ADDRESS_BASE 0xfee00000U

static uint32_t message_address(const struct irq_desc *desc)
{
    return MSI_ADDRESS_BASE | (irq_apic(desc) & 0xff) << 12;
}

static bool is_64bit(const struct irq_desc *desc)
{
    return (pci_cfg_read(desc->bdf, desc->cap + MSI_CONTROL, 2) &
            MSI_CONTROL_64BIT) != 0;
}

bool msi_can_mask(const struct irq_desc *desc)
{
    return desc->is_msix ||
           (pci_cfg_read(desc->bdf, desc->cap + MSI_CONTROL, 2) &
            MSI_CONTROL_MASKABLE) != 0;
}

/*
 * MSI without mask bits.  Without a handler irq_dispatch() drops what comes;
 * only to hold back a storm the whole function is turned off.
 */
static void hold_by_enable(struct irq_desc *desc, uint32_t control)
{
    uint32_t new = control & ~MSI_CONTROL_ENABLE;

    if (desc->is_held) {
        desc->was_enabled = new != control;
    } else if (desc->was_enabled) {
        desc->was_enabled = false;
        new |= MSI_CONTROL_ENABLE;
    } else {
        return;
    }
    pci_cfg_write(desc->bdf, desc->cap + MSI_CONTROL, 2, new);
}

void msi_set_mask(struct irq_desc *desc, bool is_masked)
{
    uint32_t control, at, mask;

    if (desc->is_msix) {
        desc->row[MSIX_ROW_CONTROL] = is_masked ? MSIX_MASKED : 0;
        (void)desc->row[MSIX_ROW_CONTROL]; /* posted write has arrived */
        return;
    }
    control = pci_cfg_read(desc->bdf, desc->cap + MSI_CONTROL, 2);
    if (!(control & MSI_CONTROL_MASKABLE)) {
        hold_by_enable(desc, control);
        return;
    }
    at = desc->cap + (control & MSI_CONTROL_64BIT ? MSI_MASK_64 : MSI_MASK_32);
    mask = pci_cfg_read(desc->bdf, at, 4);
    mask = is_masked ? mask | 1U << desc->entry : mask & ~(1U << desc->entry);
    pci_cfg_write(desc->bdf, at, 4, mask);
}

void msix_mask_now(const struct irq_desc *desc)
{
    desc->row[MSIX_ROW_CONTROL] = MSIX_MASKED;
    (void)desc->row[MSIX_ROW_CONTROL];
}

void msi_move(const struct irq_desc *desc)
{
    uint32_t control;

    if (desc->is_msix) {
        /* A row may be changed only while it is masked (PCI 3.0, 6.8.2.9). */
        control = desc->row[MSIX_ROW_CONTROL];
        desc->row[MSIX_ROW_CONTROL] = control | MSIX_MASKED;
        desc->row[0] = message_address(desc);
        desc->row[MSIX_ROW_CONTROL] = control;
        (void)desc->row[MSIX_ROW_CONTROL];
    } else {
        pci_cfg_write(desc->bdf, desc->cap + MSI_ADDRESS, 4,
                      message_address(desc));
    }
}

/* Write address and data.  irq_lock held. */
static void message_write(struct irq_desc *desc)
{
    if (desc->is_msix) {
        desc->row[MSIX_ROW_CONTROL] = MSIX_MASKED;
        desc->row[0] = message_address(desc);
        desc->row[1] = 0;
        desc->row[2] = desc->vector;
        msi_set_mask(desc, desc->is_masked || desc->is_held);
        return;
    }
    if (desc->entry == 0) { /* the first of a block stands for all */
        bool wide = is_64bit(desc);
        uint32_t control = pci_cfg_read(desc->bdf, desc->cap + MSI_CONTROL, 2);

        control &= ~MSI_CONTROL_MULTI_MASK;
        control |= order_of_count(desc->block) << MSI_CONTROL_MULTI_SHIFT;
        pci_cfg_write(desc->bdf, desc->cap + MSI_ADDRESS, 4, message_address(desc));
        if (wide) {
            pci_cfg_write(desc->bdf, desc->cap + MSI_ADDRESS_HIGH, 4, 0);
        }
        pci_cfg_write(desc->bdf, desc->cap + (wide ? MSI_DATA_64 : MSI_DATA_32),
                      2, desc->vector);
        pci_cfg_write(desc->bdf, desc->cap + MSI_CONTROL, 2, control);
    }
    msi_set_mask(desc, desc->is_masked || desc->is_held);
}

/* Map one row of a device's MSI-X table. */
static int msix_row_map(pci_bdf_t bdf, unsigned int cap, unsigned int entry,
                        volatile uint32_t **ret_row)
{
    struct msix_table table;
    volatile uint8_t *va;
    maddr_t a;
    int rc = msix_table_find(bdf, cap, &table);

    if (rc != 0) {
        return rc;
    }
    if (entry >= table.rows) {
        return -EINVAL;
    }
    a = table.first + (maddr_t)entry * MSIX_ROW_BYTES;
    va = msix_page_map(a & PAGE_MASK);
    if (va == NULL) {
        return -ENOMEM;
    }
    va += a & (PAGE_SIZE - 1);
    *ret_row = (volatile uint32_t *)(volatile void *)va;
    return 0;
}

static bool entry_in_use(pci_bdf_t bdf, bool is_msix, unsigned int entry)
{
    for (unsigned int i = 0; i < NR_IRQS; i++) {
        const struct irq_desc *desc = &irq_descs[i];

        if (desc->exists && desc->is_msi && desc->bdf == bdf &&
            (desc->is_msix != is_msix || !is_msix || desc->entry == entry)) {
            return true;
        }
    }
    return false;
}

/* @count unused descriptors in a row above the pins; 0: none. */
static unsigned int descs_find(unsigned int count)
{
    unsigned int run = 0;

    for (unsigned int i = MAX(irq_gsi_count(), 16U); i < NR_IRQS; i++) {
        run = irq_descs[i].exists ? 0 : run + 1;
        if (run == count) {
            return i + 1 - count;
        }
    }
    return 0;
}

int irq_msi_alloc(const struct msi_request *req, unsigned int *ret_first_irq)
{
    unsigned int cap, first, count = req->count;
    volatile uint32_t *row = NULL;
    unsigned long flags;
    int rc = 0;

    cap = pci_find_capability(req->bdf,
                              req->is_msix ? PCI_CAP_MSIX : PCI_CAP_MSI);
    if (cap == 0) {
        return -ENODEV;
    }
    if (count == 0 || count > MSI_BLOCK_MAX || (count & (count - 1)) != 0 ||
        (req->is_msix && count != 1)) {
        return -EINVAL;
    }
    if (req->is_msix) {
        rc = msix_row_map(req->bdf, cap, req->entry, &row);
        if (rc != 0) {
            return rc;
        }
    } else if (order_of_count(count) > MSI_CONTROL_CAPABLE(pci_cfg_read(
                                           req->bdf, cap + MSI_CONTROL, 2))) {
        return -EINVAL;
    }

    flags = spin_lock_irqsave(&irq_lock);
    first = descs_find(count);
    if (entry_in_use(req->bdf, req->is_msix, req->entry)) {
        rc = -EEXIST;
    } else if (first == 0) {
        rc = -ENOSPC;
    } else {
        for (unsigned int i = 0; i < count; i++) {
            irq_descs[first + i] = (struct irq_desc){
                .exists = true,
                .is_msi = true,
                .is_masked = true,
                .bdf = req->bdf,
                .is_msix = req->is_msix,
                .cap = (uint8_t)cap,
                .entry = (uint16_t)(req->is_msix ? req->entry : i),
                .block = (uint16_t)count,
                .row = row,
            };
        }
        rc = irq_vectors_take(first, count);
        for (unsigned int i = 0; i < count; i++) {
            if (rc == 0) {
                message_write(&irq_descs[first + i]);
            } else {
                irq_descs[first + i] = (struct irq_desc){.exists = false};
            }
        }
    }
    if (rc == 0) {
        *ret_first_irq = first;
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    return rc;
}

void irq_msi_free(unsigned int irq)
{
    struct irq_desc *desc;
    unsigned long flags;

    if (irq >= NR_IRQS) {
        return;
    }
    desc = &irq_descs[irq];
    irq_unbind(irq);
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->exists && desc->is_msi) {
        desc->is_masked = true;
        desc->is_held = false;
        desc->was_enabled = false;
        msi_set_mask(desc, true);
        irq_vector_free(irq);
        *desc = (struct irq_desc){.exists = false};
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

void irq_msi_restore(pci_bdf_t bdf)
{
    unsigned long flags = spin_lock_irqsave(&irq_lock);

    for (unsigned int i = 0; i < NR_IRQS; i++) {
        struct irq_desc *desc = &irq_descs[i];

        if (desc->exists && desc->is_msi && desc->bdf == bdf) {
            message_write(desc);
        }
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

/* The MSI-X message of a device behind an irq? */
static bool is_row_of(const struct irq_desc *desc, pci_bdf_t bdf)
{
    return desc->exists && desc->is_msi && desc->is_msix && desc->bdf == bdf;
}

void msix_rows_moved(pci_bdf_t bdf)
{
    for (unsigned int i = 0; i < NR_IRQS; i++) {
        struct irq_desc *desc = &irq_descs[i];
        volatile uint32_t *row;
        unsigned long flags = spin_lock_irqsave(&irq_lock);
        bool found = is_row_of(desc, bdf);
        unsigned int cap = desc->cap, entry = desc->entry;

        spin_unlock_irqrestore(&irq_lock, flags);
        /* Not under the lock: it may have to be mapped. */
        if (!found || msix_row_map(bdf, cap, entry, &row) != 0) {
            continue;
        }
        flags = spin_lock_irqsave(&irq_lock);
        if (is_row_of(desc, bdf) && desc->entry == entry && desc->row != row) {
            desc->row = row;
            message_write(desc);
        }
        spin_unlock_irqrestore(&irq_lock, flags);
    }
}

void msi_guest_control(pci_bdf_t bdf, unsigned int cap, uint16_t wanted)
{
    unsigned long flags = spin_lock_irqsave(&irq_lock);
    uint16_t control = (uint16_t)pci_cfg_read(bdf, cap + MSI_CONTROL, 2);
    bool enable = (wanted & MSI_CONTROL_ENABLE) != 0, ours = false;

    for (unsigned int i = 0; i < NR_IRQS; i++) {
        struct irq_desc *desc = &irq_descs[i];

        if (!desc->exists || !desc->is_msi || desc->is_msix ||
            desc->bdf != bdf) {
            continue;
        }
        ours = true;
        if (desc->is_held && !(control & MSI_CONTROL_MASKABLE)) {
            desc->was_enabled = enable; /* when the pause is over */
            enable = false;
        }
    }
    control &= (uint16_t)~MSI_CONTROL_ENABLE;
    if (enable && ours) {
        control |= MSI_CONTROL_ENABLE;
    }
    pci_cfg_write(bdf, cap + MSI_CONTROL, 2, control);
    spin_unlock_irqrestore(&irq_lock, flags);
}
