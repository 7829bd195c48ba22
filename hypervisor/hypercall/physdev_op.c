/* SPDX-License-Identifier: MIT */
/*
 * hypercall/physdev_op.c - physdev_op (33): I/O privilege, interrupt lines
 * and messages, PCI devices.
 *
 * A domain sets its own I/O level and answers its own interrupts; all else is
 * the control domain's.
 * Errors: -EPERM not you, -ESRCH no such domain, -EINVAL malformed, no such
 * line, -EEXIST set up otherwise already, -ENODEV no such device or
 * capability, -ENOSPC no number or vector left, -ENOMEM, -EFAULT, -ENOSYS
 * unknown, -EOPNOTSUPP known, not offered.
 */
#include "hypercall/call.h"

#include "lib/bits.h"
#include "dev/acpi_mcfg.h"
#include "dev/irq.h"
#include "dev/pci_guard.h"
#include "dev/pci_node.h"
#include "domain/pirq.h"
#include "domain/rights.h"
#include "pv/pv.h"

#define IOPORTS 65536U

static int subject_get(domid_t domid, struct domain **ret_domain)
{
    struct domain *d = hypercall_domain(domid);

    if (d == NULL) {
        return current->domain->is_privileged ? -ESRCH : -EPERM;
    }
    if (d != current->domain && !current->domain->is_privileged) {
        domain_put(d);
        return -EPERM;
    }
    *ret_domain = d;
    return 0;
}

/* ---- any domain, about itself --------------------------------------------- */

static int64_t op_set_iopl(uint64_t arg)
{
    struct physdev_set_iopl op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.iopl > 3) {
        return -EINVAL;
    }
    current->pv->iopl = op.iopl;
    return 0;
}

static int64_t op_set_iobitmap(uint64_t arg)
{
    struct physdev_set_iobitmap op;
    uint64_t va;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    va = handle_va(op.bitmap);
    if (op.nr_ports > IOPORTS ||
        !guest_range_ok(va, DIV_ROUND_UP(op.nr_ports, 8U))) {
        return -EINVAL;
    }
    current->pv->iobmp = va;
    current->pv->iobmp_limit = op.nr_ports;
    return 0;
}

static int64_t op_eoi(uint64_t arg)
{
    struct physdev_eoi op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    return pirq_eoi(current->domain, op.irq);
}

static int64_t op_eoi_map(uint64_t arg, bool auto_unmask)
{
    struct physdev_pirq_eoi_gmfn op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    return pirq_set_eoi_map(current->domain, gfn_to_mfn_pv(gfn(op.gmfn)),
                            auto_unmask);
}

static int64_t op_status_query(uint64_t arg)
{
    struct physdev_irq_status_query op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = pirq_query(current->domain, op.irq, &op.flags);
    if (rc != 0) {
        return rc;
    }
    return copy_to_guest(arg, &op, sizeof(op));
}

/* ---- lines and messages ----------------------------------------------------- */

/*
 * A line that the control domain maps for another it gives it with that, as
 * with Xen: the tools map first, and tell of the right (irq_permission) then.
 */
static int map_gsi(struct domain *d, const struct physdev_map_pirq *op,
                   unsigned int *ret_pirq)
{
    unsigned int gsi = (unsigned int)op->index;
    bool give;
    int rc;

    if (op->index < 0 || gsi >= irq_gsi_count()) {
        return -EINVAL;
    }
    if (!rights_irq_ok(current->domain, gsi)) {
        return -EPERM;
    }
    give = d != current->domain && !rights_irq_ok(d, gsi);
    rc = give ? rights_change(d, RIGHTS_IRQ, gsi, gsi, true) : 0;
    if (rc != 0) {
        return rc;
    }
    rc = pirq_map_gsi(d, gsi, op->pirq, ret_pirq);
    if (rc != 0 && give) {
        (void)!rights_change(d, RIGHTS_IRQ, gsi, gsi, false);
    }
    return rc;
}

