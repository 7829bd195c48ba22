/* SPDX-License-Identifier: MIT */
/* lib/build.h - make a guest from a configuration, or from a saved image. */
#ifndef VIGIL_TOOLS_BUILD_H
#define VIGIL_TOOLS_BUILD_H

#include <signal.h>
#include <stdint.h>

#include "lib/guestcfg.h"
#include "lib/lx.h"

/**
 * guest_build() - make a guest, paused
 * @xen:       connected to the hypervisor and to xenstore
 * @lx:        open
 * @config:    its configuration; libxl fills in what it leaves open, and its
 *             c_info.domid chooses the number
 * @image:     open file with a saved guest, at the stream of libxl; -1: none,
 *             the guest starts from its kernel
 * @stop:      when not 0, building ends
 * @ret_domid: its number; set on success only
 * @fault:     says which step failed and why
 *
 * On failure everything is undone.
 *
 * Context: any.
 * Return:  0, or -1
 */
int guest_build(struct xen *xen, struct lx *lx, libxl_domain_config *config,
                int image, const volatile sig_atomic_t *stop,
                uint32_t *ret_domid, struct fault *fault);

/**
 * guest_config() - the configuration of a guest as it is now
 * @lx:         open
 * @domid:      guest
 * @ret_config: filled in on success; release with libxl_domain_config_dispose()
 * @fault:      says why on failure
 *
 * What was attached, detached or set since it was made is in it.
 *
 * Context: any.
 * Return:  0, or -1
 */
int guest_config(struct lx *lx, uint32_t domid, libxl_domain_config *ret_config,
                 struct fault *fault);

#endif
