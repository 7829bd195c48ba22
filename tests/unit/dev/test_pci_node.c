/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_node: devices come with a node, change it, go, and are too many.
 */
#include "tests/unit/unit.h"

#include "dev/numa.h"
#include "dev/pci_node.h"
#include "fake_hw.h"
#include "fake_printk.h"

/* Proximity domains 10 and 11 are nodes 0 and 1. */
bool numa_node_of_domain(uint32_t domain, unsigned int *ret_node)
{
    if (domain != 10 && domain != 11) {
        return false;
    }
    *ret_node = domain - 10;
    return true;
}

/* The node of @bdf; -1: nobody has said. */
static int node_of(pci_bdf_t bdf)
{
    unsigned int node = 77;

    return pci_node_get(bdf, &node) ? (int)node : -1;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_printk_forget();
    return 0;
}

static void comes_and_goes(void **state)
{
    (void)state;
    assert_int_equal(node_of(8), -1);
    pci_node_set(8, 11);
    pci_node_set(16, 10);
    assert_int_equal(node_of(8), 1);
    assert_int_equal(node_of(16), 0);
    pci_node_set(8, 10);
    assert_int_equal(node_of(8), 0);
    /* A domain that the SRAT has not: nothing is known any more. */
    pci_node_set(8, 12);
    assert_int_equal(node_of(8), -1);
    assert_int_equal(node_of(16), 0);
    pci_node_forget(8);
    pci_node_forget(16);
    assert_int_equal(node_of(16), -1);
}

static void too_many(void **state)
{
    (void)state;
    for (pci_bdf_t bdf = 0; bdf < PCI_NODES_MAX; bdf++) {
        pci_node_set(bdf, 10 + bdf % 2);
    }
    pci_node_set(PCI_NODES_MAX, 10);
    assert_true(fake_printk_said("is not kept"));
    assert_int_equal(node_of(PCI_NODES_MAX), -1);
    /* One goes: the others stay, and there is room again. */
    pci_node_forget(5);
    for (pci_bdf_t bdf = 0; bdf < PCI_NODES_MAX; bdf++) {
        assert_int_equal(node_of(bdf), bdf == 5 ? -1 : (int)(bdf % 2));
    }
    pci_node_set(PCI_NODES_MAX, 11);
    assert_int_equal(node_of(PCI_NODES_MAX), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(comes_and_goes, set_up),
        cmocka_unit_test_setup(too_many, set_up),
    };

    return UNIT_RUN(tests);
}
