/* SPDX-License-Identifier: MIT */
/*
 * dev/msix_table.c - finding and mapping MSI-X tables.
 *
 * Source: PCI 3.0, 6.8.2; 6.2.5.1 (base address registers).
 */
#include "dev/msix_table.h"

#include "lib/errno.h"
#include "sync/spinlock.h"
#include "mm/hvmap.h"
#include "mm/memmap.h"
#include "dev/acpi_mcfg.h"
#include "dev/ioapic.h"
#include "dev/msi.h"

#define BARS            6U
#define BAR_IO          1U
#define BAR_TYPE_64     4U
#define BAR_TYPE_MASK   6U
#define BAR_MEMORY_MASK (~0xfU)

#define MSI_WINDOW       0xfee00000U
#define MSI_WINDOW_BYTES 0x100000U

/* Pages of MSI-X tables that are mapped already; iomap() is for good. */
#define MSIX_PAGES_MAX 128
static SPINLOCK(msix_lock, LOCK_RANK_PCI_PAGES, IRQ_ANY);
static struct { /* msix_lock */
    maddr_t page;
    volatile uint8_t *va;
} msix_pages[MSIX_PAGES_MAX];

/* A page a table may lie in: not RAM, no interrupt controller, no ECAM. */
static bool page_ok(maddr_t page)
{
    const struct acpi_mcfg *mcfg = acpi_mcfg();

    if (page == 0 || page >= 1UL << 52 ||
        memmap_type_at(page) != MEMMAP_RESERVED ||
        (page >= MSI_WINDOW && page < MSI_WINDOW + MSI_WINDOW_BYTES)) {
        return false;
    }
    for (unsigned int i = 0; ioapic_address(i) != 0; i++) {
        if ((ioapic_address(i) & PAGE_MASK) == page) {
            return false;
        }
    }
    for (unsigned int i = 0; i < mcfg->count; i++) {
        const struct mcfg_window *w = &mcfg->window[i];

        if (page >= w->base + w->bus_first * MCFG_BUS_BYTES &&
            page < w->base + (w->bus_last + 1U) * MCFG_BUS_BYTES) {
            return false;
        }
    }
    return true;
}

int msix_table_find(pci_bdf_t bdf, unsigned int cap,
                    struct msix_table *ret_table)
{
    uint32_t control = pci_cfg_read(bdf, cap + MSI_CONTROL, 2);
    uint32_t table = pci_cfg_read(bdf, cap + MSIX_TABLE, 4);
    unsigned int bir = table & MSIX_TABLE_BIR;
    struct msix_table t = {.rows = MSIX_ENTRIES(control)};
    maddr_t last;
    uint32_t bar;

    if (bir >= BARS) {
        return -EINVAL;
    }
    if (!(pci_cfg_read(bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY)) {
        return -ENODEV; /* the table does not answer */
    }
    bar = pci_cfg_read(bdf, PCI_BAR0 + 4 * bir, 4);
    if (bar & BAR_IO) {
        return -EINVAL;
    }
    t.first = bar & BAR_MEMORY_MASK;
    if ((bar & BAR_TYPE_MASK) == BAR_TYPE_64 && bir < BARS - 1) {
        t.first |= (maddr_t)pci_cfg_read(bdf, PCI_BAR0 + 4 * (bir + 1), 4)
                   << 32;
    }
    t.first += table & ~MSIX_TABLE_BIR;
    last = t.first + (maddr_t)t.rows * MSIX_ROW_BYTES - 1;
    for (maddr_t p = t.first & PAGE_MASK; p <= last; p += PAGE_SIZE) {
        if (!page_ok(p)) {
            return -ENODEV;
        }
    }
    *ret_table = t;
    return 0;
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

volatile uint8_t *msix_page_map(maddr_t page)
{
    volatile uint8_t *va;

    spin_lock(&msix_lock);
    va = page_map_locked(page);
    spin_unlock(&msix_lock);
    return va;
}
