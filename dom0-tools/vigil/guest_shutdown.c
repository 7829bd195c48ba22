/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_shutdown.c - vigil shutdown and reboot.
 *
 * A PV guest is asked through xenstore.  One that listens clears the request
 * and shuts down; a small kernel without xenbus never sees it, so after a
 * while we say so and say what to do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/guests.h"
#include "vigil/commands.h"

#define DEFAULT_SECONDS 60
#define FORCE_SECONDS   10
#define POLL_NS         200000000L

enum shutdown_progress {
    SHUTDOWN_ASKED,    /* the request still stands            */
    SHUTDOWN_ANSWERED, /* the guest took the request          */
    SHUTDOWN_DONE,     /* it has shut down, or is gone        */
};

/* The two things a guest is asked for. */
struct request {
    const char *word; /* for control/shutdown                          */
    const char *verb; /* for people: "power off"                       */
    const char *done; /* "powered off"                                 */
    int reason;       /* SHUTDOWN_*, when it is forced                 */
};

static const struct request poweroff = {"poweroff", "power off", "powered off",
                                        SHUTDOWN_poweroff};
static const struct request reboot_ = {"reboot", "start anew", "gone down",
                                       SHUTDOWN_reboot};

static long seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int ask(struct xen *xen, const struct guest *guest,
               const struct request *request, struct fault *fault)
{
    char *path = xasprintf("/local/domain/%u/control/shutdown", guest->domid);
    bool done = xs_write(xen->xs, XBT_NULL, path, request->word,
                         (unsigned int)strlen(request->word));

    free(path);
    return done ? 0
                : fault_errno(fault, errno,
                              "guest %s cannot be asked through xenstore",
                              guest->name);
}

static enum shutdown_progress progress(struct xen *xen,
                                       const struct guest *guest)
{
    struct guest_list list;
    const struct guest *now;
    struct fault ignored;
    int ended;
    char *request;
    int asked;

    if (guests_read(xen, &list, &ignored)) {
        return SHUTDOWN_ASKED;
    }
    now = guests_by_domid(&list, guest->domid);
    ended = !now || strcmp(now->uuid, guest->uuid) ||
            (now->info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying));
    guests_free(&list);
    if (ended) {
        return SHUTDOWN_DONE;
    }
    request = store_guest_text(xen, guest->domid, "control/shutdown");
    asked = request && request[0];
    free(request);
    return asked ? SHUTDOWN_ASKED : SHUTDOWN_ANSWERED;
}

/* wait_for(), and meanwhile show how much of the time is over. */
static int wait_showing(struct xen *xen, const struct guest *guest,
                        const struct request *request,
                        enum shutdown_progress wanted, long seconds,
                        struct progress *shown, struct fault *fault)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    long begin = seconds_now();
    long until = begin + seconds;
    enum shutdown_progress now;

    while ((now = progress(xen, guest)) < wanted) {
        if (command_stop) {
            return fault_set(fault, exit_code_of_signal(command_stop),
                             "no longer waiting for guest %s; it is still "
                             "asked to %s",
                             guest->name, request->verb);
        }
        if (seconds_now() >= until) {
            return fault_set(fault, EXIT_TIMED_OUT,
                             "guest %s %s%s within %ld s; option -F or `vigil "
                             "destroy %s` ends it",
                             guest->name,
                             now == SHUTDOWN_ASKED
                                 ? "does not answer (it may have no xenbus)"
                                 : "has not ",
                             now == SHUTDOWN_ASKED ? "" : request->done,
                             seconds, guest->name);
        }
        progress_show(shown, (uint64_t)(seconds_now() - begin),
                      (uint64_t)seconds);
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* Wait for @wanted; 0 when it came, -1 with a fault when time is up. */
static int wait_for(const struct invocation *call, struct xen *xen,
                    const struct guest *guest, const struct request *request,
                    enum shutdown_progress wanted, long seconds,
                    struct fault *fault)
{
    enum progress_mode mode;
    struct progress shown;
    char *what;
    int ret;

    if (command_progress(call, &mode, fault)) {
        return -1;
    }
    what = xasprintf("%s %s", request == &reboot_ ? "reboot" : "shutdown",
                     guest->name);
    progress_begin(&shown, mode, what, 0);
    ret = wait_showing(xen, guest, request, wanted, seconds, &shown, fault);
    progress_end(&shown);
    free(what);
    return ret;
}

static int force(struct xen *xen, const struct guest *guest,
                 const struct request *request, struct fault *fault)
{
    if (xc_domain_shutdown(xen->xch, guest->domid, request->reason)) {
        return fault_errno(fault, errno,
                           "guest %s cannot be shut down from outside; "
                           "`vigil destroy %s` ends it",
                           guest->name, guest->name);
    }
    return 0;
}

static int shut_down(const struct invocation *call, struct xen *xen,
                     const struct guest *guest, const struct request *request,
                     struct fault *fault)
{
    int forced = opts_given(call, 'F', NULL) != NULL;
    enum progress_mode mode;
    long seconds;

    if (command_progress(call, &mode, fault) ||
        opts_seconds(call, "timeout", forced ? FORCE_SECONDS : DEFAULT_SECONDS,
                     &seconds, fault)) {
        return -1;
    }
    if (guest->domid == 0) {
        return fault_set(fault, EXIT_REFUSED,
                         "Domain-0 is shut down from inside: `poweroff` ends "
                         "the machine");
    }
    if (guest->info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) {
        return fault_set(fault, EXIT_REFUSED, "guest %s is %s already",
                         guest->name, guest_state_word(guest));
    }
    if (ask(xen, guest, request, fault)) {
        return -1;
    }
    if (forced) {
        if (wait_for(call, xen, guest, request, SHUTDOWN_DONE, seconds,
                     fault) == 0) {
            return 0;
        }
        return fault->code == EXIT_TIMED_OUT ? force(xen, guest, request, fault)
                                             : -1;
    }
    if (opts_given(call, 'w', NULL)) {
        return wait_for(call, xen, guest, request, SHUTDOWN_DONE, seconds,
                        fault);
    }
    if (opts_given(call, 0, "timeout")) {
        return wait_for(call, xen, guest, request, SHUTDOWN_ANSWERED, seconds,
                        fault);
    }
    return 0;
}

static int run_request(const struct invocation *call,
                       const struct request *request)
{
    const struct guest *guest;
    struct guest_list list;
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;

    if (command_guest(call, &xen, &list, &guest, &fault)) {
        return say_fault(&fault);
    }
    if (shut_down(call, &xen, guest, request, &fault)) {
        code = say_fault(&fault);
    }
    guests_free(&list);
    xen_close(&xen);
    return code;
}

int run_shutdown(const struct invocation *call)
{
    return run_request(call, &poweroff);
}

int run_reboot(const struct invocation *call)
{
    return run_request(call, &reboot_);
}
