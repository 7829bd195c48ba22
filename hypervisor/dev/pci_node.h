/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_node.h - which node a PCI device is near, as the control domain's
 * firmware (_PXM) has it.  Told, not acted upon.
 */
#ifndef VIGIL_DEV_PCI_NODE_H
#define VIGIL_DEV_PCI_NODE_H

#include "dev/pci_cfg.h"

#define PCI_NODES_MAX 256 /* devices that are remembered */

/**
 * pci_node_set() - a device belongs to a proximity domain
 * @bdf:    device
 * @domain: as the SRAT numbers them; one it does not have is not remembered
 *
 * Context: any but NMI/#MC.
 */
void pci_node_set(pci_bdf_t bdf, uint32_t domain);

/**
 * pci_node_forget() - a device goes, or nothing is known of it
 * @bdf: any
 *
 * Context: any but NMI/#MC.
 */
void pci_node_forget(pci_bdf_t bdf);

/**
 * pci_node_get() - the node a device is near
 * @bdf:      any
 * @ret_node: set when true is returned
 *
 * Context: any but NMI/#MC.
 * Return:  true: somebody has said it
 */
bool pci_node_get(pci_bdf_t bdf, unsigned int *ret_node) MUST_CHECK;

#endif
