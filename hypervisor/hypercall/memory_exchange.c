/* SPDX-License-Identifier: MIT */
/*
 * hypercall/memory_exchange.c - XENMEM_exchange: frames for other frames, of
 * another size or at lower addresses.
 *
 * The contract Linux checks with BUG(): 0 and everything exchanged, or an
 * error and nr_exchanged telling how much was (0 for a single piece).
 */
#include "lib/bits.h"
#include "pv/reservation.h"
#include "hypercall/memory_op.h"

static bool shapes_match(const struct xen_memory_exchange *e)
{
    uint64_t in = e->in.nr_extents, out = e->out.nr_extents;

    return e->in.domid == e->out.domid &&
           in <= UINT64_MAX >> (e->in.extent_order + MEMOP_CMD_BITS) &&
           out <= UINT64_MAX >> (e->out.extent_order + MEMOP_CMD_BITS) &&
           in << e->in.extent_order == out << e->out.extent_order &&
           e->nr_exchanged <= in;
}

/* Returns 0, an error, or -ERESTART; nr_exchanged is brought forward. */
static int run(struct domain *d, struct xen_memory_exchange *e)
{
    const struct exchange x = {
        .in_list = handle_va(e->in.extent_start),
        .out_list = handle_va(e->out.extent_start),
        .in_order = e->in.extent_order,
        .out_order = e->out.extent_order,
        .bits = XENMEMF_get_address_bits(e->out.mem_flags),
    };
    uint64_t piece = BIT(exchange_order(&x) - x.in_order);
    bool first = true;

    if (e->in.nr_extents % piece != 0 || e->nr_exchanged % piece != 0) {
        return -EINVAL;
    }
    while (e->nr_exchanged < e->in.nr_extents) {
        int rc;

        if (!first && hypercall_should_stop()) {
            return -ERESTART;
        }
        rc = reservation_exchange(d, &x, e->nr_exchanged / piece);
        if (rc != 0) {
            return rc;
        }
        e->nr_exchanged += piece;
        first = false;
    }
    return 0;
}

int64_t memop_exchange(uint64_t arg)
{
    struct xen_memory_exchange e;
    struct domain *d;
    int rc;

    if (copy_from_guest(&e, arg, sizeof(e)) != 0) {
        return -EFAULT;
    }
    if (e.in.extent_order > memop_max_order() ||
        e.out.extent_order > memop_max_order()) {
        return -EPERM;
    }
    if (!shapes_match(&e)) {
        return -EINVAL;
    }
    rc = memop_domain(e.in.domid, &d);
    if (rc != 0) {
        return rc;
    }
    rc = d == current->domain ? run(d, &e) : -EOPNOTSUPP;
    domain_put(d);
    if (copy_to_guest(arg + offsetof(struct xen_memory_exchange, nr_exchanged),
                      &e.nr_exchanged, sizeof(e.nr_exchanged)) != 0) {
        return -EFAULT;
    }
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_memory_op, 2, XENMEM_exchange,
                                 arg, 0, 0, 0);
    }
    return rc;
}
