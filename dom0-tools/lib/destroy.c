/* SPDX-License-Identifier: MIT */
/* lib/destroy.c - end a guest, with its devices and its entries. */
#include "lib/destroy.h"

#include "lib/guests.h"
#include "lib/lx.h"

int guest_destroy(struct xen *xen, uint32_t domid, const char *uuid,
                  struct fault *fault)
{
    struct lx_op op;
    struct lx lx;
    int rc;

    if (domid == 0) {
        return fault_set(fault, EXIT_REFUSED,
                         "Domain-0 is the control domain and cannot be "
                         "destroyed; `poweroff` ends the machine");
    }
    /* A context of its own: the collector's xenstored may have come back. */
    if (lx_open(&lx, xen, 0, fault)) {
        return -1;
    }
    lx_begin(&lx, &op);
    /* Between the look at the list and now it may have become another's. */
    if (!guest_is(xen, domid, uuid)) {
        lx_close(&lx);
        return fault_set(fault, EXIT_NOT_FOUND, "guest %u (%s) is gone already",
                         domid, uuid);
    }
    rc = lx_wait(&lx, &op, libxl_domain_destroy(lx.ctx, domid, &op.how), NULL);
    /* Somebody else was at it, too: what counts is that it is gone. */
    if (rc && !guest_is(xen, domid, uuid)) {
        rc = 0;
    }
    if (rc) {
        lx_fault(&lx, fault, rc, "guest %u cannot be destroyed", domid);
    }
    lx_close(&lx);
    return rc ? -1 : 0;
}
