/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_guard.h - what the control domain may write to PCI devices.
 *
 * It configures them itself, but for the messages they send: those are the
 * hypervisor's (dev/msi.c), or a device could be made to send any vector to
 * any CPU.  So writes to MSI and MSI-X capabilities are filtered, however they
 * come, and the pages of MSI-X tables and of configuration space in memory are
 * mapped read-only into domains; a write there faults and is done here.
 */
#ifndef VIGIL_DEV_PCI_GUARD_H
#define VIGIL_DEV_PCI_GUARD_H

#include "lib/frames.h"
#include "dev/pci_cfg.h"

enum pci_guarded {
    PCI_GUARDED_NOT,
    PCI_GUARDED_CONFIG, /* configuration space in memory */
    PCI_GUARDED_TABLE,  /* a page with rows of an MSI-X table */
};

/**
 * pci_hide() - a device of our own: the control domain finds none there
 * @bdf: reachable by ports
 *
 * Context: boot; one device.
 * Return:  nothing.
 */
void pci_hide(pci_bdf_t bdf);

/**
 * pci_guest_port_read() - the control domain reads ports 0xcfc .. 0xcff
 * @cf8:    what it wrote to 0xcf8 last
 * @offset: port - 0xcfc
 * @bytes:  1, 2 or 4; @offset + @bytes <= 4
 *
 * Context: any but NMI/#MC.
 * Return:  value, all ones for what does not exist
 */
uint32_t pci_guest_port_read(uint32_t cf8, unsigned int offset,
                             unsigned int bytes);

/**
 * pci_guest_port_write() - the control domain writes ports 0xcfc .. 0xcff
 * @cf8:    what it wrote to 0xcf8 last
 * @offset: port - 0xcfc
 * @bytes:  1, 2 or 4; @offset + @bytes <= 4
 * @value:  value
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  nothing.
 */
void pci_guest_port_write(uint32_t cf8, unsigned int offset,
                          unsigned int bytes, uint32_t value);

/**
 * pci_guest_write() - the control domain writes configuration space
 * @bdf:   device
 * @reg:   offset 0 .. 4095
 * @bytes: 1, 2 or 4
 * @value: value
 *
 * What is misaligned or guarded is not done; nothing is said to the domain.
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  nothing.
 */
void pci_guest_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                     uint32_t value);

/**
 * pci_guard_device() - a device is there: guard its MSI-X table where it is
 * @bdf: any; looked at again after each write that may move or show it
 *
 * Mappings that exist already stay as they are.
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  nothing.
 */
void pci_guard_device(pci_bdf_t bdf);

/**
 * pci_guard_forget() - a device is gone
 * @bdf: any
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  nothing.
 */
void pci_guard_forget(pci_bdf_t bdf);

/**
 * pci_guard_at() - may a domain not write there itself?
 * @a: machine address
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  why not, for all of the page
 */
enum pci_guarded pci_guard_at(maddr_t a);

/**
 * pci_guard_read() - read what pci_guard_at() names
 * @a:     machine address, aligned to @bytes
 * @bytes: 1, 2, 4 or 8
 *
 * Context: as pci_guard_at().
 * Return:  value; all ones where nothing answers
 */
uint64_t pci_guard_read(maddr_t a, unsigned int bytes);

/**
 * pci_guard_write() - a domain's write to what pci_guard_at() names
 * @a:     machine address, aligned to @bytes
 * @bytes: 1, 2, 4 or 8
 * @value: value
 *
 * Configuration space as pci_guest_write(); rows of a table are left as they
 * are, what lies beside them on the page is written.
 *
 * Context: as pci_guard_at().
 * Return:  nothing.
 */
void pci_guard_write(maddr_t a, unsigned int bytes, uint64_t value);

#endif
