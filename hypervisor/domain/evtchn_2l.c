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

/* The word holds something: set its selector bit, and the master flag. */
static void select_word(struct domain *d, const struct evtchn *chn)
{
    struct vcpu *v = d->vcpu[READ_ONCE(chn->vcpu)];

    /* Registering vcpu_info selects every word: nothing is lost before. */
    if (v == NULL) {
        return;
    }
    if (!atomic_test_and_set_bit(chn->port / 64,
                                 &v->vcpu_info->evtchn_pending_sel)) {
        vcpu_mark_events_pending(v);
    }
}

bool evtchn_2l_pend(struct domain *d, struct evtchn *chn)
{
    shared_info_t *si = d->shared_info;

    if (si == NULL || chn->port >= EVTCHN_PORTS_2L ||
        atomic_test_and_set_bit(chn->port, si->evtchn_pending)) {
        return false;
    }
    if (!bit_is_set(chn->port, si->evtchn_mask)) {
        select_word(d, chn);
    }
    return true;
}

void evtchn_2l_unmask(struct domain *d, struct evtchn *chn)
{
    shared_info_t *si = d->shared_info;

    if (chn->port < EVTCHN_PORTS_2L &&
        atomic_test_and_clear_bit(chn->port, si->evtchn_mask) &&
        bit_is_set(chn->port, si->evtchn_pending)) {
        select_word(d, chn);
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
