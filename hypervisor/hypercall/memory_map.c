/* SPDX-License-Identifier: MIT */
/*
 * hypercall/memory_map.c - memory_op that tell where things are: memory maps,
 * the machine-to-phys table, frames of a domain's grant table.
 */
#include "lib/bits.h"
#include "lib/list.h"
#include "cpu/features.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "domain/grant.h"
#include "hypercall/memory_op.h"

#define E820_ENTRIES_MAX 1024U

/* Writing a map into the guest's buffer, entry by entry. */
struct map_writer {
    uint64_t buffer; /* va; 0: only count */
    unsigned int room, count;
    int rc;
};

static void map_put(struct map_writer *w, uint64_t addr, uint64_t size,
                    uint32_t type)
{
    struct e820entry e = {.addr = addr, .size = size, .type = type};

    if (w->rc == 0 && w->buffer != 0) {
        if (w->count >= w->room) {
            w->rc = -EINVAL;
        } else if (copy_to_guest(w->buffer + w->count * sizeof(e), &e,
                                 sizeof(e)) != 0) {
            w->rc = -EFAULT;
        }
    }
    w->count++;
}

/*
 * Firmware says nothing about [start, end).  What the caller may not map in
 * there (local APIC, IO-APICs) is reserved, so that it puts nothing there.
 */
static void map_put_gap(struct map_writer *w, const struct domain *d,
                        maddr_t start, maddr_t end)
{
    maddr_t at = ALIGN_UP(start, PAGE_SIZE);
    unsigned int i;

    end = ALIGN_DOWN(end, PAGE_SIZE);
    for (i = 0; i < d->io_mem.count && at < end; i++) {
        maddr_t first = d->io_mem.ranges[i].first << PAGE_SHIFT;
        maddr_t last = d->io_mem.ranges[i].last << PAGE_SHIFT;

        if (first > at) {
            map_put(w, at, MIN(first, end) - at, MEMMAP_RESERVED);
        }
        at = MAX(at, last + PAGE_SIZE);
    }
    if (at < end) {
        map_put(w, at, end - at, MEMMAP_RESERVED);
    }
}

static void map_put_machine(struct map_writer *w, const struct domain *d)
{
    struct e820entry e;
    maddr_t at = 0;
    unsigned int i;

    for (i = 0; memmap_machine_e820(i, &e); i++) {
        if (e.addr > at) {
            map_put_gap(w, d, at, e.addr);
        }
        map_put(w, e.addr, e.size, e.type);
        at = MAX(at, e.addr + e.size);
    }
    if (at < 1UL << cpu_features.phys_bits) {
        map_put_gap(w, d, at, 1UL << cpu_features.phys_bits);
    }
}

static int64_t machine_memory_map(uint64_t arg)
{
    struct xen_memory_map map;
    struct map_writer w = {0};

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&map, arg, sizeof(map)) != 0) {
        return -EFAULT;
    }
    w.buffer = handle_va(map.buffer);
    w.room = map.nr_entries;
    map_put_machine(&w, current->domain);
    map.nr_entries = w.count;
    if (w.rc == 0 && copy_to_guest(arg, &map, sizeof(map)) != 0) {
        w.rc = -EFAULT;
    }
    return w.rc;
}

/* The caller's own map, as its builder set it. */
static int64_t memory_map(uint64_t arg)
{
    struct domain *d = current->domain;
    struct e820entry e;
    struct xen_memory_map map;
    uint32_t i;

    if (copy_from_guest(&map, arg, sizeof(map)) != 0) {
        return READ_ONCE(d->e820_count) == 0 ? -ENOSYS : -EFAULT;
    }
    /* One by one: no lock is held while guest memory is copied. */
    for (i = 0; i < map.nr_entries; i++) {
        bool is_there;

        spin_lock(&d->lock);
        is_there = i < d->e820_count;
        if (is_there) {
            e = d->e820[i];
        }
        spin_unlock(&d->lock);
        if (!is_there) {
            break;
        }
        if (copy_to_guest(handle_va(map.buffer) + i * sizeof(e), &e,
                          sizeof(e)) != 0) {
            return -EFAULT;
        }
    }
    if (READ_ONCE(d->e820_count) == 0) {
        return -ENOSYS;
    }
    map.nr_entries = i;
    return copy_to_guest(arg, &map, sizeof(map));
}

static int64_t set_memory_map(uint64_t arg)
{
    struct xen_foreign_memory_map f;
    struct e820entry *e, *old;
    struct domain *d;
    int rc;

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&f, arg, sizeof(f)) != 0) {
        return -EFAULT;
    }
    if (f.map.nr_entries == 0 || f.map.nr_entries > E820_ENTRIES_MAX) {
        return -EINVAL;
    }
    rc = memop_domain(f.domid, &d);
    if (rc != 0) {
        return rc;
    }
    rc = -ENOMEM;
    e = heap_alloc(f.map.nr_entries * sizeof(*e));
    if (e == NULL) {
        goto out_put;
    }
    rc = copy_from_guest(e, handle_va(f.map.buffer),
                         f.map.nr_entries * sizeof(*e));
    if (rc != 0) {
        heap_free(e);
        goto out_put;
    }
    spin_lock(&d->lock);
    old = d->e820;
    d->e820 = e;
    d->e820_count = f.map.nr_entries;
    spin_unlock(&d->lock);
    heap_free(old);
