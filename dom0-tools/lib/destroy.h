/* SPDX-License-Identifier: MIT */
/* lib/destroy.h - end a guest, with its devices and its entries. */
#ifndef VIGIL_TOOLS_DESTROY_H
#define VIGIL_TOOLS_DESTROY_H

#include <stdint.h>

#include "lib/xen.h"

/**
 * guest_destroy() - end a guest at once
 * @xen:   connected to the hypervisor and to xenstore
 * @domid: guest, not 0
 * @uuid:  text of its UUID: another guest of that number is left alone
 * @fault: says why on failure
 *
 * libxl takes its devices down, its entries out of xenstore, and its number
 * out of use for a minute.
 *
 * Context: any; may take seconds for a large guest or a device that hangs.
 * Return:  0, or -1
 */
int guest_destroy(struct xen *xen, uint32_t domid, const char *uuid,
                  struct fault *fault);

#endif
