/* SPDX-License-Identifier: MIT */
/*
 * mm/offline.h - take a frame out of service, put it back, ask about it.
 */
#ifndef VIGIL_MM_OFFLINE_H
#define VIGIL_MM_OFFLINE_H

#include "mm/frame.h"

enum offline_why {
    OFFLINE_ASKED,  /* an operator or daemon wants it; may be undone */
    OFFLINE_BROKEN, /* hardware says bad; for ever                   */
};

/**
 * frame_offline() - take one machine frame out of service
 * @m:         frame number, 4 KiB units; any value, checked
 * @why:       OFFLINE_ASKED or OFFLINE_BROKEN; BROKEN is for ever
 * @ret_owner: owner's domid, DOMID_INVALID if none; set only when 0 is
 *             returned
 *
 * The frame leaves now if free, or when its last reference goes.  Doing it
 * again is fine.
 *
 * Context: any but NMI/#MC. Takes the heap lock (rank 40).
 * Return:  0         done or pending; see frame_query()
 *          -EINVAL   not RAM, or beyond the last frame
 *          -EPERM    belongs to Vigil itself; BROKEN is noted, else unchanged
 * Source:  include/public/sysctl.h, page offline; INV-MM-3, INV-MM-4
 */
int frame_offline(mfn_t m, enum offline_why why, domid_t *ret_owner) MUST_CHECK;

/**
 * frame_online() - put a frame back into service
 * @m: frame number; any value, checked
 *
 * Context: any but NMI/#MC. Takes the heap lock (rank 40).
 * Return:  0         in service, or was never out of it
 *          -EINVAL   not RAM, or beyond the last frame
 *          -EPERM    broken
 */
int frame_online(mfn_t m) MUST_CHECK;

/**
 * frame_query() - what is known about a frame
 * @m:         frame number; any value, checked
 * @ret_state: its state
 * @ret_flags: its FRAME_F_* bits
 * @ret_owner: its owner's domid
 *
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL not described by the frame table
 */
int frame_query(mfn_t m, enum frame_state *ret_state, uint8_t *ret_flags,
                domid_t *ret_owner) MUST_CHECK;

#endif