static int map_msi(struct domain *d, struct physdev_map_pirq *op,
                   unsigned int *ret_pirq)
{
    uint32_t segment = (uint32_t)op->bus >> 16;
    struct msi_request req = {.count = 1};

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (op->type == MAP_PIRQ_TYPE_MSI) {
        segment = 0;
    }
    if ((op->bus & 0xffff) > 0xff || op->devfn < 0 ||
        op->devfn > 0xff || op->entry_nr < 0) {
        return -EINVAL;
    }
    req.bdf = pci_bdf((uint16_t)segment, (uint8_t)op->bus, (uint8_t)op->devfn);
    if (pci_cfg_prepare(req.bdf) != 0) {
        return -ENODEV;
    }
    if (op->type == MAP_PIRQ_TYPE_MULTI_MSI) {
        if (op->entry_nr < 1 || op->entry_nr > 32) {
            return -EINVAL; /* Linux then asks for one */
        }
        req.count = 1U << order_of_count((unsigned int)op->entry_nr);
    } else if (op->table_base != 0) {
        /* Says that MSI-X is meant; where it lies we read ourselves. */
        req.is_msix = true;
        req.entry = (unsigned int)op->entry_nr;
    }
    return pirq_map_msi(d, &req, op->pirq, ret_pirq);
}

static void undo_map(domid_t domid, unsigned int pirq)
{
    struct domain *d;

    if (subject_get(domid, &d) == 0) {
        (void)!pirq_unmap(d, pirq);
        domain_put(d);
    }
}

static int64_t op_map_pirq(uint64_t arg)
{
    struct physdev_map_pirq op;
    struct domain *d;
    unsigned int pirq = 0;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.domid, &d);
    if (rc != 0) {
        return rc;
    }
    if (op.pirq < 0) {
        op.pirq = PIRQ_ANY;
    }
    switch (op.type) {
    case MAP_PIRQ_TYPE_GSI:
        rc = map_gsi(d, &op, &pirq);
        break;
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
    case MAP_PIRQ_TYPE_MULTI_MSI:
        rc = map_msi(d, &op, &pirq);
        break;
    default:
        rc = -EINVAL;
        break;
    }
    domain_put(d);
    if (rc != 0) {
        return rc;
    }
    op.pirq = (int)pirq;
    rc = copy_to_guest(arg, &op, sizeof(op));
    if (rc != 0) {
        /* Nobody knows the number: it must not stay taken. */
        undo_map(op.domid, pirq);
    }
    return rc;
}

static int64_t op_unmap_pirq(uint64_t arg)
{
    struct physdev_unmap_pirq op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.domid, &d);
    if (rc == 0) {
        rc = op.pirq < 0 ? -EINVAL : pirq_unmap(d, (unsigned int)op.pirq);
        domain_put(d);
    }
    return rc;
}

static int64_t op_setup_gsi(uint64_t arg)
{
    struct physdev_setup_gsi op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.gsi < 0) {
        return -EINVAL;
    }
    return irq_setup_gsi((unsigned int)op.gsi, op.triggering != 0,
                         op.polarity != 0);
}

/* The number Linux passes and gets back means nothing but "this line works". */
static int64_t op_alloc_irq_vector(uint64_t arg)
{
    struct physdev_irq op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.irq >= irq_gsi_count()) {
        return -EINVAL;
    }
    op.vector = op.irq;
    return copy_to_guest(arg, &op, sizeof(op));
}

static int64_t op_apic_read(uint64_t arg)
{
    struct physdev_apic op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = irq_ioapic_read(op.apic_physbase, op.reg, &op.value);
    if (rc != 0) {
        return rc;
    }
    return copy_to_guest(arg, &op, sizeof(op));
}

/* Of the calling domain, for what it will map later. */
static int64_t op_get_free_pirq(uint64_t arg)
{
    struct physdev_get_free_pirq op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.type != MAP_PIRQ_TYPE_GSI && op.type != MAP_PIRQ_TYPE_MSI) {
        return -EINVAL;
    }
    rc = pirq_reserve(current->domain, op.type == MAP_PIRQ_TYPE_GSI, &op.pirq);
    if (rc != 0) {
        return rc;
    }
    rc = copy_to_guest(arg, &op, sizeof(op));
    if (rc != 0) {
        (void)!pirq_unmap(current->domain, op.pirq);
    }
    return rc;
}

