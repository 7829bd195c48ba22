/* SPDX-License-Identifier: MIT */
/*
 * hypercall/memory_op.c - HYPERVISOR_memory_op(cmd, arg).
 *
 *   anybody   increase_reservation 0, decrease_reservation 1,
 *             maximum_ram_page 2, current_reservation 3,
 *             maximum_reservation 4, populate_physmap 6, memory_map 9,
 *             exchange 11, machphys_mapping 12, maximum_gpfn 14, vnumainfo 26
 *             (never any: -EOPNOTSUPP)
 *   control   the same for other domains; machphys_mfn_list 5,
 *             machine_memory_map 10, set_memory_map 13, get_sharing_* 18 and
 *             19 (always 0), claim_pages 24, acquire_resource 28 (grant
 *             tables)
 *   refused   what is for translated guests: add_to_physmap 7 and 23,
 *             remove_from_physmap 15, pod 16 and 17, paging 20, access 21,
 *             sharing 22, reserved device memory 27: -ENOSYS
 *
 * Return:  reservations: extents done; the first one that fails ends the
 *          list, and a request that cannot be read counts as none done.
 *          Others: 0 or a value; -EFAULT; -EINVAL; -EPERM; -ESRCH; -ENOSYS,
 *          which is logged as refused domctls are
 */
#include "hypercall/memory_op.h"

#include "lib/bits.h"
#include "log/printk.h"
#include "mm/frame.h"
#include "mm/m2p.h"
#include "mm/page_alloc.h"
#include "pv/reservation.h"

/* One list of extents, decoded. */
struct memop_list {
    struct domain *d;
    unsigned int cmd;
    unsigned int order;
    unsigned int bits;
    uint64_t extents; /* va; 0: no list (increase only) */
    uint64_t count;
};

int memop_domain(domid_t domid, struct domain **ret_domain)
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

void memop_refused(unsigned int cmd)
{
    log_about(LOG_INFO, &current->domain->log, (int)current->vcpu_id,
              "memory_op %u is not offered", cmd);
}

/* New frames: the PFN comes from the list (populate), the MFN goes there. */
static int one_more(const struct memop_list *l, uint64_t i)
{
    uint64_t va = l->extents + i * sizeof(xen_pfn_t);
    uint64_t p = M2P_INVALID, m;
    mfn_t first;
    int rc;

    if (l->cmd == XENMEM_populate_physmap &&
        copy_from_guest(&p, va, sizeof(p)) != 0) {
        return -EFAULT;
    }
    rc = reservation_increase(l->d, pfn(p), l->order, l->bits, &first);
    if (rc != 0 || l->extents == 0) {
        return rc;
    }
    m = mfn_x(first);
    if (copy_to_guest(va, &m, sizeof(m)) != 0) {
        /* Nobody would know of it. */
        (void)!reservation_decrease(l->d, first, l->order);
        return -EFAULT;
    }
    return 0;
}

static int one_less(const struct memop_list *l, uint64_t i)
{
    uint64_t m;

    if (copy_from_guest(&m, l->extents + i * sizeof(m), sizeof(m)) != 0) {
        return -EFAULT;
    }
    return reservation_decrease(l->d, mfn(m), l->order);
}

/* Returns extents done; *ret_stopped when it should go on later. */
static uint64_t run_list(const struct memop_list *l, uint64_t start,
                         bool *ret_stopped)
{
    uint64_t i;

    for (i = start; i < l->count; i++) {
        int rc;

        if (i != start && hypercall_should_stop()) {
            *ret_stopped = true;
            break;
        }
        rc = l->cmd == XENMEM_decrease_reservation ? one_less(l, i)
                                                   : one_more(l, i);
        if (unlikely(rc == -EAGAIN)) {
            *ret_stopped = true; /* in the middle of one */
            break;
        }
        if (rc != 0) {
            log_about(LOG_INFO, &current->domain->log, (int)current->vcpu_id,
                      "memory_op %u for d%u: extent %lu of %lu, order %u: "
                      "error %d",
                      l->cmd, l->d->domid, i, l->count, l->order, rc);
            break;
        }
    }
    return i;
}

