/* SPDX-License-Identifier: MIT */
/*
 * dev/msi.h - registers of the MSI and MSI-X capabilities, and what the control
 * domain's writes to them do.
 *
 * Source: PCI 3.0, 6.8.
 */
#ifndef VIGIL_DEV_MSI_H
#define VIGIL_DEV_MSI_H

#include "dev/pci_cfg.h"

/* Offsets in the MSI capability; its control register is also MSI-X's. */
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

#define MSIX_CAP_BYTES        12U
#define MSIX_CONTROL_ENABLE   0x8000U
#define MSIX_CONTROL_MASKALL  0x4000U
#define MSIX_TABLE            4
#define MSIX_TABLE_BIR        7U
#define MSIX_ENTRIES(control) (((control)&0x7ff) + 1)

/**
 * msi_guest_control() - the control domain writes a device's MSI control
 * @bdf:    device
 * @cap:    its MSI capability
 * @wanted: what was written; only the enable bit counts
 *
 * Messages can be turned on only if they are ours (irq_msi_alloc()), and not
 * while they are held back: then at the end of that.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void msi_guest_control(pci_bdf_t bdf, unsigned int cap, uint16_t wanted);

/**
 * msix_rows_moved() - a device's MSI-X table may lie elsewhere now
 * @bdf: device
 *
 * Messages whose row has moved are written to the new place.
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  nothing.
 */
void msix_rows_moved(pci_bdf_t bdf);

#endif
