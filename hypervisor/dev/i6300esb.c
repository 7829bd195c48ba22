/* SPDX-License-Identifier: MIT */
/*
 * dev/i6300esb.c - two stages, the second of which ends in a reset.
 *
 * Source: Intel 6300ESB I/O Controller Hub Datasheet, chapter 16.
 */
#include "dev/i6300esb.h"

#include "lib/bits.h"
#include "x86/io.h"
#include "log/printk.h"
#include "mm/hvmap.h"
#include "crash/reboot.h"
#include "dev/acpi.h"
#include "dev/pci_cfg.h"
#include "dev/pci_guard.h"

#define VENDOR_DEVICE 0x25ab8086U
#define DEVFNS        256U
#define FUNCTIONS     8U

#define PCI_HEADER   0x0eU
#define HEADER_MULTI 0x80U
#define COMMAND_MEM  2U
#define BAR_IS_PORT  1U
#define BAR_BYTES    16U

/* In configuration space: which clock, what the stages do; on and off. */
#define CONFIG         0x60U
#define CONFIG_NO_IRQ  3U       /* the first stage ends silently          */
#define LOCK           0x68U
#define LOCK_ENABLE    2U

/* Registers; a write to any but takes RELOAD_KEY0 and 1 before it. */
#define TIMER1         0x0U
#define TIMER2         0x4U
#define RELOAD         0xcU
#define RELOAD_KEY0    0x80U
#define RELOAD_KEY1    0x86U
#define RELOAD_NOW     0x100U
#define RELOAD_EXPIRED 0x200U /* read: it has reset; written: forget that */

/* 33 MHz PCI clock by 2^15. */
#define TICKS_IN_1000_MS 1007U
#define TICKS_MAX        0xfffffU

/* Bytes 0x68 .. 0x6b of its configuration by ports; devfn << 8. */
#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define ADDRESS(devfn, reg) (0x80000000U | (devfn) << 8 | (reg))

static volatile uint8_t *regs; /* c */
static maddr_t page;           /* c */
static pci_bdf_t esb;          /* c */
static bool is_on;

static bool is_ours(pci_bdf_t bdf)
{
    return pci_cfg_read(bdf, 0, 4) == VENDOR_DEVICE;
}

/* It is part of the chipset: on the first bus. */
static bool scan(pci_bdf_t *ret_bdf)
{
    unsigned int step;

    for (unsigned int devfn = 0; devfn < DEVFNS; devfn += step) {
        pci_bdf_t bdf = pci_bdf(0, 0, (uint8_t)devfn);

        if (is_ours(bdf)) {
            *ret_bdf = bdf;
            return true;
        }
        step = 1;
        if (devfn % FUNCTIONS == 0 &&
            (!pci_device_exists(bdf) ||
             (pci_cfg_read(bdf, PCI_HEADER, 1) & HEADER_MULTI) == 0)) {
            step = FUNCTIONS;
        }
    }
    return false;
}

static void unlock(void)
{
    mmio_write16(regs + RELOAD, RELOAD_KEY0);
    mmio_write16(regs + RELOAD, RELOAD_KEY1);
}

bool esb_find(void)
{
    uint32_t bar;

    if (!scan(&esb)) {
        return false;
    }
    bar = pci_cfg_read(esb, PCI_BAR0, 4);
    if ((bar & BAR_IS_PORT) != 0 || (bar & ~15U) == 0 ||
        acpi_range_has(bar & ~15U, BAR_BYTES, ACPI_RAM)) {
        pr_warn("dev: i6300esb at " PCI_BDF_FMT ": no registers at 0x%x, not "
                "used", PCI_BDF_ARGS(esb), bar);
        return false;
    }
    regs = iomap(bar & ~15U, BAR_BYTES);
    if (regs == NULL) {
        return false;
    }
    page = ALIGN_DOWN((maddr_t)(bar & ~15U), PAGE_SIZE);
    pci_cfg_write(esb, LOCK, 1, 0);
    pci_cfg_write(esb, PCI_COMMAND, 2,
                  pci_cfg_read(esb, PCI_COMMAND, 2) | COMMAND_MEM);
    if ((mmio_read16(regs + RELOAD) & RELOAD_EXPIRED) != 0) {
        pr_notice("dev: i6300esb: it was this watchdog that reset the machine");
    }
    unlock();
    mmio_write16(regs + RELOAD, RELOAD_EXPIRED);
    pci_hide(esb);
    reboot_set_hardware_watchdog(esb_stop);
    return true;
}

void esb_start(uint64_t timeout_ms)
{
    uint32_t ticks = (uint32_t)MIN(timeout_ms * TICKS_IN_1000_MS / 2000,
                                   TICKS_MAX);

    pci_cfg_write(esb, CONFIG, 2, CONFIG_NO_IRQ);
    unlock();
    mmio_write32(regs + TIMER1, ticks);
    unlock();
    mmio_write32(regs + TIMER2, ticks);
    esb_feed();
    pci_cfg_write(esb, LOCK, 1, LOCK_ENABLE);
    is_on = true;
}

void esb_feed(void)
{
    unlock();
    mmio_write16(regs + RELOAD, RELOAD_NOW);
}

void esb_stop(void)
{
    if (!is_on) {
        return;
    }
    /* Who holds the lock of these ports may stand still for good. */
    outl(PORT_ADDRESS, ADDRESS(esb & 0xff, LOCK));
    outb(PORT_DATA, 0);
}

maddr_t esb_page(void)
{
    return page;
}
