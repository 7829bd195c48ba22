/* SPDX-License-Identifier: MIT */
/*
 * lib/lxlog.h - what libxl and libxenctrl say, and how far they are.
 *
 * Their messages are for programmers.  The first error of an operation says
 * most about the cause; it is kept, without the place in the source, so that
 * the one sentence we print can end with it.  With -v everything is shown.
 */
#ifndef VIGIL_TOOLS_LXLOG_H
#define VIGIL_TOOLS_LXLOG_H

#include <xentoollog.h>

#include "lib/progress.h"

#define LX_LOG_BYTES 320

struct lx_log {
    xentoollog_logger logger; /* first: the library hands it back */
    int verbose;
    char first[LX_LOG_BYTES]; /* first error, "" if none */
    struct progress progress;
};

/**
 * lx_log_init() - a logger that keeps the first error
 * @log:     filled in; must outlive every library that uses it
 * @verbose: 1: print all messages on standard error
 *
 * Context: any.
 */
void lx_log_init(struct lx_log *log, int verbose);

/**
 * lx_log_essence() - a message of libxl without its place in the source
 * @text: e.g. "libxl_dm.c:12:start: Domain 3:no device model"
 *
 * Context: any; pure.
 * Return:  where in @text the message itself begins
 */
const char *lx_log_essence(const char *text);

#endif