/* ---- PCI devices ------------------------------------------------------------ */

/* A device that Dom0 speaks of must answer. */
static int64_t device_found(uint16_t seg, uint8_t bus, uint8_t devfn)
{
    pci_bdf_t bdf = pci_bdf(seg, bus, devfn);

    return pci_cfg_prepare(bdf) == 0 && pci_device_exists(bdf) ? 0 : -ENODEV;
}

/* It will have a driver soon: guard what that must not write. */
static int64_t device_added(uint16_t seg, uint8_t bus, uint8_t devfn)
{
    int64_t rc = device_found(seg, bus, devfn);

    if (rc == 0) {
        pci_guard_device(pci_bdf(seg, bus, devfn));
    }
    return rc;
}

static int64_t op_device_add(uint64_t arg)
{
    struct physdev_pci_device_add op;
    uint32_t node = 0;
    int64_t rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if ((op.flags & ~(uint32_t)(XEN_PCI_DEV_EXTFN | XEN_PCI_DEV_VIRTFN |
                                XEN_PCI_DEV_PXM)) != 0) {
        return -EINVAL;
    }
    if ((op.flags & XEN_PCI_DEV_PXM) != 0 &&
        copy_from_guest(&node, arg + sizeof(op), sizeof(node)) != 0) {
        return -EFAULT;
    }
    if ((op.flags & XEN_PCI_DEV_VIRTFN) != 0 &&
        device_found(op.seg, op.physfn.bus, op.physfn.devfn) != 0) {
        return -ENODEV;
    }
    rc = device_added(op.seg, op.bus, op.devfn);
    if (rc == 0 && (op.flags & XEN_PCI_DEV_PXM) != 0) {
        pci_node_set(pci_bdf(op.seg, op.bus, op.devfn), node);
    }
    return rc;
}

/* The call before segments: with a device function of 8 bits, no flags. */
static int64_t op_manage_pci_add(uint64_t arg)
{
    struct physdev_manage_pci op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    return device_added(0, op.bus, op.devfn);
}

static int64_t op_manage_pci_add_ext(uint64_t arg)
{
    struct physdev_manage_pci_ext op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    /* What the two flags mean for more than one bit is not said anywhere. */
    if (op.is_extfn > 1 || op.is_virtfn > 1) {
        return -EINVAL;
    }
    if (op.is_virtfn &&
        device_found(0, op.physfn.bus, op.physfn.devfn) != 0) {
        return -ENODEV;
    }
    return device_added(0, op.bus, op.devfn);
}

static void device_gone(pci_bdf_t bdf)
{
    pci_guard_forget(bdf);
    pci_node_forget(bdf);
}

static int64_t op_device_remove(uint64_t arg)
{
    struct physdev_pci_device op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    device_gone(pci_bdf(op.seg, op.bus, op.devfn));
    return 0;
}

static int64_t op_manage_pci_remove(uint64_t arg)
{
    struct physdev_manage_pci op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    device_gone(pci_bdf(0, op.bus, op.devfn));
    return 0;
}

/* For a driver in another domain: has the device MSI-X to begin with? */
static int64_t op_msix(uint64_t arg)
{
    struct physdev_pci_device op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (device_added(op.seg, op.bus, op.devfn) != 0 ||
        pci_find_capability(pci_bdf(op.seg, op.bus, op.devfn),
                            PCI_CAP_MSIX) == 0) {
        return -ENODEV;
    }
    return 0;
}

/*
 * Dom0 has found configuration space in memory, and asks whether it is true.
 * Nothing depends on it here: the windows of the MCFG are guarded anyway.
 */
static int64_t op_mmcfg_reserved(uint64_t arg)
{
    struct physdev_pci_mmcfg_reserved op;
    maddr_t first, last;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.start_bus > op.end_bus) {
        return -EINVAL;
    }
    first = mcfg_base(op.segment, op.start_bus);
    last = mcfg_base(op.segment, op.end_bus);
    if (first == 0 || last == 0 ||
        first - op.start_bus * MCFG_BUS_BYTES != op.address ||
        last - op.end_bus * MCFG_BUS_BYTES != op.address) {
        return -ENODEV;
    }
    return 0;
}

