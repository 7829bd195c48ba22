/* SPDX-License-Identifier: MIT */
/*
 * guests.c - Debian's xl makes a guest and ends it: to the guest's first line
 * in xenconsoled's log, to xl's own end, and from `xl destroy` to its end.
 */
#include "bench-user/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOGS     "/var/log/xen/console"
#define LOG      LOGS "/guest-hello.log"
#define ROUNDS   8U
#define LIMIT_MS 120000

enum figure {
    FIRST_LINE,
    CREATED,
    DESTROYED,
    FIGURES
};

static const char *const names[FIGURES] = {
    [FIRST_LINE] = "xl_create_to_first_line",
    [CREATED] = "xl_create",
    [DESTROYED] = "xl_destroy",
};
static uint64_t found[FIGURES][ROUNDS];

/* Nanoseconds: with -icount shift=0 these are instructions, too. */
static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000UL + (uint64_t)t.tv_nsec;
}

static pid_t start(const char *const argv[])
{
    posix_spawn_file_actions_t quiet;
    pid_t child;
    int rc;

    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    /* It copies them: the cast is the interface's. */
    rc = posix_spawnp(&child, argv[0], &quiet, NULL,
                      (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&quiet);
    errno = rc;
    return rc ? -1 : child;
}

static bool ended_well(pid_t child)
{
    int status = 0;

    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Blocked until the guest has written: @watch is of the folder. */
static bool wait_line(int watch)
{
    char events[2048];
    struct pollfd wait = {.fd = watch, .events = POLLIN};
    struct stat log;

    while (stat(LOG, &log) != 0 || log.st_size == 0) {
        if (poll(&wait, 1, LIMIT_MS) <= 0 ||
            read(watch, events, sizeof(events)) <= 0) {
            return false;
        }
    }
    return true;
}

static bool round_of(int watch, unsigned int n)
{
    const char *const create[] = {"xl", "create", "/etc/xen/hello.cfg", NULL};
    const char *const destroy[] = {"xl", "destroy", "hello", NULL};
    uint64_t begun;
    pid_t child;

    unlink(LOG);
    begun = now();
    child = start(create);
    if (child < 0 || !wait_line(watch)) {
        return false;
    }
    found[FIRST_LINE][n] = now() - begun;
    if (!ended_well(child)) {
        return false;
    }
    found[CREATED][n] = now() - begun;
    sleep(1); /* the guest and the daemons come to rest */
    begun = now();
    if (!ended_well(start(destroy))) {
        return false;
    }
    found[DESTROYED][n] = now() - begun;
    sleep(1);
    return true;
}

void bench_guests(void)
{
    int watch = inotify_init1(IN_CLOEXEC);
    unsigned int rounds = sample_count(ROUNDS), done = 0;

    if (watch < 0 || inotify_add_watch(watch, LOGS, IN_MODIFY) < 0) {
        perror("bench-user: " LOGS);
        return;
    }
    while (done < rounds && round_of(watch, done)) {
        done++;
    }
    close(watch);
    for (unsigned int i = 0; i < FIGURES; i++) {
        if (!sample_begin(names[i])) {
            continue;
        }
        for (unsigned int n = 0; n < done; n++) {
            sample_add_raw(found[i][n]);
        }
        if (done == rounds) {
            sample_end();
        } else {
            sample_absent();
        }
    }
}
