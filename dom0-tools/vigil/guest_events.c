/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_events.c - vigil events.
 *
 * vigild writes the feed; this reads it, and with -f goes on when it grows.
 * The kernel says when (inotify): nothing is looked at in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/escape.h"
#include "lib/feed.h"
#include "lib/moment.h"
#include "lib/place.h"
#include "lib/table.h"
#include "vigil/commands.h"

#define LOOK_MS 5000 /* a signal just before the wait is noticed then */

/* Which events are wanted, and how they are shown. */
struct selection {
    const struct invocation *call; /* its operands name guests */
    uint64_t since_ns;
    uint64_t until_ns;
    int json;
};

/* Those that are wanted so far, to show only the last of them. */
struct collected {
    struct feed_event *events;
    size_t count;
};

static int names_guest(const struct feed_event *event, const char *word)
{
    char domid[24];

    snprintf(domid, sizeof(domid), "%lld", (long long)event->domid);
    return (event->name[0] && strcmp(event->name, word) == 0) ||
           (event->uuid[0] && strcasecmp(event->uuid, word) == 0) ||
           (event->domid >= 0 && strcmp(domid, word) == 0);
}

static int is_wanted(const struct selection *want,
                     const struct feed_event *event)
{
    if (event->time_ns < want->since_ns || event->time_ns > want->until_ns) {
        return 0;
    }
    for (int i = 0; i < want->call->operand_count; i++) {
        if (names_guest(event, want->call->operands[i])) {
            return 1;
        }
    }
    return want->call->operand_count == 0;
}

static void show(const struct selection *want, const struct feed_event *event)
{
    char when[40];

    if (want->json) {
        /* Through the parser: what is no JSON never gets here. */
        printf("%s\n", json_object_to_json_string_ext(
                           event->json, JSON_C_TO_STRING_NOSLASHESCAPE));
    } else {
        moment_local(when, sizeof(when), event->time_ns);
        printf("%s  ", when);
        escape_print(stdout, event->event[0] ? event->event : "-",
                     strlen(event->event[0] ? event->event : "-"), 0);
        printf("%*s", (int)(strlen(event->event) < 12
                                ? 14 - strlen(event->event)
                                : 2),
               "");
        escape_print(stdout, event->body, strlen(event->body), 0);
        printf("\n");
    }
}

/* Keep or show what is left to read; how many were wanted. */
static int drain(const struct selection *want, struct feed_reader *reader,
                 struct collected *keep, struct fault *fault)
{
    struct feed_event event;
    int ret;

    while ((ret = feed_next(reader, &event)) > 0) {
        if (!is_wanted(want, &event)) {
            feed_event_free(&event);
        } else if (keep) {
            keep->events = xrealloc(keep->events, (keep->count + 1) *
                                                      sizeof(*keep->events));
            keep->events[keep->count++] = event;
        } else {
            show(want, &event);
            feed_event_free(&event);
        }
    }
    if (ret < 0) {
        return fault_errno(fault, errno, "the feed of events cannot be read");
    }
    return 0;
}

/* The older file, then the one that grows; the latter stays open. */
static int read_past(const struct selection *want, const char *path,
                     struct feed_reader *reader, struct collected *keep,
                     struct fault *fault)
{
    char *older = xasprintf("%s.1", path);
    size_t damaged = 0;
    int ret = 0;

    if (feed_open(reader, older) == 0) {
        ret = drain(want, reader, keep, fault);
        damaged = reader->damaged;
        feed_close(reader);
    }
    free(older);
    if (ret == 0 && feed_open(reader, path) == 0) {
        ret = drain(want, reader, keep, fault);
        damaged += reader->damaged;
    } else if (ret == 0 && errno != ENOENT) {
        ret = fault_errno(fault, errno, "%s cannot be read", path);
    }
    if (damaged) {
        say("warning: %zu lines of the feed are no events", damaged);
    }
    return ret;
}

/* The last @max of those kept; all are released. */
static void show_kept(const struct selection *want, struct collected *keep,
                      size_t max)
{
    for (size_t i = 0; i < keep->count; i++) {
        if (keep->count - i <= max) {
            show(want, &keep->events[i]);
        }
        feed_event_free(&keep->events[i]);
    }
    free(keep->events);
    fflush(stdout);
}

