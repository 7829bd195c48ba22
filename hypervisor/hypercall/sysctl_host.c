/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sysctl_host.c - sysctl: what the machine has.
 */
#include "lib/string.h"
#include "cpu/clock.h"
#include "cpu/smp.h"
#include "cpu/features.h"
#include "cpu/topology.h"
#include "mm/frame.h"
#include "mm/page_alloc.h"
#include "dev/numa.h"
#include "dev/numa_memory.h"
#include "dev/pci_node.h"
#include "domain/sched.h"
#include "pv/guest_cpuid.h"
#include "hypercall/cpu_hotplug.h"
#include "hypercall/sysctl.h"

#define MAX_BITWIDTH 64U

/* As the first CPU finds it; a tool multiplies these. */
static void count_siblings(struct xen_sysctl_physinfo *p)
{
    uint32_t first = smp_cpu(0)->apic_id, threads = 0, in_socket = 0;
    struct cpu_topology t;

    topology_read(&t);
    for (unsigned int i = 0; i < smp_cpu_count(); i++) {
        uint32_t id = smp_cpu(i)->apic_id;

        if (smp_is_online(i) &&
            topology_socket(&t, id) == topology_socket(&t, first)) {
            in_socket++;
            threads += topology_core(&t, id) == topology_core(&t, first);
        }
    }
    /* The first CPU is always there. */
    p->threads_per_core = MAX(threads, 1U);
    p->cores_per_socket = MAX(in_socket / p->threads_per_core, 1U);
}

static int64_t physinfo(struct xen_sysctl_physinfo *p)
{
    uint32_t features[CPU_FEATURESET_WORDS];
    struct page_alloc_stats mem;

    page_alloc_stats(&mem);
    cpu_policy_featureset(CPU_POLICY_HOST, NULL, features);
    memset(p, 0, sizeof(*p));
    count_siblings(p);
    p->nr_cpus = smp_online_count();
    p->max_cpu_id = smp_cpu_count() - 1;
    p->nr_nodes = numa_node_count();
    p->max_node_id = numa_node_count() - 1;
    p->cpu_khz = (uint32_t)clock_tsc_khz();
    p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 |
                      XEN_SYSCTL_PHYSCAP_gnttab_v2;
    p->total_pages = mem.total_frames;
    /* Dirty frames are in it; tools add scrub_pages to what is free. */
    p->free_pages = mem.free_frames;
    p->scrub_pages = 0;
    p->outstanding_pages = domain_claims();
    p->max_mfn = max_frame - 1;
    memcpy(p->hw_cap, features, sizeof(p->hw_cap));
    return 0;
}

