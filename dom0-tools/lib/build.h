/* SPDX-License-Identifier: MIT */
/* lib/build.h - make a PV guest from a configuration. */
#ifndef VIGIL_TOOLS_BUILD_H
#define VIGIL_TOOLS_BUILD_H

#include <signal.h>
#include <stdint.h>

#include "lib/guestcfg.h"
#include "lib/nodes.h"
#include "lib/xen.h"

/**
 * guest_build() - make a guest, paused
 * @xen:       connected to the hypervisor and to xenstore
 * @config:    its configuration
 * @stop:      when not 0, building ends with EXIT_INTERRUPTED
 * @ret_domid: its number; set on success only
 * @fault:     says which step failed and why
 *
 * Memory is loaded, the page tables are built, xenstore and its daemons know
 * the guest.  On failure everything is undone.
 *
 * Context: any.
 * Return:  0, or -1
 */
int guest_build(struct xen *xen, const struct guest_config *config,
                const volatile sig_atomic_t *stop, uint32_t *ret_domid,
                struct fault *fault);

#endif