/* Nothing new will come if nobody writes it. */
static void warn_without_collector(void)
{
    char *dir = place(PLACE_RUN);
    char *path = xasprintf("%s/vigild.lock", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0) {
        say("warning: vigild does not run: there will be no new events");
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    free(dir);
}

static long ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until the directory of the feed changes; -1: time is up, or told to. */
static int wait_for_growth(int notify, long until_ms, struct fault *fault,
                           long seconds)
{
    struct pollfd fds = {.fd = notify, .events = POLLIN};
    char ignored[1024];
    long left = until_ms ? until_ms - ms_now() : LOOK_MS;

    left = left < 0 ? 0 : left > LOOK_MS ? LOOK_MS : left;
    if (command_stop) {
        return fault_set(fault, exit_code_of_signal(command_stop),
                         "no longer waiting for events");
    }
    if (poll(&fds, 1, (int)left) > 0) {
        while (read(notify, ignored, sizeof(ignored)) > 0) {
        }
        return 0;
    }
    if (until_ms && ms_now() >= until_ms) {
        return fault_set(fault, EXIT_TIMED_OUT,
                         "no longer waiting for events after %ld s", seconds);
    }
    return 0;
}

/* Go on with the file that has the name now, once the old one is read. */
static int follow_once(const struct selection *want, const char *path,
                       struct feed_reader *reader, struct fault *fault)
{
    struct feed_reader now;
    struct stat was;
    struct stat is;

    if (reader->fd >= 0 && drain(want, reader, NULL, fault)) {
        return -1;
    }
    if (reader->fd >= 0 && fstat(reader->fd, &was) == 0 &&
        stat(path, &is) == 0 && was.st_ino == is.st_ino) {
        return 0;
    }
    if (feed_open(&now, path)) {
        return 0; /* renamed, and the new one is still to come */
    }
    feed_close(reader);
    *reader = now;
    return drain(want, reader, NULL, fault);
}

static int follow(const struct selection *want, const char *path,
                  struct feed_reader *reader, int notify, long seconds,
                  struct fault *fault)
{
    long until_ms = seconds ? ms_now() + seconds * 1000 : 0;

    for (;;) {
        if (follow_once(want, path, reader, fault)) {
            return -1;
        }
        fflush(stdout);
        if (ferror(stdout)) {
            return fault_set(fault, EXIT_STORAGE, "output cannot be written");
        }
        if (wait_for_growth(notify, until_ms, fault, seconds)) {
            return -1;
        }
    }
}

/* Before the feed is read for the first time: no event may fall in between. */
static int watch_feed(struct fault *fault)
{
    char *dir = place(PLACE_LOGS);
    int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (notify < 0 || inotify_add_watch(notify, dir, IN_MODIFY | IN_CREATE |
                                                         IN_MOVED_TO) < 0) {
        fault_errno(fault, errno, "%s cannot be watched", dir);
        if (notify >= 0) {
            close(notify);
        }
        notify = -1;
    }
    free(dir);
    return notify;
}

static int parse_selection(const struct invocation *call,
                           struct selection *want, size_t *ret_max,
                           long *ret_seconds, struct fault *fault)
{
    const char *since = opts_given(call, 'S', NULL);
    const char *until = opts_given(call, 'U', NULL);
    const char *number = opts_given(call, 'n', NULL);
    uint64_t now = moment_now();
    char *end;
    long max = 0;

    want->call = call;
    want->json = opts_given(call, 0, "json") != NULL;
    want->since_ns = 0;
    want->until_ns = UINT64_MAX;
    if (since && moment_parse(since, now, &want->since_ns)) {
        return fault_set(fault, EXIT_USAGE,
                         "--since %s is no time; give 10m, 2h, 3d, "
                         "\"2026-08-04 10:15\" or 2026-08-04T08:15:00Z",
                         since);
    }
    if (until && moment_parse(until, now, &want->until_ns)) {
        return fault_set(fault, EXIT_USAGE, "--until %s is no time", until);
    }
    if (number) {
        max = strtol(number, &end, 10);
        if (end == number || *end || max < 0) {
            return fault_set(fault, EXIT_USAGE,
                             "-n %s is not a number from 0 up", number);
        }
    }
    *ret_max = number ? (size_t)max : SIZE_MAX;
    return opts_seconds(call, "timeout", 0, ret_seconds, fault);
}

int run_events(const struct invocation *call)
{
    struct feed_reader reader = {.fd = -1};
    struct collected keep = {.count = 0};
    int follows = opts_given(call, 'f', NULL) != NULL;
    struct selection want;
    struct fault fault;
    int notify = -1;
    int code = EXIT_DONE;
    long seconds;
    size_t max = SIZE_MAX;
    char *path;

    command_root(call);
    if (parse_selection(call, &want, &max, &seconds, &fault)) {
        return say_fault(&fault);
    }
    if (follows) {
        notify = watch_feed(&fault);
        if (notify < 0) {
            return say_fault(&fault);
        }
        /* Who follows wants what is new, unless he says since when. */
        if (!opts_given(call, 'S', NULL) && !opts_given(call, 'n', NULL)) {
            max = 0;
        }
        warn_without_collector();
    }
    path = place(PLACE_EVENTS);
    if (read_past(&want, path, &reader, &keep, &fault)) {
        code = say_fault(&fault);
    }
    show_kept(&want, &keep, max);
    if (code == EXIT_DONE && follows &&
        follow(&want, path, &reader, notify, seconds, &fault)) {
        code = say_fault(&fault);
    }
    feed_close(&reader);
    if (notify >= 0) {
        close(notify);
    }
    free(path);
    return code;
}
