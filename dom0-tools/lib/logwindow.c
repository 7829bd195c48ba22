/* SPDX-License-Identifier: MIT */
/* lib/logwindow.c - the hypervisor's own log, as it lies in its memory. */
#include "lib/logwindow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenforeignmemory.h>

#include <vigil/vigil_op.h>

#include "lib/blackbox_decode.h"

#define FRAME_BYTES ((size_t)XC_PAGE_SIZE)
#define FRAMES_MAX  16384 /* 64 MiB: no zone is as large */
#define LOOKS       3     /* while a cell is being written */

static int map(struct log_window *window, uint64_t first, struct fault *fault)
{
    xen_pfn_t *frames = xmalloc(window->frames * sizeof(*frames));

    for (size_t i = 0; i < window->frames; i++) {
        frames[i] = first + i;
    }
    window->zone = xenforeignmemory_map(window->memory, DOMID_XEN, PROT_READ,
                                        window->frames, frames, NULL);
    free(frames);
    if (!window->zone) {
        return fault_errno(fault, errno,
                           "the hypervisor's log at frame 0x%" PRIx64
                           " cannot be mapped",
                           first);
    }
    return 0;
}

int log_window_open(struct xen *xen, struct log_window *ret_window,
                    struct fault *fault)
{
    struct vigil_op_log_window where = {.frames = 0};
    int ret = vigil_call(xen, VIGIL_OP_log_window, &where, sizeof(where));

    memset(ret_window, 0, sizeof(*ret_window));
    if (ret == -ENOSYS) {
        return vigil_missing(fault, "the log's records");
    }
    if (ret) {
        return fault_errno(fault, -ret,
                           "the hypervisor does not show its log");
    }
    if (where.frames == 0 || where.frames > FRAMES_MAX) {
        return fault_set(fault, EXIT_NOT_VIGIL,
                         "the hypervisor's log has %" PRIu64
                         " frames; from 1 to %d can be read",
                         where.frames, FRAMES_MAX);
    }
    ret_window->frames = where.frames;
    ret_window->memory = xenforeignmemory_open(NULL, 0);
    if (!ret_window->memory) {
        return fault_errno(fault, errno,
                           "memory of the hypervisor cannot be mapped");
    }
    if (map(ret_window, where.mfn, fault)) {
        xenforeignmemory_close(ret_window->memory);
        return -1;
    }
    ret_window->copy = xmalloc(where.frames * FRAME_BYTES);
    return 0;
}

void log_window_close(struct log_window *window)
{
    free(window->copy);
    xenforeignmemory_unmap(window->memory, window->zone, window->frames);
    xenforeignmemory_close(window->memory);
}

int log_window_read(struct log_window *window, struct log_decoded *ret_log,
                    uint64_t *ret_tsc_khz, struct fault *fault)
{
    /* Too big for the stack budget, and callers are single threaded. */
    static struct box_view view;

    for (int look = 1;; look++) {
        const struct box_section *section = NULL;
        enum box_verdict verdict;

        memcpy(window->copy, window->zone, window->frames * FRAME_BYTES);
        verdict =
            box_decode(window->copy, window->frames * FRAME_BYTES, &view);
        if (verdict == BOX_OK) {
            section = box_section_find(&view, VIGIL_BOX_SECT_LOG);
        }
        if (!section) {
            return fault_set(fault, EXIT_NOT_VIGIL,
                             "the hypervisor's log cannot be read: %s",
                             verdict == BOX_OK ? "there is none in its zone"
                                               : box_verdict_text(verdict));
        }
        log_decode(section->data, section->bytes, view.header.boot_id, ret_log);
        if (ret_log->torn_cells == 0 || look == LOOKS) {
            break;
        }
        log_decoded_free(ret_log);
    }
    *ret_tsc_khz = view.header.tsc_khz;
    return 0;
}
