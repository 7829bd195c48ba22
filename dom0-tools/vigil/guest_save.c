/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_save.c - vigil save and restore.
 *
 * The file appears under its name only when it is whole and synced, and only
 * then does the guest go: whatever fails before, the guest runs on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/destroy.h"
#include "lib/guestnote.h"
#include "lib/outfile.h"
#include "lib/saveimage.h"
#include "vigil/commands.h"

#define PAGE_BYTES     4096
#define ANSWER_SECONDS 20 /* libxl waits longer for a guest's answer */

/* Begin to show how far it is; the text is freed by the caller. */
static char *begin_progress(const struct invocation *call, struct lx *lx,
                            const char *name, struct fault *fault)
{
    enum progress_mode mode;
    char *what;

    if (command_progress(call, &mode, fault)) {
        return NULL;
    }
    what = xasprintf("save %s", name);
    progress_begin(&lx->log->progress, mode, what, PAGE_BYTES);
    return what;
}

static int check_can_be_saved(const struct guest *guest, struct fault *fault)
{
    if (guest->domid == 0) {
        return fault_set(fault, EXIT_REFUSED,
                         "Domain-0 is the control domain and cannot be saved");
    }
    if (guest->info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) {
        return fault_set(fault, EXIT_REFUSED,
                         "guest %s is %s; only a guest that runs can be saved",
                         guest->name, guest_state_word(guest));
    }
    if (guest->info.flags & XEN_DOMINF_paused) {
        return fault_set(fault, EXIT_REFUSED,
                         "guest %s is paused and cannot get ready to be saved; "
                         "`vigil unpause %s` first",
                         guest->name, guest->name);
    }
    return 0;
}

/* Let a guest that was stopped for saving go on; it never notices. */
static int resume(struct lx *lx, struct xen *xen, const struct guest *guest,
                  struct fault *fault)
{
    const struct guest *now;
    struct guest_list list;
    struct lx_op op;
    int stopped;
    int rc;

    if (guests_read(xen, &list, fault)) {
        return -1;
    }
    now = guests_by_domid(&list, guest->domid);
    stopped = now && guest_shutdown_reason(now) == SHUTDOWN_suspend;
    guests_free(&list);
    if (!stopped) {
        return 0;
    }
    lx_begin(lx, &op);
    rc = lx_wait(lx, &op,
                 libxl_domain_resume(lx->ctx, guest->domid, 1, &op.how), NULL);
    return rc ? lx_fault(lx, fault, rc,
                         "guest %s stands still and cannot go on; `vigil "
                         "destroy %s` ends it",
                         guest->name, guest->name)
              : 0;
}

/* The configuration of the guest as the head of the file. */
static int write_head(struct lx *lx, const struct guest *guest, int fd,
                      struct fault *fault)
{
    libxl_domain_config config;
    size_t bytes;
    char *json;
    void *head;
    int ret = 0;

    if (guest_config(lx, guest->domid, &config, fault)) {
        return -1;
    }
    json = libxl_domain_config_to_json(lx->ctx, &config);
    libxl_domain_config_dispose(&config);
    if (!json) {
        return fault_set(fault, EXIT_FAILED,
                         "libxl cannot write down the configuration of %s",
                         guest->name);
    }
    head = saveimage_head(json, &bytes);
    if (outfile_write(&file_ops_system, fd, head, bytes)) {
        ret =
            fault_errno(fault, errno, "guest %s cannot be saved", guest->name);
    }
    free(head);
    free(json);
    return ret;
}

static int write_guest(struct lx *lx, const struct guest *guest, int fd,
                       struct fault *fault)
{
    struct lx_op op;
    time_t begin;
    int rc;

    if (write_head(lx, guest, fd, fault)) {
        return -1;
    }
    begin = time(NULL);
    lx_begin(lx, &op);
    rc = lx_wait(lx, &op,
                 libxl_domain_suspend(lx->ctx, guest->domid, fd, 0, &op.how),
                 &command_stop);
    progress_end(&lx->log->progress);
    if (rc == 0) {
        return 0;
    }
    if (command_stop) {
        return fault_set(fault, exit_code_of_signal(command_stop),
                         "interrupted: guest %s is not saved and runs on",
                         guest->name);
    }
    lx_fault(lx, fault, rc, "guest %s cannot be saved and runs on",
             guest->name);
    /* libxl says so of every failure before the guest has answered. */
    if (fault->code == EXIT_TIMED_OUT && time(NULL) - begin < ANSWER_SECONDS) {
        fault->code = EXIT_FAILED;
    }
    return -1;
}

/* What becomes of the guest once its file is safe. */
static int after_save(const struct invocation *call, struct xen *xen,
                      struct lx *lx, const struct guest *guest,
                      struct fault *fault)
{
    int paused = opts_given(call, 'p', NULL) != NULL;

    if (!paused && !opts_given(call, 'c', NULL)) {
        guestnote_remove(guest->uuid);
        return guest_destroy(xen, guest->domid, guest->uuid, fault);
    }
    if (paused && xc_domain_pause(xen->xch, guest->domid)) {
        return fault_errno(fault, errno, "guest %s cannot be paused",
                           guest->name);
    }
    return resume(lx, xen, guest, fault);
}

static int save(const struct invocation *call, struct xen *xen, struct lx *lx,
                const struct guest *guest, struct fault *fault)
{
    const char *path = call->operands[1];
    struct outfile_stream stream;
    struct fault second;
    char *what;
    int ret;

    if (check_can_be_saved(guest, fault)) {
        return -1;
    }
    what = begin_progress(call, lx, guest->name, fault);
    if (!what) {
        return -1;
    }
    ret = outfile_begin(path, &stream, fault);
    if (ret == 0 && write_guest(lx, guest, stream.fd, fault)) {
        outfile_abandon(&stream);
        ret = -1;
    } else if (ret == 0) {
        ret = outfile_commit(&file_ops_system, &stream, fault);
    }
    progress_end(&lx->log->progress);
    free(what);
    if (ret) {
        if (resume(lx, xen, guest, &second)) {
            say("warning: %s", second.text);
        }
        return -1;
    }
    say("guest %s is saved in %s", guest->name, path);
    return after_save(call, xen, lx, guest, fault);
}

int run_save(const struct invocation *call)
{
    return for_one_guest(call, save);
}

static int restore(const struct invocation *call, struct xen *xen,
                   struct lx *lx, struct fault *fault)
{
    const char *path = call->operands[0];
    libxl_domain_config config;
    enum progress_mode mode;
    libxl_domid domid;
    char *json;
    int ret = -1;
    int image;

    if (command_progress(call, &mode, fault) ||
        guestcfg_domid_parse(opts_given(call, 0, "domid"), &domid, fault)) {
        return -1;
    }
    image = saveimage_open(path, &json, fault);
    if (image < 0) {
        return -1;
    }
    if (guestcfg_from_json(lx->ctx, path, json, &config, fault) == 0) {
        config.c_info.domid = domid;
        ret = guest_start(call, xen, lx, &config, image, fault);
        libxl_domain_config_dispose(&config);
    }
    free(json);
    close(image);
    return ret;
}

int run_restore(const struct invocation *call)
{
    return with_libxl(call, restore);
}
