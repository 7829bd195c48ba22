/* SPDX-License-Identifier: MIT */
/*
 * domain/frame_use.h - keeping a domain's frame for a purpose.
 *
 * A socket.  Grants and event-channel pages need "a reference, and if we
 * write to it, the writable type", but page types live above this floor:
 * boot plugs in what knows them.
 */
#ifndef VIGIL_DOMAIN_FRAME_USE_H
#define VIGIL_DOMAIN_FRAME_USE_H

#include "lib/compiler.h"
#include "mm/frame.h"

struct frame_use_ops {
    /* 0; -EINVAL not a frame of @owner; -EBUSY its type forbids writing. */
    int (*hold)(mfn_t m, domid_t owner, bool writable);
    /* Undo one hold with the same @writable. */
    void (*release)(mfn_t m, bool writable);
};

/**
 * frame_use_plug() - say how frames are held and released
 * @ops: static storage
 *
 * Context: boot, once, before the first domain.
 * Return:  nothing.
 */
void frame_use_plug(const struct frame_use_ops *ops);

/**
 * frame_use_hold() - keep a frame from being freed or changing its type
 * @m:        any frame number
 * @owner:    domid that must own it
 * @writable: take the writable type, too
 *
 * Context: any but NMI/#MC.  May take locks up to rank LOCK_RANK_HEAP, but
 * not below LOCK_RANK_PAGETYPE.
 * Return:  0; -EINVAL not RAM, or not @owner's; -EBUSY its type forbids
 *          writing
 */
int frame_use_hold(mfn_t m, domid_t owner, bool writable) MUST_CHECK;

/**
 * frame_use_release() - undo one frame_use_hold()
 * @m:        frame
 * @writable: as given then
 *
 * Context: any but NMI/#MC.  Locks as above.
 * Return:  nothing.
 */
void frame_use_release(mfn_t m, bool writable);

#endif
