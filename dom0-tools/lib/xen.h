/* SPDX-License-Identifier: MIT */
/* lib/xen.h - handles on the hypervisor and on xenstore. */
#ifndef VIGIL_TOOLS_XEN_H
#define VIGIL_TOOLS_XEN_H

#include <stddef.h>

#include <xencall.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "lib/fault.h"

struct xen {
    xc_interface *xch;
    xencall_handle *call;
    struct xs_handle *xs; /* NULL until xen_need_store() */
    xentoollog_logger_stdiostream *log;
};

/**
 * xen_open() - connect to the hypervisor
 * @xen:     filled in; release with xen_close()
 * @verbose: 1: let libxenctrl say what it does on standard error
 * @fault:   says why on failure
 *
 * Context: once per process; not inherited over fork().
 * Return:  0, or -1
 */
int xen_open(struct xen *xen, int verbose, struct fault *fault);

/**
 * xen_need_store() - connect to xenstore too
 * @xen:   open
 * @fault: says why on failure
 *
 * Only through xenstored's socket: the kernel's device would block for ever
 * if the daemon does not run.
 *
 * Context: any; nothing happens if connected already.
 * Return:  0, or -1
 */
int xen_need_store(struct xen *xen, struct fault *fault);

/**
 * xen_close() - release all handles
 * @xen: open, or zeroed
 *
 * Context: any.
 */
void xen_close(struct xen *xen);

/**
 * vigil_call() - Vigil's own hypercall
 * @xen:   open
 * @op:    VIGIL_OP_*
 * @arg:   that operation's struct, in and out; NULL if it has none
 * @bytes: size of @arg
 *
 * Context: any.
 * Return:  0, or -errno as the hypervisor gave it; -ENOSYS: not Vigil
 */
int vigil_call(struct xen *xen, unsigned int op, void *arg, size_t bytes);

/**
 * vigil_box_fetch() - copy the previous boot's black box
 * @xen:       open
 * @ret_data:  bytes, freed by the caller; success only
 * @ret_bytes: size; success only
 *
 * Context: any.
 * Return:  0, or -errno; -ENOENT: there is none; -ENOSYS: not Vigil;
 *          -E2BIG: larger than any box can be
 */
int vigil_box_fetch(struct xen *xen, void **ret_data, size_t *ret_bytes);

/**
 * vigil_missing() - describe that only Vigil can answer this
 * @fault: filled in
 * @what:  what was asked for
 *
 * Context: any.
 * Return:  -1
 */
int vigil_missing(struct fault *fault, const char *what);

/**
 * console_ring_read() - the hypervisor's console ring as text
 * @xen:     open
 * @clear:   1: empty the ring
 * @ret_len: length; set on success only
 * @fault:   says why on failure
 *
 * Context: any.
 * Return:  NUL-terminated text, freed by the caller, or NULL
 */
char *console_ring_read(struct xen *xen, int clear, size_t *ret_len,
                        struct fault *fault);

/**
 * console_page_read() - the last output in a guest's console page
 * @domid:   guest; it must still exist
 * @mfn:     machine frame of its console page
 * @ret_len: length, at most 2048; set on success only
 *
 * The guest may write while this reads, and may have written nonsense: the
 * indices are read once and masked.
 *
 * Context: any.
 * Return:  NUL-terminated bytes, freed by the caller, or NULL with errno
 */
char *console_page_read(uint32_t domid, unsigned long mfn, size_t *ret_len);

/**
 * console_page_await() - let xenconsoled take what a guest has written
 * @domid: guest; it must still exist, and not run
 * @mfn:   machine frame of its console page
 * @ms:    for so long at most, milliseconds
 *
 * A guest that writes nonsense there, or that nobody listens to, costs the time.
 *
 * Context: any that may wait.
 */
void console_page_await(uint32_t domid, unsigned long mfn, unsigned int ms);

#endif
