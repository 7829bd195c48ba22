/* SPDX-License-Identifier: MIT */
/*
 * vigild/cores.c - write the core of a guest that ended (coredump-*).
 *
 * That takes as long as the guest is large and the disk is slow, so a process
 * of its own does it, of low priority and for a limited time; a pass only
 * looks whether it has ended.  The guest stands meanwhile.  Whatever goes
 * wrong is told, and the guest ends all the same.
 *
 *   child: libxl writes DIR/.NAME.new, then it is DIR/NAME; says "ok" or why
 *          not in a pipe; its death closes the pipe
 *   pass:  nothing in the pipe: wait; closed: it is over
 *
 * SIGCHLD is ignored in this program, so the child's end is that of its pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/lx.h"
#include "lib/place.h"
#include "vigild/collector.h"

#define DONE_WORD   "ok"
#define CHILD_NICE  10
#define NS          1000000000ULL
#define KIB         1024ULL
#define RESULT_FD   3
#define RESERVE_KIB (16ULL * 1024ULL) /* of the disk: for everybody else */

static char *core_path(const char *name)
{
    char *dir = place(PLACE_DUMPS);
    char *path = xasprintf("%s/%s", dir, name);

    free(dir);
    return path;
}

/* Under no name that a guest can have been given for its core. */
static char *unfinished_path(const struct core_job *job)
{
    char *dir = place(PLACE_DUMPS);
    char *path = xasprintf("%s/.%u.%s.new", dir, job->domid, job->uuid);

    free(dir);
    return path;
}

