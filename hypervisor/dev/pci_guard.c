/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_guard.c - the control domain's writes to PCI devices, filtered.
 *
 *   MSI:    of the capability only the enable bit counts (msi_guest_control());
 *           address, data and mask bits are ours
 *   MSI-X:  of the capability only enable and mask-all count; the table's rows
 *           are ours
 *
 * Capabilities are looked for at each write: that is rare, and there is nothing
 * kept that a device could contradict.
 */
#include "dev/pci_guard.h"

#include "lib/types.h"
#include "x86/io.h"
#include "sync/spinlock.h"
#include "log/printk.h"
#include "dev/acpi_mcfg.h"
#include "dev/msi.h"
#include "dev/msix_table.h"

#define TABLES_MAX 128
#define NOBODY     0xffffffffU

static pci_bdf_t hidden = NOBODY; /* c */

static SPINLOCK(guard_lock, LOCK_RANK_PCI_PAGES, IRQ_ANY);
static struct guarded_table { /* guard_lock */
    pci_bdf_t bdf;
    struct msix_table table; /* rows 0: free */
} tables[TABLES_MAX];

void pci_hide(pci_bdf_t bdf)
{
    hidden = bdf;
}

/* ---- capabilities ---------------------------------------------------------- */

static bool overlaps(unsigned int at, unsigned int bytes, unsigned int from,
                     unsigned int length)
{
    return at < from + length && from < at + bytes;
}

static void refused(pci_bdf_t bdf, const char *what)
{
    static bool said; /* a race says it twice */

    if (!said) {
        said = true;
        pr_info("dev: the control domain writes the %s of " PCI_BDF_FMT
                " itself: not done, now and later",
                what, PCI_BDF_ARGS(bdf));
    }
}

/*
 * The 16 bits at @control as they would be after the write.  False: it does
 * not reach them.
 */
static bool control_after(pci_bdf_t bdf, unsigned int control, unsigned int reg,
                          unsigned int bytes, uint32_t value,
                          uint16_t *ret_control)
{
    uint32_t now;

    if (!overlaps(reg, bytes, control, 2)) {
        return false;
    }
    now = pci_cfg_read(bdf, control, 2);
    for (unsigned int i = 0; i < bytes; i++) {
        unsigned int at = reg + i - control; /* wraps below it */

        if (at < 2) {
            now &= ~(0xffU << (8 * at));
            now |= (value >> (8 * i) & 0xff) << (8 * at);
        }
    }
    *ret_control = (uint16_t)now;
    return true;
}

static unsigned int msi_bytes(pci_bdf_t bdf, unsigned int cap)
{
    uint32_t control = pci_cfg_read(bdf, cap + MSI_CONTROL, 2);

    return 10U + (control & MSI_CONTROL_64BIT ? 4 : 0) +
           (control & MSI_CONTROL_MASKABLE ? 10 : 0);
}

/* True: the write has been dealt with. */
static bool msi_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                      uint32_t value)
{
    unsigned int cap = pci_find_capability(bdf, PCI_CAP_MSI);
    uint16_t control;

    if (cap == 0 || !overlaps(reg, bytes, cap, msi_bytes(bdf, cap))) {
        return false;
    }
    if (control_after(bdf, cap + MSI_CONTROL, reg, bytes, value, &control)) {
        msi_guest_control(bdf, cap, control);
    } else {
        refused(bdf, "MSI message");
    }
    return true;
}

static bool msix_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                       uint32_t value)
{
    unsigned int cap = pci_find_capability(bdf, PCI_CAP_MSIX);
    uint16_t control;

    if (cap == 0 || !overlaps(reg, bytes, cap, MSIX_CAP_BYTES)) {
        return false;
    }
    if (control_after(bdf, cap + MSI_CONTROL, reg, bytes, value, &control)) {
        pci_cfg_write(bdf, cap + MSI_CONTROL, 2,
                      control & (MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASKALL));
    }
    return true; /* the rest cannot be written */
}

/* Could a table appear or move by this write? */
static bool shows_table(unsigned int reg, unsigned int bytes)
{
    return overlaps(reg, bytes, PCI_COMMAND, 2) ||
           overlaps(reg, bytes, PCI_BAR0, PCI_BAR_END - PCI_BAR0);
}

void pci_guest_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                     uint32_t value)
{
    if (bdf == hidden) {
        return;
    }
    if (reg >= PCI_CAPS_FIRST && reg < PCI_CFG_BYTES_PORTS &&
        (msi_write(bdf, reg, bytes, value) ||
         msix_write(bdf, reg, bytes, value))) {
        return;
    }
    pci_cfg_write(bdf, reg, bytes, value);
    if (shows_table(reg, bytes)) {
        pci_guard_device(bdf);
        msix_rows_moved(bdf);
    }
}

uint32_t pci_guest_port_read(uint32_t cf8, unsigned int offset,
                             unsigned int bytes)
{
    pci_bdf_t bdf;
    unsigned int reg;

    return pci_cf8_decode(cf8, offset, bytes, &bdf, &reg) &&
                       bdf != hidden
               ? pci_cfg_read(bdf, reg, bytes)
               : 0xffffffffU;
}

void pci_guest_port_write(uint32_t cf8, unsigned int offset,
                          unsigned int bytes, uint32_t value)
{
    pci_bdf_t bdf;
    unsigned int reg;

    if (pci_cf8_decode(cf8, offset, bytes, &bdf, &reg)) {
        pci_guest_write(bdf, reg, bytes, value);
    }
}

