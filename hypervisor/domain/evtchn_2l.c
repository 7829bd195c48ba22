/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_2l.c - pending and mask bitmaps in shared info.
 *
 * 64 words of 64 bits; the vcpu's evtchn_pending_sel has a bit for each word
 * that may hold something, and its upcall_pending one for all.  A bit of a
 * lower level is set before the one above it; the guest clears from above.
 */
#include "domain/evtchn_impl.h"

#include "x86/atomic.h"

void evtchn_2l_unmask(struct domain *d, struct evtchn *chn)
{
    shared_info_t *si = d->shared_info;

    if (chn->port < EVTCHN_PORTS_2L &&
        atomic_test_and_clear_bit(chn->port, si->evtchn_mask) &&
        bit_is_set(chn->port, si->evtchn_pending)) {
        evtchn_2l_select(d, chn);
    }
}

bool evtchn_2l_is_pending(struct domain *d, const struct evtchn *chn)
{
    return chn->port < EVTCHN_PORTS_2L &&
           bit_is_set(chn->port, d->shared_info->evtchn_pending);
}

bool evtchn_2l_is_masked(struct domain *d, const struct evtchn *chn)
{
    return chn->port >= EVTCHN_PORTS_2L ||
           bit_is_set(chn->port, d->shared_info->evtchn_mask);
}

bool evtchn_2l_clear(struct domain *d, struct evtchn *chn)
{
    return chn->port < EVTCHN_PORTS_2L &&
           atomic_test_and_clear_bit(chn->port, d->shared_info->evtchn_pending);
}
