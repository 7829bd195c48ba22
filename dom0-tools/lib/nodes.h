/* SPDX-License-Identifier: MIT */
/*
 * lib/nodes.h - a guest's entries in xenstore.
 *
 * They are what libxl would write, so that stock xl list, console, shutdown
 * and destroy work on guests made by Vigil.
 */
#ifndef VIGIL_TOOLS_NODES_H
#define VIGIL_TOOLS_NODES_H

#include <stdint.h>

#include "lib/guestcfg.h"
#include "lib/xen.h"

/* What building a guest found out about its two rings. */
struct guest_rings {
    uint32_t console_port;
    uint32_t store_port;
    unsigned long console_mfn;
    unsigned long store_mfn;
};

/**
 * nodes_write_identity() - the entries a guest has before it is built
 * @xen:    connected to xenstore
 * @domid:  guest
 * @config: its configuration
 * @fault:  says why on failure; then nothing was written
 *
 * Context: any.
 * Return:  0, or -1
 */
int nodes_write_identity(struct xen *xen, uint32_t domid,
                         const struct guest_config *config,
                         struct fault *fault);

/**
 * nodes_write_rings() - the entries that tell the daemons about its rings
 * @xen:    connected to xenstore
 * @domid:  guest
 * @config: its configuration
 * @rings:  as built
 * @fault:  says why on failure; then nothing was written
 *
 * Context: any.
 * Return:  0, or -1
 */
int nodes_write_rings(struct xen *xen, uint32_t domid,
                      const struct guest_config *config,
                      const struct guest_rings *rings, struct fault *fault);

/**
 * nodes_remove() - remove all entries of a guest
 * @xen:   connected to xenstore
 * @domid: guest
 * @uuid:  text of its UUID
 *
 * What is not there is not missed.
 *
 * Context: any.
 */
void nodes_remove(struct xen *xen, uint32_t domid, const char *uuid);

#endif