static int64_t reservation(unsigned int cmd, uint64_t start, uint64_t arg)
{
    struct xen_memory_reservation r;
    struct memop_list l = {.cmd = cmd};
    bool stopped = false;
    uint64_t done;
    int rc;

    if (copy_from_guest(&r, arg, sizeof(r)) != 0 ||
        r.nr_extents > (UINT64_MAX >> MEMOP_CMD_BITS) >> 1 ||
        start >= r.nr_extents || r.extent_order > memop_max_order() ||
        (r.mem_flags & XENMEMF_populate_on_demand) != 0 ||
        (handle_is_null(r.extent_start) &&
         cmd != XENMEM_increase_reservation)) {
        return (int64_t)start;
    }
    rc = memop_domain(r.domid, &l.d);
    if (rc != 0) {
        return rc == -EPERM ? rc : (int64_t)start;
    }
    l.order = r.extent_order;
    l.bits = XENMEMF_get_address_bits(r.mem_flags);
    l.extents = handle_va(r.extent_start);
    l.count = r.nr_extents;
    done = run_list(&l, start, &stopped);
    domain_put(l.d);
    if (stopped) {
        return hypercall_restart(__HYPERVISOR_memory_op, 2,
                                 cmd | done << MEMOP_CMD_BITS, arg, 0, 0, 0);
    }
    return (int64_t)done;
}

/* Numbers about a domain: how much it has, may have, believes it has. */
static int64_t domain_number(unsigned int cmd, uint64_t arg)
{
    struct xen_memory_domain q;
    struct domain *d;
    uint64_t top = 0;
    int64_t rc;

    if (copy_from_guest(&q, arg, sizeof(q)) != 0) {
        return -EFAULT;
    }
    rc = memop_domain(q.domid, &d);
    if (rc != 0) {
        return rc;
    }
    switch (cmd) {
    case XENMEM_current_reservation:
        rc = d->tot_pages;
        break;
    case XENMEM_maximum_reservation:
        rc = d->max_pages;
        break;
    default: /* maximum_gpfn: the guest wrote it, any value is possible */
        if (d->shared_info != NULL) {
            top = READ_ONCE(d->shared_info->arch.max_pfn);
        }
        rc = top > INT64_MAX ? -EINVAL : (int64_t)(top == 0 ? 0 : top - 1);
        break;
    }
    domain_put(d);
    return rc;
}

/*
 * A claim only promises not to promise the same memory twice.  Domain lock
 * held.
 */
static int set_claim(struct domain *d, uint64_t pages)
{
    struct page_alloc_stats mem;
    uint64_t missing;

    if (pages == 0) {
        domain_claim(d, 0);
        return 0;
    }
    if (domain_is_dying(d) || pages <= d->tot_pages || pages > d->max_pages ||
        d->outstanding_pages != 0) {
        return -EINVAL;
    }
    missing = pages - d->tot_pages;
    page_alloc_stats(&mem);
    if (missing + domain_claims() > mem.free_frames) {
        return -ENOMEM;
    }
    domain_claim(d, (uint32_t)missing);
    return 0;
}

static int64_t claim_pages(uint64_t arg)
{
    struct xen_memory_reservation r;
    struct domain *d;
    int rc;

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&r, arg, sizeof(r)) != 0) {
        return -EFAULT;
    }
    if (!handle_is_null(r.extent_start) || r.extent_order != 0 ||
        r.mem_flags != 0) {
        return -EINVAL;
    }
    rc = memop_domain(r.domid, &d);
    if (rc == 0) {
        spin_lock(&d->lock);
        rc = set_claim(d, r.nr_extents);
        spin_unlock(&d->lock);
        domain_put(d);
    }
    return rc;
}

int64_t do_memory_op(uint64_t a1, uint64_t a2, uint64_t a3 UNUSED,
                     uint64_t a4 UNUSED, uint64_t a5 UNUSED)
{
    unsigned int cmd = (unsigned int)a1 & MEMOP_CMD_MASK;

    switch (cmd) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return reservation(cmd, a1 >> MEMOP_CMD_BITS, a2);
    case XENMEM_exchange:
        return memop_exchange(a2);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return domain_number(cmd, a2);
    case XENMEM_maximum_ram_page:
        return (int64_t)(max_frame - 1);
    case XENMEM_claim_pages:
        return claim_pages(a2);
    default:
        return memop_map(cmd, a2);
    }
}
