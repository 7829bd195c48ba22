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

enum xen_version_fact {
    FACT_BUILD_ID,    /* hexadecimal; empty: the linker made none */
    FACT_CHANGESET,
    FACT_COMPILER,
    FACT_EXTRA,       /* what is behind major and minor           */
    FACT_GRANULARITY, /* what the scheduler gives processors by   */
};

/**
 * xen_version_fact() - one of the things that tools ask for by name
 * @fact: which
 * @buf:  destination, NUL-terminated afterwards
 * @size: its size, not 0
 *
 * Context: any.
 */
void xen_version_fact(enum xen_version_fact fact, char *buf, size_t size);

#endif
