/* SPDX-License-Identifier: MIT */
/* lib/destroy.h - end a guest and remove what xenstore says of it. */
#ifndef VIGIL_TOOLS_DESTROY_H
#define VIGIL_TOOLS_DESTROY_H

#include <stdint.h>

#include "lib/xen.h"

/**
 * guest_destroy() - end a guest and remove its entries from xenstore
 * @xen:   connected to the hypervisor and to xenstore
 * @domid: guest, not 0
 * @uuid:  text of its UUID
 * @fault: says why on failure
 *
 * Context: any; may take seconds for a large guest.
 * Return:  0, or -1
 */
int guest_destroy(struct xen *xen, uint32_t domid, const char *uuid,
                  struct fault *fault);

#endif