static int64_t getcpuinfo(struct xen_sysctl_getcpuinfo *g)
{
    uint32_t i;

    g->nr_cpus = MIN(g->max_cpus, smp_cpu_count());
    for (i = 0; i < g->nr_cpus; i++) {
        const xen_sysctl_cpuinfo_t info = {
            .idletime = cpu_blocks[i] != NULL ? sched_idle_ns(i) : 0};
        int rc = copy_elem_to_guest(g->info, i, &info);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* Of all addresses, unless the width asked for covers none of them. */
static int64_t availheap(struct xen_sysctl_availheap *a)
{
    struct page_alloc_stats mem;
    uint64_t top = max_frame << PAGE_SHIFT;

    if (a->node < -1 || a->node >= (int32_t)numa_node_count() ||
        a->min_bitwidth > MAX_BITWIDTH || a->max_bitwidth > MAX_BITWIDTH) {
        return -EINVAL;
    }
    page_alloc_stats(&mem);
    if (a->node >= 0) {
        uint64_t total;

        numa_memory((unsigned int)a->node, &total, &mem.free_frames);
    }
    a->avail_bytes = mem.free_frames << PAGE_SHIFT;
    if (a->min_bitwidth > PAGE_SHIFT && a->min_bitwidth < MAX_BITWIDTH &&
        top > 1UL << a->min_bitwidth) {
        return -EOPNOTSUPP;
    }
    if (a->min_bitwidth > PAGE_SHIFT) {
        a->avail_bytes = 0;
    }
    if (a->max_bitwidth != 0 && a->max_bitwidth < MAX_BITWIDTH &&
        top > 1UL << a->max_bitwidth) {
        return -EOPNOTSUPP;
    }
    return 0;
}

/* No handle: how many are there? */
static int64_t cputopo(struct xen_sysctl_cputopoinfo *t)
{
    uint32_t i, n = smp_cpu_count();
    struct cpu_topology parts;

    topology_read(&parts);
    if (!handle_is_null(t->cputopo)) {
        n = MIN(n, t->num_cpus);
        for (i = 0; i < n; i++) {
            xen_sysctl_cputopo_t cpu = {XEN_INVALID_CORE_ID,
                                        XEN_INVALID_SOCKET_ID,
                                        XEN_INVALID_NODE_ID};

            if (smp_is_online(i)) {
                uint32_t id = smp_cpu(i)->apic_id;

                cpu.core = topology_core(&parts, id);
                cpu.socket = topology_socket(&parts, id);
                cpu.node = numa_node_of_apic(id);
            }
            if (copy_elem_to_guest(t->cputopo, i, &cpu) != 0) {
                return -EFAULT;
            }
        }
    }
    t->num_cpus = n;
    return 0;
}

/* The row of node @i in a matrix of @n nodes. */
static int64_t numa_row(const struct xen_sysctl_numainfo *ni, uint32_t i,
                        uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) {
        const uint8_t d = numa_distance(i, j);
        const uint32_t distance =
            d == NUMA_UNREACHABLE ? XEN_INVALID_NODE_DIST : d;

        if (copy_elem_to_guest(ni->distance, i * n + j, &distance) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* No handle at all: how many are there? */
static int64_t numainfo(struct xen_sysctl_numainfo *ni)
{
    uint32_t i, n = numa_node_count();

    if (handle_is_null(ni->meminfo) && handle_is_null(ni->distance)) {
        ni->num_nodes = n;
        return 0;
    }
    n = MIN(n, ni->num_nodes);
    for (i = 0; i < n; i++) {
        uint64_t total, free_frames;
        xen_sysctl_meminfo_t mem;

        numa_memory(i, &total, &free_frames);
        mem.memsize = total << PAGE_SHIFT;
        mem.memfree = free_frames << PAGE_SHIFT;
        if (!handle_is_null(ni->meminfo) &&
            copy_elem_to_guest(ni->meminfo, i, &mem) != 0) {
            return -EFAULT;
        }
        if (!handle_is_null(ni->distance) && numa_row(ni, i, n) != 0) {
            return -EFAULT;
        }
    }
    ni->num_nodes = n;
    return 0;
}

/* Nodes of devices, one by one; so many as can be told now. */
static int64_t pcitopo(struct xen_sysctl_pcitopoinfo *t)
{
    uint32_t i, n = t->num_devs;

    if (handle_is_null(t->devs) || handle_is_null(t->nodes)) {
        return -EINVAL;
    }
    for (i = 0; i < n && (i == 0 || !hypercall_should_stop()); i++) {
        struct physdev_pci_device dev;
        uint32_t node = XEN_INVALID_NODE_ID;
        pci_bdf_t bdf;

        if (copy_elem_from_guest(&dev, t->devs, i) != 0) {
            return -EFAULT;
        }
        bdf = pci_bdf(dev.seg, dev.bus, dev.devfn);
        if (!pci_device_exists(bdf)) {
            node = XEN_INVALID_DEV;
        } else if (!pci_node_get(bdf, &node)) {
            node = XEN_INVALID_NODE_ID;
        }
        if (copy_elem_to_guest(t->nodes, i, &node) != 0) {
            return -EFAULT;
        }
    }
    t->num_devs = i;
    return 0;
}

static int64_t cpu_hotplug(const struct xen_sysctl_cpu_hotplug *h)
{
    switch (h->op) {
    case XEN_SYSCTL_CPU_HOTPLUG_ONLINE:
        return cpu_hotplug_online(h->cpu);
    case XEN_SYSCTL_CPU_HOTPLUG_OFFLINE:
        return smp_cpu_down(h->cpu);
    case XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE:
        return cpu_hotplug_smt(true);
    case XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE:
        return cpu_hotplug_smt(false);
    default:
        return -EOPNOTSUPP;
    }
}

int64_t sysctl_host(struct xen_sysctl *op, bool *ret_back)
{
    *ret_back = true;
    switch (op->cmd) {
    case XEN_SYSCTL_physinfo:
        return physinfo(&op->u.physinfo);
    case XEN_SYSCTL_getcpuinfo:
        return getcpuinfo(&op->u.getcpuinfo);
    case XEN_SYSCTL_availheap:
        return availheap(&op->u.availheap);
    case XEN_SYSCTL_cputopoinfo:
        return cputopo(&op->u.cputopoinfo);
    case XEN_SYSCTL_numainfo:
        return numainfo(&op->u.numainfo);
    case XEN_SYSCTL_pcitopoinfo:
        return pcitopo(&op->u.pcitopoinfo);
    case XEN_SYSCTL_cpu_hotplug:
        return cpu_hotplug(&op->u.cpu_hotplug);
    case XEN_SYSCTL_get_pmstat:
    case XEN_SYSCTL_pm_op:
        return -ENODEV; /* the firmware's speed and sleep states stay */
    case XEN_SYSCTL_tbuf_op:
    case XEN_SYSCTL_perfc_op:
    case XEN_SYSCTL_lockprof_op:
    case XEN_SYSCTL_coverage_op:
    case XEN_SYSCTL_psr_cmt_op:
    case XEN_SYSCTL_psr_alloc:
    case XEN_SYSCTL_livepatch_op:
        return -EOPNOTSUPP;
    default:
        *ret_back = false;
        return -ENOSYS;
    }
}
