/* SPDX-License-Identifier: MIT */
/*
 * hypercall/domctl_setup.c - domctl: what a builder, a restorer or a device
 * passthrough sets up: processor policy, clock, hypercall page, rights.
 */
#include "log/printk.h"
#include "cpu/clock.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "domain/rights.h"
#include "domain/vclock.h"
#include "domain/virq.h"
#include "pv/ctrlreg.h"
#include "pv/guest_cpuid.h"
#include "pv/hypercall_page.h"
#include "pv/pagetype.h"
#include "hypercall/domctl.h"
#include "hypercall/xenctl_bitmap.h"

#define TSC_MODE_DEFAULT        0
#define TSC_MODE_ALWAYS_EMULATE 1
#define TSC_MODE_NEVER_EMULATE  2

#define NODE_BITS   64
#define NODES_THERE 1UL

static int64_t get_policy(const struct domain *d,
                          struct xen_domctl_cpu_policy *p, bool *ret_back)
{
    unsigned int leaves_max = CPU_POLICY_LEAVES_MAX;
    xen_msr_entry_t msr[CPU_POLICY_MSRS_MAX];
    xen_cpuid_leaf_t *leaf = heap_alloc(leaves_max * sizeof(*leaf));
    unsigned int leaves, msrs;
    int64_t rc = 0;

    if (leaf == NULL) {
        return -ENOMEM;
    }
    leaves = cpu_policy_leaves(CPU_POLICY_DOMAIN, d, leaf, leaves_max);
    msrs = cpu_policy_msrs(CPU_POLICY_DOMAIN, d, msr, CPU_POLICY_MSRS_MAX);
    if (leaves > p->nr_leaves || msrs > p->nr_msrs) {
        rc = -ENOBUFS;
    } else if (copy_to_guest(handle_va(p->leaves), leaf,
                             leaves * sizeof(*leaf)) != 0 ||
               copy_to_guest(handle_va(p->msrs), msr, msrs * sizeof(msr[0])) !=
                   0) {
        rc = -EFAULT;
    } else {
        p->nr_leaves = leaves;
        p->nr_msrs = msrs;
        *ret_back = true;
    }
    heap_free(leaf);
    return rc;
}

static int64_t set_policy(struct domain *d, struct xen_domctl_cpu_policy *p)
{
    xen_msr_entry_t msr[CPU_POLICY_MSRS_MAX];
    xen_cpuid_leaf_t *leaf;
    int64_t rc;

    if (d == current->domain) {
        return -EINVAL;
    }
    if (d->state != DOMAIN_BUILDING) {
        return -EEXIST; /* its processor does not change under it */
    }
    if (p->nr_leaves > CPU_POLICY_LEAVES_MAX ||
        p->nr_msrs > CPU_POLICY_MSRS_MAX) {
        return -E2BIG;
    }
    leaf = heap_alloc((p->nr_leaves + 1UL) * sizeof(*leaf));
    if (leaf == NULL) {
        return -ENOMEM;
    }
    rc = -EFAULT;
    if (copy_from_guest(leaf, handle_va(p->leaves),
                        p->nr_leaves * sizeof(*leaf)) == 0 &&
        copy_from_guest(msr, handle_va(p->msrs), p->nr_msrs * sizeof(msr[0])) ==
            0) {
        domain_pause(d);
        rc = cpu_policy_set(d, leaf, p->nr_leaves, msr, p->nr_msrs,
                            &p->err_leaf, &p->err_subleaf, &p->err_msr);
        domain_unpause(d);
    }
    heap_free(leaf);
    return rc;
}

