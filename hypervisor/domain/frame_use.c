/* SPDX-License-Identifier: MIT */
/*
 * domain/frame_use.c - the socket for holding frames with their type.
 */
#include "domain/frame_use.h"

#include "lib/assert.h"

static const struct frame_use_ops *frame_use_ops;

void frame_use_plug(const struct frame_use_ops *ops)
{
    frame_use_ops = ops;
}

int frame_use_hold(mfn_t m, domid_t owner, bool writable)
{
    BUG_ON(frame_use_ops == NULL);
    return frame_use_ops->hold(m, owner, writable);
}

void frame_use_release(mfn_t m, bool writable)
{
    BUG_ON(frame_use_ops == NULL);
    frame_use_ops->release(m, writable);
}
