/* SPDX-License-Identifier: MIT */
/*
 * pv/reservation.h - a PV domain's memory grows, shrinks and is exchanged.
 *
 * The verbs behind XENMEM_populate_physmap, increase_reservation,
 * decrease_reservation and exchange.  Frame numbers come from guests.
 */
#ifndef VIGIL_PV_RESERVATION_H
#define VIGIL_PV_RESERVATION_H

#include "domain/domain.h"

/**
 * reservation_increase() - give a domain 2^order contiguous frames
 * @d:       domain
 * @p:       its number for the first one, for the machine-to-phys table;
 *           pfn(M2P_INVALID): none yet
 * @order:   at most MAX_ORDER
 * @bits:    width the machine addresses must fit in; 0: any
 * @ret_mfn: first frame
 *
 * Context: hypercall.
 * Return:  0; -ENOMEM; -E2BIG beyond its limit; -EINVAL it is dying; -EAGAIN a
 *          softirq waits: handle it, and call this again
 */
int reservation_increase(struct domain *d, pfn_t p, unsigned int order,
                         unsigned int bits, mfn_t *ret_mfn) MUST_CHECK;

/**
 * reservation_decrease() - take 2^order frames back from a domain
 * @d:     domain
 * @first: first frame, any value
 * @order: at most MAX_ORDER
 *
 * Unpins what is pinned.  A frame that is still mapped or granted stays until
 * that ends.  Stops at the first frame that is not the domain's.
 * Context: hypercall.
 * Return:  0; -EINVAL a frame is not (or no longer) allocated to @d
 */
int reservation_decrease(struct domain *d, mfn_t first, unsigned int order)
    MUST_CHECK;

/* What is exchanged for what: lists in guest memory, one number an extent. */
struct exchange {
    uint64_t in_list;  /* va: machine frames given up                    */
    uint64_t out_list; /* va: PFNs to populate; overwritten with frames  */
    unsigned int in_order, out_order;
    unsigned int bits; /* width of the new frames' addresses; 0: any     */
};

/* Frames in one indivisible piece of an exchange: 2^this. */
static inline unsigned int exchange_order(const struct exchange *x)
{
    return x->in_order > x->out_order ? x->in_order : x->out_order;
}

/**
 * reservation_exchange() - do the @n-th piece of an exchange
 * @d: domain, whose memory the lists are in: the current one
 * @x: request; exchange_order() at most MAX_ORDER
 * @n: index of the piece
 *
 * All or nothing, unless the output list changes its mapping meanwhile.
 * Context: hypercall.
 * Return:  0; -ENOMEM no such memory; -EINVAL a frame is not @d's; -EBUSY it
 *          is mapped, pinned or granted; -EFAULT
 */
int reservation_exchange(struct domain *d, const struct exchange *x, uint64_t n)
    MUST_CHECK;

#endif
