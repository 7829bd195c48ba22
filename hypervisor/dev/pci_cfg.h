/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_cfg.h - PCI configuration space: by ports 0xcf8 and 0xcfc, and in
 * memory where the firmware's MCFG says (other segments, registers from 256).
 *
 * A device is named by its segment, bus number and device-function number
 * (devfn: device << 3 | function).  What is asked of a device that is not
 * there reads as all ones.
 */
#ifndef VIGIL_DEV_PCI_CFG_H
#define VIGIL_DEV_PCI_CFG_H

#include "lib/compiler.h"
#include "lib/types.h"

/* segment << 16 | bus << 8 | devfn */
typedef uint32_t pci_bdf_t;

static inline pci_bdf_t pci_bdf(uint16_t segment, uint8_t bus, uint8_t devfn)
{
    return (pci_bdf_t)segment << 16 | (pci_bdf_t)bus << 8 | devfn;
}

/* For messages: "%04x:%02x:%02x.%u", PCI_BDF_ARGS(bdf) */
#define PCI_BDF_FMT       "%04x:%02x:%02x.%u"
#define PCI_BDF_ARGS(bdf)                                                      \
    (bdf) >> 16, (bdf) >> 8 & 0xff, (bdf) >> 3 & 0x1f, (bdf)&7

#define PCI_CFG_BYTES_PORTS 256U
#define PCI_CFG_BYTES       4096U

#define PCI_VENDOR_ID            0x00
#define PCI_COMMAND              0x04
#define PCI_COMMAND_MEMORY       0x0002
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_STATUS               0x06
#define PCI_STATUS_CAP_LIST      0x0010
#define PCI_CLASS                0x0b /* the base class */
#define PCI_HEADER_TYPE          0x0e
#define PCI_BAR0                 0x10
#define PCI_BAR_END              0x28
#define PCI_CAPS_FIRST           0x40 /* none lies in the header */
#define PCI_CAP_POINTER          0x34
#define PCI_CAP_MSI              0x05
#define PCI_CAP_MSIX             0x11

/**
 * pci_cfg_prepare() - make a device reachable that ports do not reach
 * @bdf: any
 *
 * Once for each bus, before pci_cfg_read() of another segment or of registers
 * from 256 on: those may be called where nothing can be mapped.
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  0; -ENODEV the MCFG has no such bus; -ENOMEM
 */
int pci_cfg_prepare(pci_bdf_t bdf) MUST_CHECK;

/**
 * pci_cfg_read() - read configuration space
 * @bdf:   device
 * @reg:   offset 0 .. 4095, aligned to @bytes
 * @bytes: 1, 2 or 4
 *
 * Context: any but NMI/#MC.
 * Return:  value; all ones: no such device, not reachable, or misaligned
 */
uint32_t pci_cfg_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes);

/**
 * pci_cfg_write() - write configuration space
 * @bdf:   device
 * @reg:   offset 0 .. 4095, aligned to @bytes
 * @bytes: 1, 2 or 4
 * @value: new value
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void pci_cfg_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                   uint32_t value);

/**
 * pci_cf8_decode() - what an access to ports 0xcfc .. 0xcff means
 * @cf8:     what was written to 0xcf8 last
 * @offset:  port - 0xcfc
 * @bytes:   1, 2 or 4
 * @ret_bdf: device
 * @ret_reg: offset in its configuration space
 *
 * Bits 24 to 30 are reserved, or AMD's way to more registers, which is off
 * unless its MSR says otherwise; they are taken for 0.
 *
 * Context: any.  Pure.
 * Return:  false: not enabled, or not an access of the register
 */
bool pci_cf8_decode(uint32_t cf8, unsigned int offset, unsigned int bytes,
                    pci_bdf_t *ret_bdf, unsigned int *ret_reg) MUST_CHECK;

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
