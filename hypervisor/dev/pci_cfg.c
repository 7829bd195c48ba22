/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_cfg.c - configuration mechanism 1.
 */
#include "dev/pci_cfg.h"

#include "x86/io.h"
#include "sync/spinlock.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CF8_ENABLE     0x80000000U

/* A capability is 4 bytes at least, and none lies in the header. */
#define CAPS_MAX     48
#define HEADER_BYTES 0x40

static SPINLOCK(pci_lock, LOCK_RANK_PCI_CFG, IRQ_OFF);

static bool access_ok(unsigned int offset, unsigned int bytes)
{
    return (bytes == 1 || bytes == 2 || bytes == 4) && offset + bytes <= 4 &&
           offset % bytes == 0;
}

static uint32_t all_ones(unsigned int bytes)
{
    return bytes == 1 ? 0xffU : bytes == 2 ? 0xffffU : 0xffffffffU;
}

uint32_t pci_port_read(uint32_t cf8, unsigned int offset, unsigned int bytes)
{
    unsigned long flags;
    uint32_t v;

    if (!(cf8 & CF8_ENABLE) || !access_ok(offset, bytes)) {
        return all_ones(bytes);
    }
    flags = spin_lock_irqsave(&pci_lock);
    outl(CONFIG_ADDRESS, cf8);
    if (bytes == 1) {
        v = inb((uint16_t)(CONFIG_DATA + offset));
    } else if (bytes == 2) {
        v = inw((uint16_t)(CONFIG_DATA + offset));
    } else {
        v = inl(CONFIG_DATA);
    }
    spin_unlock_irqrestore(&pci_lock, flags);
    return v;
}

void pci_port_write(uint32_t cf8, unsigned int offset, unsigned int bytes,
                    uint32_t value)
{
    unsigned long flags;

    if (!(cf8 & CF8_ENABLE) || !access_ok(offset, bytes)) {
        return;
    }
    flags = spin_lock_irqsave(&pci_lock);
    outl(CONFIG_ADDRESS, cf8);
    if (bytes == 1) {
        outb((uint16_t)(CONFIG_DATA + offset), (uint8_t)value);
    } else if (bytes == 2) {
        outw((uint16_t)(CONFIG_DATA + offset), (uint16_t)value);
    } else {
        outl(CONFIG_DATA, value);
    }
    spin_unlock_irqrestore(&pci_lock, flags);
}

static uint32_t cf8_of(pci_bdf_t bdf, unsigned int reg)
{
    return CF8_ENABLE | (uint32_t)bdf << 8 | (reg & 0xfc);
}

uint32_t pci_cfg_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes)
{
    if (reg > 0xff) {
        return all_ones(bytes);
    }
    return pci_port_read(cf8_of(bdf, reg), reg & 3, bytes);
}

void pci_cfg_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                   uint32_t value)
{
    if (reg <= 0xff) {
        pci_port_write(cf8_of(bdf, reg), reg & 3, bytes, value);
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
    for (unsigned int i = 0; i < CAPS_MAX && at >= HEADER_BYTES; i++) {
        uint32_t header = pci_cfg_read(bdf, at, 2);

        if ((header & 0xff) == id) {
            return at;
        }
        at = (header >> 8) & 0xfc;
    }
    return 0;
}
