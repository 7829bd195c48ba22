/* SPDX-License-Identifier: MIT */
/*
 * response/poison.c - a frame of bad memory.
 *
 * The owner is what the frame table says; a frame a domain has mapped but
 * does not own is its owner's business first.
 */
#include "response/poison.h"

#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/m2p.h"
#include "mm/offline.h"

static enum poison_victim victim_of(int offline_rc, uint8_t flags,
                                    domid_t owner)
{
    if (offline_rc == -EINVAL) {
        return POISON_NOT_RAM;
    }
    if (offline_rc != 0) {
        return POISON_HYPERVISOR;
    }
    if (owner == DOMID_INVALID) {
        return POISON_NOBODY;
    }
    if (owner >= DOMID_FIRST_RESERVED) {
        return POISON_HYPERVISOR;
    }
    return (flags & FRAME_F_HV_SHARED) != 0 ? POISON_SHARED : POISON_DOMAIN;
}

void poison_mark(uint64_t maddr, struct poison *ret_poison)
{
    mfn_t m = maddr_to_mfn(maddr);
    domid_t owner = DOMID_INVALID;
    enum frame_state state;
    uint8_t flags = 0;
    int rc;

    /* Asked before: a free frame is told from one of the hypervisor's own
     * by its state, and offlining changes that. */
    rc = frame_query(m, &state, &flags, &owner);
    if (rc == 0) {
        bool in_use = state == FRAME_INUSE || state == FRAME_OFFLINING;

        rc = frame_offline(m, OFFLINE_BROKEN, &owner);
        if (rc == 0 && in_use && owner == DOMID_INVALID) {
            rc = -EPERM;
        }
    }
    ret_poison->mfn = m;
    ret_poison->owner = owner;
    ret_poison->victim = victim_of(rc, flags, owner);
    ret_poison->pfn = M2P_INVALID;
    if (ret_poison->victim == POISON_DOMAIN) {
        ret_poison->pfn = pfn_x(m2p_get(m));
    }
}
