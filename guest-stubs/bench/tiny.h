/* SPDX-License-Identifier: MIT */
/*
 * tiny.h - the smallest PV guest, made by domctl from Dom0.
 *
 * Six pages: code, data with the stack, and one table of each level, which
 * map them (and the shared page, if asked) at TINY_VA.  It shuts down at once,
 * runs for ever, works for a while at each event, or blocks for ever and
 * answers events:
 *
 *     TINY_PORT_ECHO   sends back on the same port
 *     TINY_PORT_WAKE   wakes up and blocks again
 *     TINY_PORT_QUIET  masked: it does not wake
 *
 * Include before any other header: it asks Xen's headers for the tools' part.
 */
#ifndef VIGIL_STUBS_TINY_H
#define VIGIL_STUBS_TINY_H

#define __XEN_TOOLS__ 1

#include "bench.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

#define TINY_PAGES 6
#define TINY_PORTS 4

/* The highest limits a domain may have: of ports, of frames of grants. */
#define TINY_WIDE_PORTS  131072U
#define TINY_WIDE_FRAMES 4096U

/* The first ports of a domain, in the order in which they are bound. */
#define TINY_PORT_ECHO  1
#define TINY_PORT_WAKE  2
#define TINY_PORT_QUIET 3

enum tiny_mode {
    TINY_SHUTS_DOWN,
    TINY_STAYS,
    TINY_HOG,     /* on all of its vcpus */
    TINY_WORKS,   /* at each event */
    TINY_VERSION, /* stays, its grant table in version work_tsc */
};

/* The steps of a life, as they are timed. */
enum tiny_step {
    TINY_CREATE,
    TINY_VCPU,
    TINY_POPULATE,
    TINY_FILL,
    TINY_PIN,
    TINY_CONTEXT,
    TINY_RUN,
    TINY_DESTROY,
    TINY_STEPS,
};

/*
 * Other code for TINY_VA, less than a page, with tiny's data behind it.  It
 * begins at @begin; general protection and page faults go to @fault.
 */
struct tiny_code {
    const char *begin, *upcall, *fault, *end;
};

struct tiny {
    unsigned int vcpus; /* asked for; 0: one */
    uint64_t work_tsc;  /* asked for: of TINY_WORKS, at each event */
    unsigned int number; /* asked for: its domid; 0: any            */
    uint8_t tag;        /* asked for: each byte of its UUID        */
    bool wide;          /* asked for: limits as high as can be     */
    /* Asked for; NULL: what the mode says. */
    const struct tiny_code *code;
    domid_t domid;
    xen_pfn_t frame[TINY_PAGES];
    uint64_t tsc[TINY_STEPS]; /* what each step took */
};

/**
 * tiny_domctl() - one domctl
 * @domid: domain
 * @op:    the arguments; command and version are filled in
 * @cmd:   XEN_DOMCTL_*
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_domctl(domid_t domid, struct xen_domctl *op, uint32_t cmd);

/**
 * tiny_create() - createdomain, and no more
 * @t: domid is filled in
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_create(struct tiny *t);

/**
 * tiny_max_vcpus() - give it its vcpus
 * @t: created
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_max_vcpus(const struct tiny *t);

/**
 * tiny_max_mem() - let it have memory
 * @t:     created
 * @pages: most it may have
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_max_mem(const struct tiny *t, unsigned long pages);

/**
 * tiny_populate() - give it memory
 * @t:     created, with room under its limit
 * @list:  guest frames; replaced by the machine frames
 * @count: entries of @list
 * @order: of each
 *
 * Context: any but handlers.
 * Return:  extents done
 */
long tiny_populate(const struct tiny *t, xen_pfn_t *list, unsigned long count,
                   unsigned int order);

/**
 * tiny_window_open() - once, before the first tiny_build()
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void tiny_window_open(void);

/**
 * tiny_build() - everything up to a guest that can be unpaused
 * @t:    what is asked for; filled in, with the time of each step
 * @mode: what it does
 *
 * Context: any but handlers.
 * Return:  0 or what the hypervisor said; then what was made is destroyed
 */
long tiny_build(struct tiny *t, enum tiny_mode mode);

/**
 * tiny_unpause() - let it run
 * @t: built
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_unpause(const struct tiny *t);

/**
 * tiny_destroy() - the end of it
 * @t: created
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_destroy(struct tiny *t);

/**
 * tiny_info() - getdomaininfo
 * @domid:    the first with at least this number
 * @ret_info: what is known
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_info(domid_t domid, struct xen_domctl_getdomaininfo *ret_info);

/* Any processor. */
#define TINY_ALL_CPUS (~0UL)

/**
 * tiny_set_affinity() - where a vcpu may run, and where it would rather
 * @domid: any domain's, also our own
 * @vcpu:  its number
 * @hard:  processors, by bit
 * @soft:  processors, by bit
 *
 * Context: any but handlers.
 * Return:  what the hypervisor said
 */
long tiny_set_affinity(domid_t domid, unsigned int vcpu, uint64_t hard,
                       uint64_t soft);

/**
 * tiny_cpus() - processors that are online
 *
 * Context: any but handlers.
 * Return:  their number
 */
unsigned int tiny_cpus(void);

/**
 * tiny_free_pages() - memory the hypervisor has left
 *
 * Context: any but handlers.
 * Return:  pages
 */
uint64_t tiny_free_pages(void);

/**
 * tiny_await() - wait, blocked, for a port; clears it
 * @port: bound, masked
 *
 * Context: upcalls masked.
 * Return:  nothing
 */
void tiny_await(evtchn_port_t port);

/**
 * bench_domains_growth() - what depends on the number of domains
 *
 * Context: part of the area domains.
 * Return:  nothing
 */
void bench_domains_growth(void);

#endif /* VIGIL_STUBS_TINY_H */