/* In the child: write it, sync it, give it its name. */
static int write_core(const struct core_job *job, struct fault *fault)
{
    char *unfinished = unfinished_path(job);
    char *path = core_path(job->name);
    struct xen xen;
    struct lx lx;
    int ret = -1;
    int fd;
    int rc;

    if (xen_open(&xen, 0, fault) || xen_need_store(&xen, fault) ||
        lx_open(&lx, &xen, 0, fault)) {
        return -1; /* this process ends now */
    }
    unlink(unfinished);
    rc = libxl_domain_core_dump(lx.ctx, job->domid, unfinished, NULL);
    fd = rc ? -1 : open(unfinished, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (rc) {
        lx_fault(&lx, fault, rc, "libxl");
    } else if (fd < 0 || fsync(fd) || rename(unfinished, path)) {
        fault_errno(fault, errno, "%s", path);
    } else {
        ret = 0;
    }
    return ret;
}

__attribute__((noreturn)) static void be_child(const struct core_job *job,
                                               pid_t parent, int result)
{
    struct fault fault = {.code = EXIT_FAILED};
    const char *text = DONE_WORD;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    /* Who starts after us writes it anew; and our lock must not outlive us. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(result, RESULT_FD) < 0) {
        _exit(EXIT_FAILED);
    }
    close_range(RESULT_FD + 1, ~0U, 0);
    setpriority(PRIO_PROCESS, 0, CHILD_NICE);
    umask(077);
    if (write_core(job, &fault)) {
        text = fault.text;
    }
    if (write(RESULT_FD, text, strlen(text)) < 0) {
        _exit(EXIT_FAILED);
    }
    _exit(EXIT_DONE);
}

/* A disk that a core fills is in everybody's way. */
static int check_room(const char *dir, uint64_t need_kib, struct fault *fault)
{
    struct statvfs disk;
    uint64_t free_kib;

    if (statvfs(dir, &disk)) {
        return fault_errno(fault, errno, "%s", dir);
    }
    if (disk.f_blocks == 0) {
        return 0; /* a file system that does not count, as Linux's first */
    }
    free_kib = (uint64_t)disk.f_bavail * disk.f_frsize / KIB;
    if (free_kib >= need_kib + RESERVE_KIB) {
        return 0;
    }
    return fault_set(fault, EXIT_FAILED,
                     "%llu MiB are to be written, and %s has room for %llu "
                     "MiB",
                     (unsigned long long)(need_kib / KIB), dir,
                     (unsigned long long)(free_kib / KIB));
}

static void job_free(struct core_job *job)
{
    if (job->child) {
        close(job->result);
    }
    free(job->name);
    memset(job, 0, sizeof(*job));
}

/* What it has written is no core. */
static void job_discard(struct core_job *job)
{
    char *unfinished = unfinished_path(job);

    unlink(unfinished);
    free(unfinished);
    job_free(job);
}

static void job_cancel(struct core_job *job)
{
    kill(job->child, SIGKILL);
    job_discard(job);
}

static int job_start(struct core_job *job, const struct known_guest *known,
                     struct fault *fault)
{
    char *dir = place(PLACE_DUMPS);
    pid_t parent = getpid();
    int ends[2];
    int ret = -1;

    if (outfile_make_dirs(dir, 0700, fault) ||
        check_room(dir, known->memory_kib, fault)) {
        goto out_free;
    }
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
        fault_errno(fault, errno, "no pipe");
        goto out_free;
    }
    job->domid = known->domid;
    memcpy(job->uuid, known->uuid, sizeof(job->uuid));
    job->name = xstrdup(known->name);
    job->begun_ns = moment_now();
    job->text_len = 0;
    job->result = ends[0];
    job->child = fork();
    if (job->child == 0) {
        be_child(job, parent, ends[1]);
    }
    close(ends[1]);
    if (job->child < 0) {
        fault_errno(fault, errno, "no process");
        close(ends[0]);
        job->child = 0;
        job_free(job);
        goto out_free;
    }
    ret = 0;
out_free:
    free(dir);
    return ret;
}

/* Did the child end?  Then job->text is what it said. */
static int job_has_ended(struct core_job *job)
{
    ssize_t got;

    do {
        got = read(job->result, job->text + job->text_len,
                   sizeof(job->text) - 1 - job->text_len);
        job->text_len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    job->text[job->text_len] = '\0';
    return got == 0 || errno != EAGAIN;
}

static struct core_job *job_of(struct collector *collector,
                               const struct known_guest *known)
{
    for (size_t i = 0; i < CORES_MAX; i++) {
        struct core_job *job = &collector->cores[i];

        if (job->child && job->domid == known->domid &&
            strcmp(job->uuid, known->uuid) == 0) {
            return job;
        }
    }
    return NULL;
}

static struct core_job *free_job(struct collector *collector)
{
    for (size_t i = 0; i < CORES_MAX; i++) {
        if (!collector->cores[i].child) {
            return &collector->cores[i];
        }
    }
    return NULL;
}

static void tell_failure(struct collector *collector,
                         const struct known_guest *known, const char *why)
{
    char *what = xasprintf("leaves no core: %s", why);

    life_tell(collector, known, "core_failed", FEED_WARN, what);
    free(what);
}

/* Tell how it went. */
static void job_finish(struct collector *collector,
                       const struct known_guest *known, struct core_job *job)
{
    if (strcmp(job->text, DONE_WORD) == 0) {
        char *path = core_path(job->name);
        char *what = xasprintf("left its core in %s", path);

        life_tell(collector, known, "core_written", FEED_INFO, what);
        free(what);
        free(path);
        job_free(job);
        return;
    }
    tell_failure(collector, known,
                 job->text_len ? job->text
                               : "the process that wrote it was killed");
    job_discard(job); /* it has ended: its number may be another's by now */
}

int cores_take(struct collector *collector, struct known_guest *known)
{
    struct core_job *job = job_of(collector, known);
    struct fault fault;

    if (known->core_taken) {
        return 1;
    }
    if (!job) {
        job = free_job(collector);
        if (job && job_start(job, known, &fault)) {
            tell_failure(collector, known, fault.text);
            known->core_taken = 1;
        }
        return known->core_taken; /* all at work: its turn will come */
    }
    if (job_has_ended(job)) {
        job_finish(collector, known, job);
        known->core_taken = 1;
    } else if (moment_now() - job->begun_ns > collector->core_seconds * NS) {
        char *why =
            xasprintf("not written within %lu s", collector->core_seconds);

        tell_failure(collector, known, why);
        free(why);
        job_cancel(job);
        known->core_taken = 1;
    }
    return known->core_taken;
}

/* Somebody else ended the guest: its memory is on its way out. */
static int is_gone(const struct collector *collector,
                   const struct core_job *job)
{
    const struct guest *guest = guests_by_domid(&collector->guests, job->domid);

    return !guest || strcmp(guest->uuid, job->uuid) ||
           guest->info.flags & XEN_DOMINF_dying;
}

void cores_drop_gone(struct collector *collector)
{
    for (size_t i = 0; i < CORES_MAX; i++) {
        struct core_job *job = &collector->cores[i];

        if (job->child && is_gone(collector, job)) {
            say("guest %s (domain %u) is gone before its core was written",
                job->name, job->domid);
            job_cancel(job);
        }
    }
}

size_t cores_poll(const struct collector *collector, struct pollfd *fds)
{
    size_t count = 0;

    for (size_t i = 0; i < CORES_MAX; i++) {
        if (collector->cores[i].child) {
            fds[count].fd = collector->cores[i].result;
            fds[count++].events = POLLIN;
        }
    }
    return count;
}

void cores_stop(struct collector *collector)
{
    for (size_t i = 0; i < CORES_MAX; i++) {
        if (collector->cores[i].child) {
            job_cancel(&collector->cores[i]);
        }
    }
}