/* What runs cannot be told that its clock counts differently from now on. */
static int emulate_tsc(struct domain *d, const struct xen_domctl_tsc_info *t)
{
    bool emulate = t->tsc_mode == TSC_MODE_ALWAYS_EMULATE;
    uint32_t khz = t->gtsc_khz != 0 ? t->gtsc_khz : (uint32_t)clock_tsc_khz();

    if (!emulate && !d->vtsc.is_on) {
        return 0;
    }
    if (d->state != DOMAIN_BUILDING) {
        return -EEXIST;
    }
    if (emulate) {
        vtsc_start(&d->vtsc, khz, t->elapsed_nsec);
    } else {
        vtsc_stop(&d->vtsc);
    }
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            pv_cr4_update(d->vcpu[i]);
            vclock_update_vcpu(d->vcpu[i]);
        }
    }
    return 0;
}

static int64_t set_tsc(struct domain *d, const struct xen_domctl_tsc_info *t)
{
    int rc;

    if (d == current->domain) {
        return -EINVAL;
    }
    if (t->tsc_mode != TSC_MODE_DEFAULT &&
        t->tsc_mode != TSC_MODE_ALWAYS_EMULATE &&
        t->tsc_mode != TSC_MODE_NEVER_EMULATE) {
        return -EINVAL;
    }
    rc = emulate_tsc(d, t);
    if (rc != 0) {
        return rc;
    }
    if (!d->vtsc.is_on && t->gtsc_khz != 0 && t->gtsc_khz != clock_tsc_khz()) {
        pr_info("settscinfo: d%u ran by a TSC of %u kHz, and goes on by one of "
                "%lu kHz: its programs that count cycles see that",
                d->domid, t->gtsc_khz, clock_tsc_khz());
    }
    d->tsc_mode = t->tsc_mode;
    d->tsc_incarnation = t->incarnation + 1; /* the image has the last one's */
    return 0;
}

static void get_tsc(const struct domain *d, struct xen_domctl_tsc_info *t)
{
    t->tsc_mode = d->tsc_mode;
    t->incarnation = d->tsc_incarnation;
    t->pad = 0;
    if (d->vtsc.is_on) {
        t->elapsed_nsec = vtsc_elapsed_ns(&d->vtsc);
        t->gtsc_khz = d->vtsc.khz;
    } else if (d->tsc_mode == TSC_MODE_NEVER_EMULATE) {
        t->elapsed_nsec = 0;
        t->gtsc_khz = 0;
    } else {
        t->elapsed_nsec = clock_now_ns();
        t->gtsc_khz = (uint32_t)clock_tsc_khz();
    }
}

static int64_t hypercall_init(const struct domain *d, uint64_t gmfn)
{
    struct frame *f;
    int rc =
        pagetype_get_page(mfn(gmfn), d->domid, PAGETYPE_WRITABLE, NULL, &f);

    if (rc == 0) {
        hypercall_page_fill(mfn_to_ptr(mfn(gmfn)));
        pagetype_put_page(f);
    }
    return rc;
}

/* Nobody passes on what he has not got himself. */
static int64_t ioport_permission(struct domain *d,
                                 const struct xen_domctl_ioport_permission *p)
{
    uint64_t last = (uint64_t)p->first_port + p->nr_ports - 1;

    if (p->nr_ports == 0 || last > 0xffff) {
        return -EINVAL;
    }
    if (!rights_ports_ok(current->domain, p->first_port, p->nr_ports)) {
        return -EPERM;
    }
    return rights_change(d, RIGHTS_PORTS, p->first_port, last,
                         p->allow_access != 0);
}

static int64_t iomem_permission(struct domain *d,
                                const struct xen_domctl_iomem_permission *p)
{
    uint64_t last = p->first_mfn + p->nr_mfns - 1;

    if (p->nr_mfns == 0 || last < p->first_mfn) {
        return -EINVAL;
    }
    if (!rights_mem_ok(current->domain, mfn(p->first_mfn), p->nr_mfns)) {
        return -EPERM;
    }
    return rights_change(d, RIGHTS_MEM, p->first_mfn, last,
                         p->allow_access != 0);
}

