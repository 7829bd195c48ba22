/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_node.c - a short list of PCI devices and their nodes.
 */
#include "dev/pci_node.h"

#include "sync/spinlock.h"
#include "log/printk.h"
#include "dev/numa.h"

static SPINLOCK(node_lock, LOCK_RANK_DEVICE, IRQ_ANY);
static struct { /* node_lock */
    pci_bdf_t bdf;
    unsigned int node;
} known[PCI_NODES_MAX];
static unsigned int known_count; /* node_lock */

/* Where it is, or known_count.  Lock held. */
static unsigned int find(pci_bdf_t bdf)
{
    unsigned int i = 0;

    while (i < known_count && known[i].bdf != bdf) {
        i++;
    }
    return i;
}

void pci_node_set(pci_bdf_t bdf, uint32_t domain)
{
    unsigned int i, node;
    bool kept;

    if (!numa_node_of_domain(domain, &node)) {
        pci_node_forget(bdf);
        return;
    }
    spin_lock(&node_lock);
    i = find(bdf);
    kept = i < PCI_NODES_MAX;
    if (kept) {
        known[i].bdf = bdf;
        known[i].node = node;
        known_count += i == known_count;
    }
    spin_unlock(&node_lock);
    if (!kept) {
        pr_info("dev: the node of " PCI_BDF_FMT " is not kept: %u others are",
                PCI_BDF_ARGS(bdf), PCI_NODES_MAX);
    }
}

void pci_node_forget(pci_bdf_t bdf)
{
    unsigned int i;

    spin_lock(&node_lock);
    i = find(bdf);
    if (i < known_count) {
        known[i] = known[--known_count];
    }
    spin_unlock(&node_lock);
}

bool pci_node_get(pci_bdf_t bdf, unsigned int *ret_node)
{
    unsigned int i;
    bool found;

    spin_lock(&node_lock);
    i = find(bdf);
    found = i < known_count;
    if (found) {
        *ret_node = known[i].node;
    }
    spin_unlock(&node_lock);
    return found;
}
