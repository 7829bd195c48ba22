/* SPDX-License-Identifier: MIT */
/*
 * lib/lx.h - libxl, the library behind xl: what both use, both understand.
 *
 * Long operations run asynchronously in libxl's own event loop here, so that
 * SIGINT can abort them.  Everything that only libxl 4.17 knows is in lx.c,
 * build.c, guestcfg.c, guestdev.c and the verbs of vigil/guest_*.c.
 */
#ifndef VIGIL_TOOLS_LX_H
#define VIGIL_TOOLS_LX_H

#include <signal.h>

#include <libxl.h>

#include "lib/fault.h"
#include "lib/lxlog.h"
#include "lib/xen.h"

struct lx {
    libxl_ctx *ctx;
    struct lx_log *log; /* separate memory: libxl keeps its address */
};

/* One operation under way. */
struct lx_op {
    libxl_asyncop_how how;
    int done;
    int rc; /* 0, or one of libxl's ERROR_*: valid once done */
    int aborted;
};

/**
 * lx_open() - get a context of libxl
 * @lx:      filled in; release with lx_close()
 * @xen:     connected to xenstore: libxl would wait for ever for a xenstored
 *           that does not run
 * @verbose: 1: let libxl say what it does on standard error
 * @fault:   says why on failure
 *
 * Context: any; not inherited over fork().
 * Return:  0, or -1
 */
int lx_open(struct lx *lx, const struct xen *xen, int verbose,
            struct fault *fault);

/**
 * lx_close() - release a context
 * @lx: open, or zeroed
 *
 * Context: any.
 */
void lx_close(struct lx *lx);

/**
 * lx_begin() - prepare for an operation
 * @lx: open; what it said of earlier operations is forgotten
 * @op: filled in; give its `how` to libxl, then call lx_wait()
 *
 * Context: any; @op must stay until lx_wait() returns.
 */
void lx_begin(struct lx *lx, struct lx_op *op);

/**
 * lx_wait() - let libxl work until an operation is done
 * @lx:   open
 * @op:   begun
 * @rc:   what the function of libxl returned that started it
 * @stop: when not 0, the operation is aborted; NULL: it is not
 *
 * Context: any.
 * Return:  0, or one of libxl's ERROR_*
 */
int lx_wait(struct lx *lx, struct lx_op *op, int rc,
            const volatile sig_atomic_t *stop);

/**
 * lx_exit_code() - the exit code that fits an error of libxl
 * @rc: one of libxl's ERROR_*
 *
 * Context: any; pure.
 * Return:  one of enum exit_code
 */
enum exit_code lx_exit_code(int rc);

/**
 * lx_fault() - describe a failure of libxl
 * @lx:    open
 * @fault: filled in: the sentence, and libxl's first error behind it
 * @rc:    one of libxl's ERROR_*
 * @fmt:   printf format of the sentence, without newline
 *
 * Context: any.
 * Return:  -1
 */
int lx_fault(struct lx *lx, struct fault *fault, int rc, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
