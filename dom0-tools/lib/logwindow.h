/* SPDX-License-Identifier: MIT */
/*
 * lib/logwindow.h - the hypervisor's own log, as it lies in its memory.
 *
 * The zone of this boot's black box is mapped for reading: the hypervisor writes
 * on meanwhile, and nothing that this program does can be in its way.
 */
#ifndef VIGIL_TOOLS_LOGWINDOW_H
#define VIGIL_TOOLS_LOGWINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"
#include "lib/log_decode.h"
#include "lib/xen.h"

struct log_window {
    struct xenforeignmemory_handle *memory;
    void *zone; /* changes while it is read */
    size_t frames;
    void *copy;
};

/**
 * log_window_open() - map it
 * @xen:        open
 * @ret_window: filled in; release with log_window_close()
 * @fault:      says why on failure; then nothing needs releasing
 *
 * Context: any.
 * Return:  0, or -1
 */
int log_window_open(struct xen *xen, struct log_window *ret_window,
                    struct fault *fault);

/**
 * log_window_close() - release it
 * @window: open
 *
 * Context: any.
 */
void log_window_close(struct log_window *window);

/**
 * log_window_read() - the lines that are there now
 * @window:      open
 * @ret_log:     filled in; release with log_decoded_free().  A line that is being
 *               written is cut or missing; the next look has it.
 * @ret_tsc_khz: frequency of its time stamps; 0: not known yet
 * @fault:       says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int log_window_read(struct log_window *window, struct log_decoded *ret_log,
                    uint64_t *ret_tsc_khz, struct fault *fault);

#endif