static int64_t irq_permission(struct domain *d,
                              const struct xen_domctl_irq_permission *p)
{
    if (!rights_irq_ok(current->domain, p->pirq)) {
        return -EPERM;
    }
    return rights_change(d, RIGHTS_IRQ, p->pirq, p->pirq, p->allow_access != 0);
}

/* PV guests map device memory themselves: only the right to is looked at. */
static int64_t memory_mapping(struct domain *d,
                              const struct xen_domctl_memory_mapping *m)
{
    if (m->nr_mfns == 0 || m->first_mfn + m->nr_mfns - 1 < m->first_mfn) {
        return -EINVAL;
    }
    if (!rights_mem_ok(current->domain, mfn(m->first_mfn), m->nr_mfns) ||
        !rights_mem_ok(d, mfn(m->first_mfn), m->nr_mfns)) {
        return -EPERM;
    }
    return 0;
}

/* There is one memory node: all memory is of a node that is in the set. */
static int64_t set_nodes(struct domain *d,
                         const struct xen_domctl_nodeaffinity *n)
{
    uint64_t map[NODE_BITS / 64];
    int rc = xenctl_bitmap_in(&n->nodemap, map, NODE_BITS);

    if (rc != 0) {
        return rc;
    }
    if ((map[0] & NODES_THERE) == 0) {
        return -EINVAL;
    }
    spin_lock(&d->lock);
    d->node_affinity = map[0];
    spin_unlock(&d->lock);
    return 0;
}

static int64_t get_nodes(const struct domain *d,
                         const struct xen_domctl_nodeaffinity *n)
{
    const uint64_t any = READ_ONCE(d->node_affinity);
    const uint64_t map[NODE_BITS / 64] = {any == ~0ULL ? NODES_THERE : any};

    return xenctl_bitmap_out(&n->nodemap, map, NODE_BITS);
}

int64_t domctl_setup(struct domain *d, struct xen_domctl *op, bool *ret_back)
{
    switch (op->cmd) {
    case XEN_DOMCTL_get_cpu_policy:
        return get_policy(d, &op->u.cpu_policy, ret_back);
    case XEN_DOMCTL_set_cpu_policy:
        op->u.cpu_policy.err_leaf = ~0U;
        op->u.cpu_policy.err_subleaf = ~0U;
        op->u.cpu_policy.err_msr = ~0U;
        *ret_back = true; /* on errors above all */
        return set_policy(d, &op->u.cpu_policy);
    case XEN_DOMCTL_settscinfo:
        return set_tsc(d, &op->u.tsc_info);
    case XEN_DOMCTL_gettscinfo:
        get_tsc(d, &op->u.tsc_info);
        *ret_back = true;
        return 0;
    case XEN_DOMCTL_set_address_size:
        return op->u.address_size.size == 64   ? 0
               : op->u.address_size.size == 32 ? -EOPNOTSUPP
                                               : -EINVAL;
    case XEN_DOMCTL_get_address_size:
        op->u.address_size.size = 64;
        *ret_back = true;
        return 0;
    case XEN_DOMCTL_hypercall_init:
        return hypercall_init(d, op->u.hypercall_init.gmfn);
    case XEN_DOMCTL_ioport_permission:
        return ioport_permission(d, &op->u.ioport_permission);
    case XEN_DOMCTL_iomem_permission:
        return iomem_permission(d, &op->u.iomem_permission);
    case XEN_DOMCTL_irq_permission:
        return irq_permission(d, &op->u.irq_permission);
    case XEN_DOMCTL_memory_mapping:
        return memory_mapping(d, &op->u.memory_mapping);
    case XEN_DOMCTL_set_virq_handler:
        return virq_set_handler(op->u.set_virq_handler.virq, d);
    case XEN_DOMCTL_setnodeaffinity:
        return set_nodes(d, &op->u.nodeaffinity);
    case XEN_DOMCTL_getnodeaffinity:
        return get_nodes(d, &op->u.nodeaffinity);
    default:
        return DOMCTL_NOT_MINE;
    }
}
