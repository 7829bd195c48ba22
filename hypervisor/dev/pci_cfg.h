/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_cfg.h - PCI configuration space by ports 0xcf8 and 0xcfc, and the
 * message-signalled interrupts found there.
 *
 * A device is named by its bus number and device-function number (devfn:
 * device << 3 | function), segment 0.
 */
#ifndef VIGIL_DEV_PCI_CFG_H
#define VIGIL_DEV_PCI_CFG_H

#include "lib/compiler.h"
#include "lib/types.h"

/* bus << 8 | devfn */
typedef uint16_t pci_bdf_t;

static inline pci_bdf_t pci_bdf(uint8_t bus, uint8_t devfn)
{
    return (pci_bdf_t)(bus << 8 | devfn);
}

#define PCI_VENDOR_ID            0x00
#define PCI_COMMAND              0x04
#define PCI_COMMAND_MEMORY       0x0002
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_STATUS               0x06
#define PCI_STATUS_CAP_LIST      0x0010
#define PCI_CLASS                0x0b /* the base class */
#define PCI_HEADER_TYPE          0x0e
#define PCI_BAR0                 0x10
#define PCI_CAP_POINTER          0x34
#define PCI_CAP_MSI              0x05
#define PCI_CAP_MSIX             0x11

/**
 * pci_cfg_read() - read configuration space
 * @bdf:   device
 * @reg:   offset 0 .. 255, aligned to @bytes
 * @bytes: 1, 2 or 4
 *
 * Context: any but NMI/#MC.
 * Return:  value; all ones: no such device, or misaligned
 */
uint32_t pci_cfg_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes);

/**
 * pci_cfg_write() - write configuration space
 * @bdf:   device
 * @reg:   offset 0 .. 255, aligned to @bytes
 * @bytes: 1, 2 or 4
 * @value: new value
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void pci_cfg_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                   uint32_t value);

/**
 * pci_port_read() - a domain's read of ports 0xcfc .. 0xcff
 * @cf8:    what it wrote to 0xcf8 last
 * @offset: port - 0xcfc
 * @bytes:  1, 2 or 4; @offset + @bytes <= 4
 *
 * Context: any but NMI/#MC.
 * Return:  value, all ones for what does not exist
 */
uint32_t pci_port_read(uint32_t cf8, unsigned int offset, unsigned int bytes);

/**
 * pci_port_write() - a domain's write of ports 0xcfc .. 0xcff
 * @cf8:    what it wrote to 0xcf8 last
 * @offset: port - 0xcfc
 * @bytes:  1, 2 or 4; @offset + @bytes <= 4
 * @value:  value
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void pci_port_write(uint32_t cf8, unsigned int offset, unsigned int bytes,
                    uint32_t value);

/**
 * pci_device_exists() - does a device answer?
 * @bdf: any
 *
 * Context: any but NMI/#MC.
 * Return:  true: it has a vendor
 */
bool pci_device_exists(pci_bdf_t bdf);

/**
 * pci_find_capability() - where a capability structure lies
 * @bdf: device
 * @id:  PCI_CAP_*
 *
 * Bounded, whatever the device's pointers say.
 *
 * Context: any but NMI/#MC.
 * Return:  offset in configuration space; 0: none
 */
unsigned int pci_find_capability(pci_bdf_t bdf, uint8_t id);

#endif
