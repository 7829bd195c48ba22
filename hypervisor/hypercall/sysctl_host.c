/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sysctl_host.c - sysctl: what the machine has.
 *
 * One processor, one memory node: the numbers a tool multiplies must still
 * come out right.
 */
#include "lib/string.h"
#include "cpu/clock.h"
#include "cpu/features.h"
#include "mm/frame.h"
#include "mm/page_alloc.h"
#include "domain/sched.h"
#include "pv/guest_cpuid.h"
#include "hypercall/sysctl.h"

#define CPUS_ONLINE   1U
#define NODES         1U
#define NODE_DISTANCE 10U /* a node to itself, as firmware tables have it */
#define MAX_BITWIDTH  64U

static int64_t physinfo(struct xen_sysctl_physinfo *p)
{
    uint32_t features[CPU_FEATURESET_WORDS];
    struct page_alloc_stats mem;

    page_alloc_stats(&mem);
    cpu_policy_featureset(CPU_POLICY_HOST, NULL, features);
    memset(p, 0, sizeof(*p));
    p->threads_per_core = 1;
    p->cores_per_socket = 1;
    p->nr_cpus = CPUS_ONLINE;
    p->max_cpu_id = CPUS_ONLINE - 1;
    p->nr_nodes = NODES;
    p->max_node_id = NODES - 1;
    p->cpu_khz = (uint32_t)clock_tsc_khz();
    p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;
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

    g->nr_cpus = MIN(g->max_cpus, CPUS_ONLINE);
    for (i = 0; i < g->nr_cpus; i++) {
        const xen_sysctl_cpuinfo_t info = {.idletime = sched_idle_ns(i)};
        int rc = copy_elem_to_guest(g->info, i, &info);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* Whole machine only, unless the width asked for covers all or nothing. */
static int64_t availheap(struct xen_sysctl_availheap *a)
{
    struct page_alloc_stats mem;
    uint64_t top = max_frame << PAGE_SHIFT;

    if (a->node < -1 || a->node >= (int32_t)NODES ||
        a->min_bitwidth > MAX_BITWIDTH || a->max_bitwidth > MAX_BITWIDTH) {
        return -EINVAL;
    }
    page_alloc_stats(&mem);
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

static int64_t cputopo(struct xen_sysctl_cputopoinfo *t)
{
    const xen_sysctl_cputopo_t cpu = {.core = 0, .socket = 0, .node = 0};

    if (!handle_is_null(t->cputopo) && t->num_cpus != 0 &&
        copy_elem_to_guest(t->cputopo, 0, &cpu) != 0) {
        return -EFAULT;
    }
    t->num_cpus = CPUS_ONLINE;
    return 0;
}

static int64_t numainfo(struct xen_sysctl_numainfo *n)
{
    struct page_alloc_stats mem;
    const uint32_t distance = NODE_DISTANCE;
    xen_sysctl_meminfo_t node;

    page_alloc_stats(&mem);
    node.memsize = mem.total_frames << PAGE_SHIFT;
    node.memfree = mem.free_frames << PAGE_SHIFT;
    if (n->num_nodes != 0) {
        if (!handle_is_null(n->meminfo) &&
            copy_elem_to_guest(n->meminfo, 0, &node) != 0) {
            return -EFAULT;
        }
        if (!handle_is_null(n->distance) &&
            copy_elem_to_guest(n->distance, 0, &distance) != 0) {
            return -EFAULT;
        }
    }
    n->num_nodes = NODES;
    return 0;
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
    case XEN_SYSCTL_get_pmstat:
    case XEN_SYSCTL_pm_op:
        return -ENODEV; /* the firmware's speed and sleep states stay */
    case XEN_SYSCTL_tbuf_op:
    case XEN_SYSCTL_perfc_op:
    case XEN_SYSCTL_cpu_hotplug:
    case XEN_SYSCTL_lockprof_op:
    case XEN_SYSCTL_coverage_op:
    case XEN_SYSCTL_psr_cmt_op:
    case XEN_SYSCTL_pcitopoinfo:
    case XEN_SYSCTL_psr_alloc:
    case XEN_SYSCTL_livepatch_op:
        return -EOPNOTSUPP;
    default:
        *ret_back = false;
        return -ENOSYS;
    }
}
