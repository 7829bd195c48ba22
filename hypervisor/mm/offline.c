/* SPDX-License-Identifier: MIT */
/*
 * mm/offline.c - take a frame out of service, put it back, ask about it.
 *
 * A frame in use becomes OFFLINING; page_free() turns that into OFFLINED when
 * its last reference goes.
 */
#include "mm/offline.h"

#include "lib/errno.h"
#include "mm/frame_state.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"

static bool is_ram(mfn_t m)
{
    enum memmap_type type;

    if (!mfn_valid(m)) {
        return false;
    }
    type = memmap_type_at(mfn_to_maddr(m));
    return type == MEMMAP_RAM || type == MEMMAP_KEPT;
}

static void note_broken(struct frame *f, enum offline_why why)
{
    if (why == OFFLINE_BROKEN) {
        frame_flags_set(f, FRAME_F_BROKEN);
    }
}

static int offline_locked(struct frame *f, enum offline_why why)
{
    switch ((enum frame_state)f->state) {
    case FRAME_RESERVED:
        note_broken(f, why);
        return -EPERM;
    case FRAME_FREE:
        page_alloc_isolate(f);
        note_broken(f, why);
        frame_move(f, FRAME_FREE, FRAME_OFFLINED);
        return 0;
    case FRAME_INUSE:
        note_broken(f, why);
        if (f->owner == DOMID_XEN) {
            return -EPERM;
        }
        frame_move(f, FRAME_INUSE, FRAME_OFFLINING);
        return 0;
    case FRAME_OFFLINING:
    case FRAME_OFFLINED:
        note_broken(f, why);
        return 0;
    }
    return -EINVAL;
}

int frame_offline(mfn_t m, enum offline_why why, domid_t *ret_owner)
{
    struct frame *f;
    domid_t owner;
    int rc;

    if (!is_ram(m)) {
        return -EINVAL;
    }
    f = frame_of(m);
    spin_lock(&heap_lock);
    owner = f->owner;
    rc = offline_locked(f, why);
    spin_unlock(&heap_lock);
    if (rc == 0) {
        *ret_owner = owner;
    }
    return rc;
}

int frame_online(mfn_t m)
{
    struct frame *f;
    int rc = 0;

    if (!is_ram(m)) {
        return -EINVAL;
    }
    f = frame_of(m);
    spin_lock(&heap_lock);
    if ((f->flags & FRAME_F_BROKEN) != 0) {
        rc = -EPERM;
    } else if (f->state == FRAME_OFFLINING) {
        frame_move(f, FRAME_OFFLINING, FRAME_INUSE);
    } else if (f->state == FRAME_OFFLINED) {
        page_alloc_return_locked(f);
    }
    spin_unlock(&heap_lock);
    return rc;
}

int frame_query(mfn_t m, enum frame_state *ret_state, uint8_t *ret_flags,
                domid_t *ret_owner)
{
    const struct frame *f;

    if (!mfn_valid(m)) {
        return -EINVAL;
    }
    f = frame_of(m);
    spin_lock(&heap_lock);
    *ret_state = f->state;
    *ret_flags = f->flags;
    *ret_owner = f->owner;
    spin_unlock(&heap_lock);
    return 0;
}
