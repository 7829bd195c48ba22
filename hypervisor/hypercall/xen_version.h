/* SPDX-License-Identifier: MIT */
/*
 * hypercall/xen_version.h - what this hypervisor says about itself.
 */
#ifndef VIGIL_HYPERCALL_XEN_VERSION_H
#define VIGIL_HYPERCALL_XEN_VERSION_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * xen_version_set_cmdline() - remember the hypervisor's options
 * @text: NUL-terminated; copied, cut to fit
 *
 * Context: boot.
 */
void xen_version_set_cmdline(const char *text);

/**
 * xen_version_text() - "Vigil 4.17.0-vigil build-id 0123..."
 * @buf:  destination, NUL-terminated afterwards
 * @size: its size, not 0
 *
 * Context: any.
 * Return:  bytes before the NUL
 */
size_t xen_version_text(char *buf, size_t size);

#endif
