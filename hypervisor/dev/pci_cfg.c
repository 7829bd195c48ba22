/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_cfg.c - configuration mechanism 1, and ECAM for what it cannot reach.
 */
#include "dev/pci_cfg.h"

#include "lib/errno.h"
#include "x86/io.h"
#include "sync/spinlock.h"
#include "mm/hvmap.h"
#include "dev/acpi_mcfg.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CF8_ENABLE     0x80000000U
#define CF8_DEVICE     0x00ffff00U
#define CF8_REGISTER   0x000000fcU

/* A capability is 4 bytes at least. */
#define CAPS_MAX 48

#define BUSES 256U

static SPINLOCK(pci_lock, LOCK_RANK_PCI_CFG, IRQ_OFF);

/* A bus's 1 MiB, once it was asked for; for good.  Read without the lock. */
static SPINLOCK(ecam_lock, LOCK_RANK_PCI_PAGES, IRQ_ANY);
static volatile uint8_t *ecam_bus[MCFG_WINDOWS_MAX][BUSES];

static bool access_ok(unsigned int reg, unsigned int bytes)
{
    return (bytes == 1 || bytes == 2 || bytes == 4) && reg % bytes == 0 &&
           reg < PCI_CFG_BYTES;
}

static uint32_t all_ones(unsigned int bytes)
{
    return bytes == 1 ? 0xffU : bytes == 2 ? 0xffffU : 0xffffffffU;
}

/* ---- ports ------------------------------------------------------------------- */

static uint32_t port_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes)
{
    uint16_t port = (uint16_t)(CONFIG_DATA + reg % 4);
    unsigned long flags = spin_lock_irqsave(&pci_lock);
    uint32_t v;

    outl(CONFIG_ADDRESS, CF8_ENABLE | bdf << 8 | (reg & CF8_REGISTER));
    if (bytes == 1) {
        v = inb(port);
    } else if (bytes == 2) {
        v = inw(port);
    } else {
        v = inl(port);
    }
    spin_unlock_irqrestore(&pci_lock, flags);
    return v;
}

static void port_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                       uint32_t value)
{
    uint16_t port = (uint16_t)(CONFIG_DATA + reg % 4);
    unsigned long flags = spin_lock_irqsave(&pci_lock);

    outl(CONFIG_ADDRESS, CF8_ENABLE | bdf << 8 | (reg & CF8_REGISTER));
    if (bytes == 1) {
        outb(port, (uint8_t)value);
    } else if (bytes == 2) {
        outw(port, (uint16_t)value);
    } else {
        outl(port, value);
    }
    spin_unlock_irqrestore(&pci_lock, flags);
}

bool pci_cf8_decode(uint32_t cf8, unsigned int offset, unsigned int bytes,
                    pci_bdf_t *ret_bdf, unsigned int *ret_reg)
{
    if (!(cf8 & CF8_ENABLE) || !access_ok(offset, bytes) ||
        offset + bytes > 4) {
        return false;
    }
    *ret_bdf = (cf8 & CF8_DEVICE) >> 8;
    *ret_reg = (cf8 & CF8_REGISTER) + offset;
    return true;
}

/* ---- memory -------------------------------------------------------------------- */

/* Where the pointer to a bus is kept; NULL: it is in no window. */
static volatile uint8_t **ecam_slot(pci_bdf_t bdf, maddr_t *ret_base)
{
    const struct acpi_mcfg *mcfg = acpi_mcfg();
    uint8_t bus = (uint8_t)(bdf >> 8);

    for (unsigned int i = 0; i < mcfg->count && i < MCFG_WINDOWS_MAX; i++) {
        const struct mcfg_window *w = &mcfg->window[i];

        if (w->segment == bdf >> 16 && bus >= w->bus_first &&
            bus <= w->bus_last) {
            *ret_base = w->base + ((maddr_t)bus << MCFG_BUS_SHIFT);
            return &ecam_bus[i][bus];
        }
    }
    return NULL;
}

int pci_cfg_prepare(pci_bdf_t bdf)
{
    maddr_t base;
    volatile uint8_t **slot = ecam_slot(bdf, &base), *va;
    int rc = 0;

    if (slot == NULL) {
        return bdf >> 16 == 0 ? 0 : -ENODEV; /* segment 0 has ports */
    }
    if (__atomic_load_n(slot, __ATOMIC_ACQUIRE) != NULL) {
        return 0;
    }
    spin_lock(&ecam_lock);
    if (*slot == NULL) {
        va = iomap(base, MCFG_BUS_BYTES);
        if (va != NULL) {
            __atomic_store_n(slot, va, __ATOMIC_RELEASE);
        } else if (bdf >> 16 != 0) {
            rc = -ENOMEM;
        }
    }
    spin_unlock(&ecam_lock);
    return rc;
}

static volatile uint8_t *ecam_va(pci_bdf_t bdf, unsigned int reg)
{
    maddr_t base;
    volatile uint8_t **slot = ecam_slot(bdf, &base);
    volatile uint8_t *va =
        slot != NULL ? __atomic_load_n(slot, __ATOMIC_ACQUIRE) : NULL;

    return va != NULL ? va + ((bdf & 0xff) << 12) + reg : NULL;
}

/* ---- either -------------------------------------------------------------------- */

static bool by_ports(pci_bdf_t bdf, unsigned int reg)
{
    return bdf >> 16 == 0 && reg < PCI_CFG_BYTES_PORTS;
}

uint32_t pci_cfg_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes)
{
    const volatile uint8_t *va;

    if (!access_ok(reg, bytes)) {
        return all_ones(bytes);
    }
    if (by_ports(bdf, reg)) {
        return port_read(bdf, reg, bytes);
    }
    va = ecam_va(bdf, reg);
    return va != NULL ? ecam_read(va, bytes) : all_ones(bytes);
}

void pci_cfg_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                   uint32_t value)
{
    volatile uint8_t *va;

    if (!access_ok(reg, bytes)) {
        return;
    }
    if (by_ports(bdf, reg)) {
        port_write(bdf, reg, bytes, value);
        return;
    }
    va = ecam_va(bdf, reg);
    if (va != NULL) {
        ecam_write(va, bytes, value);
    }
}

bool pci_device_exists(pci_bdf_t bdf)
{
    return pci_cfg_read(bdf, PCI_VENDOR_ID, 2) != 0xffff;
}

unsigned int pci_find_capability(pci_bdf_t bdf, uint8_t id)
{
    unsigned int at;

    if (!pci_device_exists(bdf) ||
        !(pci_cfg_read(bdf, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST)) {
        return 0;
    }
    at = pci_cfg_read(bdf, PCI_CAP_POINTER, 1) & 0xfc;
    for (unsigned int i = 0; i < CAPS_MAX && at >= PCI_CAPS_FIRST; i++) {
        uint32_t header = pci_cfg_read(bdf, at, 2);

        if ((header & 0xff) == id) {
            return at;
        }
        at = (header >> 8) & 0xfc;
    }
    return 0;
}
