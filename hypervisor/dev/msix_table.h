/* SPDX-License-Identifier: MIT */
/*
 * dev/msix_table.h - where a device's MSI-X table lies, and our mapping of it.
 *
 * The base is read from the device, never taken from a caller, and must not be
 * RAM or an interrupt controller: registers are input.
 */
#ifndef VIGIL_DEV_MSIX_TABLE_H
#define VIGIL_DEV_MSIX_TABLE_H

#include "lib/frames.h"
#include "dev/pci_cfg.h"

#define MSIX_ROW_BYTES 16U

struct msix_table {
    maddr_t first;     /* of row 0                 */
    unsigned int rows; /* at least 1, at most 2048 */
};

/**
 * msix_table_find() - where it lies now
 * @bdf:       device
 * @cap:       its MSI-X capability
 * @ret_table: filled in
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL it makes no sense; -ENODEV memory decoding is off, or
 *          not where a table may be
 */
int msix_table_find(pci_bdf_t bdf, unsigned int cap,
                    struct msix_table *ret_table) MUST_CHECK;

/**
 * msix_page_map() - our mapping of a page that has rows of a table
 * @page: machine address in a table msix_table_find() found, page-aligned
 *
 * For good; the second time the same.
 *
 * Context: any but NMI/#MC and interrupt handlers; lock rank below 37.
 * Return:  address; NULL no memory, or too many
 */
volatile uint8_t *msix_page_map(maddr_t page);

#endif
