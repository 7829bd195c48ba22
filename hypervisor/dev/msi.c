/* SPDX-License-Identifier: MIT */
/*
 * dev/msi.c - message-signalled interrupts: allocate, program, mask.
 *
 * The control domain's kernel asks for a message, then turns MSI on in the
 * device's control register itself; address and data are ours.  MSI-X table
 * entries are written through a mapping of the device's own BAR: the base is
 * read from the device, never taken from the caller, and must not be RAM.
 *
 * Source: PCI 3.0, 6.8; SDM 3A 10.11 (address and data).
 */
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/io.h"
#include "mm/hvmap.h"
#include "mm/memmap.h"
#include "dev/ioapic.h"
#include "dev/irq_impl.h"

#define MSI_CONTROL             2
#define MSI_CONTROL_ENABLE      0x0001U
#define MSI_CONTROL_MULTI_SHIFT 4
#define MSI_CONTROL_MULTI_MASK  0x0070U
#define MSI_CONTROL_CAPABLE(c)  (((c) >> 1) & 7)
#define MSI_CONTROL_64BIT       0x0080U
#define MSI_CONTROL_MASKABLE    0x0100U
#define MSI_ADDRESS             4
#define MSI_ADDRESS_HIGH        8
#define MSI_DATA_32             8
#define MSI_DATA_64             12
#define MSI_MASK_32             12
#define MSI_MASK_64             16
#define MSI_BLOCK_MAX           32U

#define MSIX_TABLE            4
#define MSIX_TABLE_BIR        7U
#define MSIX_ENTRIES(control) (((control)&0x7ff) + 1)
#define MSIX_ROW_BYTES        16U
#define MSIX_ROW_CONTROL      3 /* 32-bit words in a row */
#define MSIX_MASKED           1U

#define BAR_IO          1U
#define BAR_TYPE_64     4U
#define BAR_TYPE_MASK   6U
#define BAR_MEMORY_MASK (~0xfU)

#define MSI_ADDRESS_BASE 0xfee00000U

/* Pages of MSI-X tables that are mapped already; iomap() is for good. */
#define MSIX_PAGES_MAX 128
static SPINLOCK(msix_lock, LOCK_RANK_MSIX_PAGES, IRQ_ANY);
static struct { /* msix_lock */
    maddr_t page;
    volatile uint8_t *va;
} msix_pages[MSIX_PAGES_MAX];

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

/* A page that a device table may lie in: not RAM, not another controller. */
static bool device_page_ok(maddr_t page)
{
    if (page == 0 || page >= 1UL << 52 ||
        memmap_type_at(page) != MEMMAP_RESERVED ||
        (page >= MSI_ADDRESS_BASE && page < MSI_ADDRESS_BASE + 0x100000UL)) {
        return false;
    }
    for (unsigned int i = 0; ioapic_address(i) != 0; i++) {
        if ((ioapic_address(i) & PAGE_MASK) == page) {
            return false;
        }
    }
    return true;
}

static volatile uint8_t *page_map_locked(maddr_t page)
{
    for (unsigned int i = 0; i < MSIX_PAGES_MAX; i++) {
        if (msix_pages[i].page == page) {
            return msix_pages[i].va;
        }
        if (msix_pages[i].page == 0) {
            msix_pages[i].va = iomap(page, PAGE_SIZE);
            if (msix_pages[i].va != NULL) {
                msix_pages[i].page = page;
            }
            return msix_pages[i].va;
        }
    }
    return NULL;
}

static volatile uint8_t *msix_page_map(maddr_t page)
{
    volatile uint8_t *va;

    spin_lock(&msix_lock);
    va = page_map_locked(page);
    spin_unlock(&msix_lock);
    return va;
}

/* Map one row of a device's MSI-X table. */
static int msix_row_map(pci_bdf_t bdf, unsigned int cap, unsigned int entry,
                        volatile uint32_t **ret_row)
{
    uint32_t control = pci_cfg_read(bdf, cap + MSI_CONTROL, 2);
    uint32_t table = pci_cfg_read(bdf, cap + MSIX_TABLE, 4);
    unsigned int bir = table & MSIX_TABLE_BIR;
    uint32_t bar;
    maddr_t a;
    volatile uint8_t *va;

    if (entry >= MSIX_ENTRIES(control) || bir > 5) {
        return -EINVAL;
    }
    if (!(pci_cfg_read(bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY)) {
        return -ENODEV; /* the table does not answer */
    }
    bar = pci_cfg_read(bdf, PCI_BAR0 + 4 * bir, 4);
    if (bar & BAR_IO) {
        return -ENODEV;
    }
    a = bar & BAR_MEMORY_MASK;
    if ((bar & BAR_TYPE_MASK) == BAR_TYPE_64 && bir < 5) {
        a |= (maddr_t)pci_cfg_read(bdf, PCI_BAR0 + 4 * (bir + 1), 4) << 32;
    }
    a += (table & ~MSIX_TABLE_BIR) + (maddr_t)entry * MSIX_ROW_BYTES;
    if (!device_page_ok(a & PAGE_MASK)) {
        return -ENODEV;
    }
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
