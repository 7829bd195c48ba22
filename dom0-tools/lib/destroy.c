/* SPDX-License-Identifier: MIT */
/* lib/destroy.c - end a guest and remove what xenstore says of it. */
#include "lib/destroy.h"

#include <errno.h>
#include <time.h>

#include "lib/guests.h"
#include "lib/nodes.h"

/* The hypervisor frees a large guest in slices and may say "go on": 10 s. */
#define DESTROY_TRIES    500
#define DESTROY_PAUSE_NS 20000000L

int guest_destroy(struct xen *xen, uint32_t domid, const char *uuid,
                  struct fault *fault)
{
    const struct timespec pause = {.tv_nsec = DESTROY_PAUSE_NS};
    xc_domaininfo_t info;
    int ret = -1;

    if (domid == 0) {
        return fault_set(fault, EXIT_REFUSED,
                         "Domain-0 is the control domain and cannot be "
                         "destroyed; `poweroff` ends the machine");
    }
    for (int i = 0; i < DESTROY_TRIES && ret; i++) {
        /* Between the look at the list and now it may have become another's. */
        if (!guest_is(xen, domid, uuid)) {
            return fault_set(fault, EXIT_NOT_FOUND,
                             "guest %u (%s) is gone already", domid, uuid);
        }
        ret = xc_domain_destroy(xen->xch, domid);
        if (ret && errno != EAGAIN && errno != EBUSY && errno != EINTR) {
            break;
        }
        if (ret) {
            nanosleep(&pause, NULL);
        }
    }
    if (ret) {
        return fault_errno(fault, errno, "guest %u cannot be destroyed", domid);
    }
    nodes_remove(xen, domid, uuid);
    /*
     * Fails when xenstored never met it or has noticed already: both fine.  A
     * new domain of that number is not to lose its connection.
     */
    if (xc_domain_getinfolist(xen->xch, domid, 1, &info) != 1 ||
        info.domain != domid || guest_is(xen, domid, uuid)) {
        xs_release_domain(xen->xs, domid);
    }
    return 0;
}
