/* SPDX-License-Identifier: MIT */
/* lib/lx.c - libxl, the library behind xl. */
#include "lib/lx.h"

#include <errno.h>
#include <libxl_event.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* A signal that comes just before poll() is seen after so long. */
#define STOP_POLL_MS 300

/*
 * Helpers and hotplug scripts leave the terminal: ^C is meant for us, and we
 * end them in an orderly way.  By a session and not by a process group only: a
 * boot loader gets a terminal of its own, and only who leads a session may.
 */
static pid_t fork_apart(void *user)
{
    pid_t child = fork();

    (void)user;
    if (child == 0) {
        setsid();
    }
    return child;
}

static const libxl_childproc_hooks children = {
    .chldowner = libxl_sigchld_owner_libxl,
    .fork_replacement = fork_apart,
};

int lx_open(struct lx *lx, const struct xen *xen, int verbose,
            struct fault *fault)
{
    int rc;

    memset(lx, 0, sizeof(*lx));
    if (!xen->xs) {
        return fault_set(fault, EXIT_FAILED, "xenstored does not answer");
    }
    lx->log = xmalloc(sizeof(*lx->log));
    lx_log_init(lx->log, verbose);
    rc = libxl_ctx_alloc(&lx->ctx, LIBXL_VERSION, 0, &lx->log->logger);
    if (rc) {
        lx->ctx = NULL;
        lx_fault(lx, fault, rc, "libxl does not start");
        lx_close(lx);
        return -1;
    }
    libxl_childproc_setmode(lx->ctx, &children, NULL);
    return 0;
}

void lx_close(struct lx *lx)
{
    libxl_ctx_free(lx->ctx);
    free(lx->log);
    memset(lx, 0, sizeof(*lx));
}

static void take_end(libxl_ctx *ctx, int rc, void *data)
{
    struct lx_op *op = data;

    (void)ctx;
    op->rc = rc;
    op->done = 1;
}

void lx_begin(struct lx *lx, struct lx_op *op)
{
    memset(op, 0, sizeof(*op));
    op->how.callback = take_end;
    op->how.u.for_callback = op;
    lx->log->first[0] = '\0';
}

static void abort_if_told(struct lx *lx, struct lx_op *op,
                          const volatile sig_atomic_t *stop)
{
    if (stop && *stop && !op->aborted) {
        op->aborted = 1;
        /* Fails when it has ended just now, which is as good. */
        (void)libxl_ao_abort(lx->ctx, &op->how);
    }
}

int lx_wait(struct lx *lx, struct lx_op *op, int rc,
            const volatile sig_atomic_t *stop)
{
    struct pollfd *fds = NULL;
    struct timeval now;
    int room = 0;

    if (rc) {
        return rc; /* it did not even start */
    }
    while (!op->done) {
        int timeout = stop ? STOP_POLL_MS : -1;
        int count = room;

        abort_if_told(lx, op, stop);
        gettimeofday(&now, NULL);
        rc = libxl_osevent_beforepoll(lx->ctx, &count, fds, &timeout, now);
        if (rc == ERROR_BUFFERFULL) {
            room = count;
            fds = xrealloc(fds, (unsigned long)room * sizeof(*fds));
            continue;
        }
        if (rc) {
            /* libxl's memory is spoilt; @op may still be written to. */
            say("libxl cannot wait any longer (%s)", libxl_error_to_string(rc));
            abort();
        }
        if (poll(fds, (nfds_t)count, timeout) < 0) {
            continue; /* EINTR: a child has ended, or we are to stop */
        }
        gettimeofday(&now, NULL);
        libxl_osevent_afterpoll(lx->ctx, count, fds, now);
    }
    free(fds);
    return op->rc;
}

enum exit_code lx_exit_code(int rc)
{
    switch (rc) {
    case 0:
        return EXIT_DONE;
    case ERROR_NOTFOUND:
    case ERROR_DOMAIN_NOTFOUND:
    case ERROR_DOMAIN_DESTROYED:
        return EXIT_NOT_FOUND;
    case ERROR_TIMEDOUT:
    case ERROR_GUEST_TIMEDOUT:
        return EXIT_TIMED_OUT;
    case ERROR_DEVICE_EXISTS:
    case ERROR_LOCK_FAIL:
    case ERROR_NOT_READY:
        return EXIT_REFUSED;
    case ERROR_NI:
    case ERROR_NOPARAVIRT:
    case ERROR_FEATURE_REMOVED:
        return EXIT_UNSUPPORTED;
    case ERROR_ABORTED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

int lx_fault(struct lx *lx, struct fault *fault, int rc, const char *fmt, ...)
{
    const char *why = lx->log->first;
    va_list args;
    size_t len;

    progress_end(&lx->log->progress);
    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    fault->code = lx_exit_code(rc);
    if (!why[0]) {
        why = libxl_error_to_string(rc);
        why = why ? why : "libxl does not say why";
    }
    /* What libxl waits for in vain it often calls a plain failure. */
    if (fault->code == EXIT_FAILED && strstr(why, "timed out")) {
        fault->code = EXIT_TIMED_OUT;
    }
    /* A long path may be cut, the reason may not. */
    len = strlen(fault->text);
    if (len + strlen(why) + sizeof(": ") > sizeof(fault->text)) {
        len = sizeof(fault->text) - strlen(why) - sizeof(": ");
    }
    snprintf(fault->text + len, sizeof(fault->text) - len, ": %s", why);
    return -1;
}