/* ---- MSI-X tables ------------------------------------------------------------ */

void pci_guard_forget(pci_bdf_t bdf)
{
    spin_lock(&guard_lock);
    for (unsigned int i = 0; i < TABLES_MAX; i++) {
        if (tables[i].bdf == bdf) {
            tables[i].table.rows = 0;
        }
    }
    spin_unlock(&guard_lock);
}

/* The entry of a device, or a free one; NULL: full.  guard_lock held. */
static struct guarded_table *entry_of(pci_bdf_t bdf)
{
    struct guarded_table *free = NULL;

    for (unsigned int i = 0; i < TABLES_MAX; i++) {
        if (tables[i].table.rows == 0) {
            free = free == NULL ? &tables[i] : free;
        } else if (tables[i].bdf == bdf) {
            return &tables[i];
        }
    }
    return free;
}

void pci_guard_device(pci_bdf_t bdf)
{
    unsigned int cap = pci_find_capability(bdf, PCI_CAP_MSIX);
    struct guarded_table *g;
    struct msix_table t;

    /* One that does not answer now stays guarded where it was last. */
    if (cap == 0 || msix_table_find(bdf, cap, &t) != 0) {
        return;
    }
    spin_lock(&guard_lock);
    g = entry_of(bdf);
    if (g != NULL) {
        *g = (struct guarded_table){.bdf = bdf, .table = t};
    }
    spin_unlock(&guard_lock);
    if (g == NULL) {
        pr_warn("dev: no room to guard the MSI-X table of " PCI_BDF_FMT,
                PCI_BDF_ARGS(bdf));
    }
}

/* Rows anywhere on the page (@whole_page), or among the @bytes at @a? */
static bool has_rows(maddr_t a, unsigned int bytes, bool whole_page)
{
    maddr_t first = whole_page ? a & PAGE_MASK : a;
    maddr_t last = whole_page ? first + PAGE_SIZE - 1 : a + bytes - 1;
    bool found = false;

    spin_lock(&guard_lock);
    for (unsigned int i = 0; i < TABLES_MAX && !found; i++) {
        const struct msix_table *t = &tables[i].table;

        found = t->rows != 0 && t->first <= last &&
                first < t->first + (maddr_t)t->rows * MSIX_ROW_BYTES;
    }
    spin_unlock(&guard_lock);
    return found;
}

/* ---- memory ---------------------------------------------------------------------- */

/* Which register of which device an address in memory is. */
static bool config_at(maddr_t a, pci_bdf_t *ret_bdf, unsigned int *ret_reg)
{
    const struct acpi_mcfg *mcfg = acpi_mcfg();

    for (unsigned int i = 0; i < mcfg->count; i++) {
        const struct mcfg_window *w = &mcfg->window[i];
        maddr_t offset = a - w->base;

        if (a >= w->base && offset >> MCFG_BUS_SHIFT >= w->bus_first &&
            offset >> MCFG_BUS_SHIFT <= w->bus_last) {
            *ret_bdf = (pci_bdf_t)w->segment << 16 |
                       (pci_bdf_t)(offset >> 12 & 0xffff);
            *ret_reg = offset & (PCI_CFG_BYTES - 1);
            return true;
        }
    }
    return false;
}

enum pci_guarded pci_guard_at(maddr_t a)
{
    pci_bdf_t bdf;
    unsigned int reg;

    if (config_at(a, &bdf, &reg)) {
        return PCI_GUARDED_CONFIG;
    }
    return has_rows(a, 1, true) ? PCI_GUARDED_TABLE : PCI_GUARDED_NOT;
}

/* One of 4 bytes at most. */
static uint32_t part_read(maddr_t a, unsigned int bytes)
{
    const volatile uint8_t *va;
    pci_bdf_t bdf;
    unsigned int reg;

    if (config_at(a, &bdf, &reg)) {
        return pci_cfg_prepare(bdf) == 0 ? pci_cfg_read(bdf, reg, bytes)
                                         : 0xffffffffU;
    }
    va = has_rows(a, 1, true) ? msix_page_map(a & PAGE_MASK) : NULL;
    return va != NULL ? ecam_read(va + (a & ~PAGE_MASK), bytes) : 0xffffffffU;
}

static void part_write(maddr_t a, unsigned int bytes, uint32_t value)
{
    volatile uint8_t *va;
    pci_bdf_t bdf;
    unsigned int reg;

    if (config_at(a, &bdf, &reg)) {
        if (pci_cfg_prepare(bdf) == 0) {
            pci_guest_write(bdf, reg, bytes, value);
        }
    } else if (!has_rows(a, bytes, false) && has_rows(a, 1, true)) {
        va = msix_page_map(a & PAGE_MASK);
        if (va != NULL) {
            ecam_write(va + (a & ~PAGE_MASK), bytes, value);
        }
    }
}

uint64_t pci_guard_read(maddr_t a, unsigned int bytes)
{
    if (bytes < 8) {
        return part_read(a, bytes);
    }
    return part_read(a, 4) | (uint64_t)part_read(a + 4, 4) << 32;
}

void pci_guard_write(maddr_t a, unsigned int bytes, uint64_t value)
{
    if (bytes < 8) {
        part_write(a, bytes, (uint32_t)value);
        return;
    }
    part_write(a, 4, (uint32_t)value);
    part_write(a + 4, 4, (uint32_t)(value >> 32));
}
