/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sysctl_page.c - sysctl page_offline_op: memory leaves service and
 * comes back, by order of the control domain.
 *
 * Each frame of the range gets a status word: result in the low half, owner
 * in the high half.
 */
#include "mm/offline.h"
#include "hypercall/sysctl.h"

#define RANGE_MAX 65536U

static uint32_t owner_bits(domid_t owner)
{
    return (uint32_t)owner << PG_OFFLINE_OWNER_SHIFT;
}

static uint32_t offline_one(mfn_t m)
{
    enum frame_state state;
    domid_t owner = DOMID_INVALID;
    uint8_t flags;
    int rc = frame_offline(m, OFFLINE_ASKED, &owner);

    if (rc == -EINVAL) {
        return PG_OFFLINE_FAILED | PG_OFFLINE_NOT_CONV_RAM;
    }
    if (rc != 0 || frame_query(m, &state, &flags, &owner) != 0) {
        return PG_OFFLINE_FAILED | PG_OFFLINE_XENPAGE | owner_bits(DOMID_XEN);
    }
    if (state == FRAME_OFFLINED) {
        return PG_OFFLINE_OFFLINED |
               ((flags & FRAME_F_BROKEN) != 0 ? PG_OFFLINE_BROKEN : 0);
    }
    return PG_OFFLINE_PENDING | PG_OFFLINE_OWNED | owner_bits(owner);
}

static uint32_t online_one(mfn_t m)
{
    switch (frame_online(m)) {
    case 0:
        return PG_ONLINE_ONLINED;
    case -EPERM:
        return PG_ONLINE_FAILED | PG_ONLINE_BROKEN;
    default:
        return PG_ONLINE_FAILED | PG_OFFLINE_INVALID;
    }
}

static uint32_t query_one(mfn_t m)
{
    enum frame_state state;
    domid_t owner;
    uint8_t flags;
    uint32_t status = 0;

    if (frame_query(m, &state, &flags, &owner) != 0) {
        return PG_OFFLINE_INVALID;
    }
    if (state == FRAME_OFFLINED) {
        status |= PG_OFFLINE_STATUS_OFFLINED;
    } else if (state == FRAME_OFFLINING) {
        status |= PG_OFFLINE_STATUS_OFFLINE_PENDING;
    }
    if ((flags & FRAME_F_BROKEN) != 0) {
        status |= PG_OFFLINE_STATUS_BROKEN;
    }
    return status;
}

int64_t sysctl_offline_pages(const struct xen_sysctl_page_offline_op *p)
{
    uint32_t (*one)(mfn_t m);
    uint32_t i;

    switch (p->cmd) {
    case sysctl_page_offline:
        one = offline_one;
        break;
    case sysctl_page_online:
        one = online_one;
        break;
    case sysctl_query_page_offline:
        one = query_one;
        break;
    default:
        return -EINVAL;
    }
    if (p->end < p->start) {
        return -EINVAL;
    }
    if (p->end - p->start >= RANGE_MAX) {
        return -E2BIG;
    }
    for (i = 0; i <= p->end - p->start; i++) {
        uint32_t status = one(mfn((uint64_t)p->start + i));

        if (copy_elem_to_guest(p->status, i, &status) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}