/* No message is no error: Linux complains about every other answer than 0. */
static int64_t restore(uint16_t seg, uint8_t bus, uint8_t devfn)
{
    int64_t rc = device_found(seg, bus, devfn);

    if (rc == 0) {
        irq_msi_restore(pci_bdf(seg, bus, devfn));
    }
    return rc;
}

static int64_t op_restore_msi(uint64_t arg)
{
    struct physdev_restore_msi op;

    return copy_from_guest(&op, arg, sizeof(op)) != 0
               ? -EFAULT
               : restore(0, op.bus, op.devfn);
}

static int64_t op_restore_msi_ext(uint64_t arg)
{
    struct physdev_pci_device op;

    return copy_from_guest(&op, arg, sizeof(op)) != 0
               ? -EFAULT
               : restore(op.seg, op.bus, op.devfn);
}

/* A USB debug port is about to be reset: none is in use here. */
static int64_t op_dbgp(uint64_t arg)
{
    struct physdev_dbgp_op op;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if ((op.op != PHYSDEVOP_DBGP_RESET_PREPARE &&
         op.op != PHYSDEVOP_DBGP_RESET_DONE) ||
        op.bus > PHYSDEVOP_DBGP_BUS_PCI) {
        return -EINVAL;
    }
    return 0;
}

/* Operations of the control domain only. */
static int64_t control_op(uint64_t cmd, uint64_t arg)
{
    switch (cmd) {
    case PHYSDEVOP_setup_gsi:
        return op_setup_gsi(arg);
    case PHYSDEVOP_alloc_irq_vector:
        return op_alloc_irq_vector(arg);
    case PHYSDEVOP_free_irq_vector:
        return 0;
    case PHYSDEVOP_apic_read:
        return op_apic_read(arg);
    case PHYSDEVOP_apic_write:
        return -EOPNOTSUPP; /* routing is ours: setup_gsi, map_pirq */
    case PHYSDEVOP_pci_device_add:
        return op_device_add(arg);
    case PHYSDEVOP_pci_device_remove:
        return op_device_remove(arg);
    case PHYSDEVOP_prepare_msix:
    case PHYSDEVOP_release_msix:
        return op_msix(arg);
    case PHYSDEVOP_manage_pci_add:
        return op_manage_pci_add(arg);
    case PHYSDEVOP_manage_pci_add_ext:
        return op_manage_pci_add_ext(arg);
    case PHYSDEVOP_manage_pci_remove:
        return op_manage_pci_remove(arg);
    case PHYSDEVOP_pci_mmcfg_reserved:
        return op_mmcfg_reserved(arg);
    case PHYSDEVOP_restore_msi:
        return op_restore_msi(arg);
    case PHYSDEVOP_restore_msi_ext:
        return op_restore_msi_ext(arg);
    case PHYSDEVOP_dbgp_op:
        return op_dbgp(arg);
    default:
        return -ENOSYS;
    }
}

int64_t do_physdev_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    switch (a1) {
    case PHYSDEVOP_set_iopl:
        return op_set_iopl(a2);
    case PHYSDEVOP_set_iobitmap:
        return op_set_iobitmap(a2);
    case PHYSDEVOP_eoi:
        return op_eoi(a2);
    case PHYSDEVOP_IRQ_UNMASK_NOTIFY: /* the old call: says nothing more */
        return 0;
    case PHYSDEVOP_pirq_eoi_gmfn_v1:
        return op_eoi_map(a2, true);
    case PHYSDEVOP_pirq_eoi_gmfn_v2:
        return op_eoi_map(a2, false);
    case PHYSDEVOP_irq_status_query:
        return op_status_query(a2);
    case PHYSDEVOP_map_pirq:
        return op_map_pirq(a2);
    case PHYSDEVOP_unmap_pirq:
        return op_unmap_pirq(a2);
    case PHYSDEVOP_get_free_pirq:
        return op_get_free_pirq(a2);
    default:
        break;
    }
    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    return control_op(a1, a2);
}