out_put:
    domain_put(d);
    return rc;
}

static int64_t machphys_mapping(uint64_t arg)
{
    const struct xen_machphys_mapping m = {
        .v_start = M2P_VA,
        .v_end = M2P_VA_END,
        .max_mfn = max_frame - 1,
    };

    return copy_to_guest(arg, &m, sizeof(m));
}

static int64_t machphys_mfn_list(uint64_t arg)
{
    struct xen_machphys_mfn_list l;
    unsigned int n;

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&l, arg, sizeof(l)) != 0) {
        return -EFAULT;
    }
    for (n = 0; n < l.max_extents; n++) {
        uint64_t m = mfn_x(m2p_table_frame(n));

        if (m == mfn_x(INVALID_MFN)) {
            break;
        }
        if (copy_to_guest(handle_elem_va(l.extent_start, n), &m, sizeof(m)) !=
            0) {
            return -EFAULT;
        }
    }
    l.nr_extents = n;
    return copy_to_guest(arg, &l, sizeof(l));
}

static int grant_frames(struct domain *d, struct xen_mem_acquire_resource *r)
{
    bool is_status = r->id == XENMEM_resource_grant_table_id_status;
    unsigned int size, max;
    uint32_t i;

    if (is_status) {
        grant_status_size(d, &size, &max);
    } else {
        grant_table_size(d, &size, &max);
    }
    if (handle_is_null(r->frame_list)) {
        if (r->nr_frames != 0) {
            return -EINVAL;
        }
        r->nr_frames = max;
        return 0;
    }
    if (r->frame >= max || r->nr_frames > max - r->frame) {
        return -EINVAL;
    }
    for (i = 0; i < r->nr_frames; i++) {
        unsigned int idx = (unsigned int)(r->frame + i);
        uint64_t m;
        mfn_t found;
        int rc = is_status ? grant_status_frame(d, idx, &found)
                           : grant_table_frame(d, idx, &found);

        if (rc != 0) {
            return rc;
        }
        m = mfn_x(found);
        if (copy_to_guest(handle_elem_va(r->frame_list, i), &m, sizeof(m)) !=
            0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* Frames the tools map through mmu_update, as the domain's own. */
static int64_t acquire_resource(uint64_t arg)
{
    struct xen_mem_acquire_resource r;
    struct domain *d;
    int rc;

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&r, arg, sizeof(r)) != 0) {
        return -EFAULT;
    }
    if (r.pad != 0) {
        return -EINVAL;
    }
    if (r.type != XENMEM_resource_grant_table) {
        memop_refused(XENMEM_acquire_resource);
        return -EOPNOTSUPP; /* no device models, no traces */
    }
    if (r.id != XENMEM_resource_grant_table_id_shared &&
        r.id != XENMEM_resource_grant_table_id_status) {
        return -EINVAL;
    }
    rc = memop_domain(r.domid, &d);
    if (rc != 0) {
        return rc;
    }
    if (d == current->domain) {
        rc = -EPERM;
    } else if (domain_is_dying(d)) {
        rc = -EINVAL;
    } else {
        rc = grant_frames(d, &r);
    }
    domain_put(d);
    if (rc == 0 && copy_to_guest(arg, &r, sizeof(r)) != 0) {
        rc = -EFAULT;
    }
    return rc;
}

/*
 * No domain has memory nodes of its own; that is what the tools want to hear
 * before they save one.
 */
static int64_t vnuma_info(uint64_t arg)
{
    struct xen_vnuma_topology_info info;
    struct domain *d;
    int rc;

    if (copy_from_guest(&info, arg, sizeof(info)) != 0) {
        return -EFAULT;
    }
    if (info.pad != 0) {
        return -EINVAL;
    }
    rc = memop_domain(info.domid, &d);
    if (rc != 0) {
        return rc;
    }
    domain_put(d);
    return -EOPNOTSUPP;
}

int64_t memop_map(unsigned int cmd, uint64_t arg)
{
    switch (cmd) {
    case XENMEM_machine_memory_map:
        return machine_memory_map(arg);
    case XENMEM_memory_map:
        return memory_map(arg);
    case XENMEM_set_memory_map:
        return set_memory_map(arg);
    case XENMEM_machphys_mapping:
        return machphys_mapping(arg);
    case XENMEM_machphys_mfn_list:
        return machphys_mfn_list(arg);
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages:
        return 0;
    case XENMEM_get_vnumainfo:
        return vnuma_info(arg);
    case XENMEM_acquire_resource:
        return acquire_resource(arg);
    default:
        memop_refused(cmd);
        return -ENOSYS;
    }
}
