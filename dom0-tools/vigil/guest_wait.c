/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_wait.c - vigil wait.
 *
 * It waits for one run of a guest: for its number and UUID.  xenstored
 * announces domains that come and end, and wakes us; that a guest was unpaused
 * nobody announces, so that alone is looked for by the clock.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vigil/vigil_op.h>

#include "lib/death.h"
#include "lib/table.h"
#include "vigil/commands.h"

#define LOOK_MS         2000 /* should a notice get lost      */
#define LOOK_UNPAUSE_MS 200  /* what is not announced         */

enum goal { GOAL_RUNNING, GOAL_CRASHED, GOAL_SHUTDOWN, GOAL_GONE, GOALS };

static const char *const goal_names[GOALS] = {"running", "crashed", "shutdown",
                                              "gone"};

enum outcome { STILL_WAITING, CAME_TRUE, NEVER };

struct waiting {
    struct xen *xen;
    enum goal goal;
    const char *word; /* as the guest was named */
    int found;
    uint32_t domid;
    char uuid[UUID_CHARS + 1];
    char *name;
    uint64_t deaths_before; /* sequence number of the last one then   */
    const char *state;      /* in the end; "gone" if it never was     */
    char *reason;           /* of its death or shutdown; NULL: none   */
};

static long ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The death of our guest after @after; 0 and its sequence number, else -1. */
static int find_death(struct waiting *w, uint64_t after, uint64_t *ret_newest)
{
    struct vigil_op_death *next = xmalloc(sizeof(*next));
    int ret = -1;

    *ret_newest = after;
    for (;;) {
        char uuid[UUID_CHARS + 1];

        memset(next, 0, sizeof(*next));
        next->after_seq = *ret_newest;
        if (vigil_call(w->xen, VIGIL_OP_death_next, next, sizeof(*next)) ||
            next->death.seq <= *ret_newest) {
            break;
        }
        *ret_newest = next->death.seq;
        uuid_text(uuid, next->death.uuid);
        if (w->found && next->death.domid == w->domid &&
            strcmp(uuid, w->uuid) == 0) {
            next->death.text[sizeof(next->death.text) - 1] = '\0';
            free(w->reason);
            w->reason = xasprintf(
                "%s%s", death_by_guest(next->death.code) ? "" : "killed: ",
                death_sentence(next->death.code));
            ret = 0;
        }
    }
    free(next);
    return ret;
}

static void remember(struct waiting *w, const struct guest *guest)
{
    w->found = 1;
    w->domid = guest->domid;
    memcpy(w->uuid, guest->uuid, sizeof(w->uuid));
    free(w->name);
    w->name = xstrdup(guest->name);
}

static int has_crashed(const struct guest *guest)
{
    int reason = guest_shutdown_reason(guest);

    return reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog;
}

static enum outcome judge_gone(struct waiting *w)
{
    uint64_t newest;
    int died;

    w->state = "gone";
    /* It may have crashed and been destroyed before we could look. */
    died = find_death(w, w->deaths_before, &newest) == 0;
    if (w->goal == GOAL_GONE || w->goal == GOAL_SHUTDOWN) {
        return CAME_TRUE;
    }
    if (w->goal == GOAL_CRASHED && died) {
        w->state = "crashed";
        return CAME_TRUE;
    }
    return NEVER;
}

static enum outcome judge_living(struct waiting *w, const struct guest *guest)
{
    int reason = guest_shutdown_reason(guest);
    int ended = reason >= 0 || guest->info.flags & XEN_DOMINF_dying;
    uint64_t newest;

    w->state = guest_state_word(guest);
    free(w->reason);
    w->reason = reason >= 0 ? xstrdup(shutdown_reason_name(reason)) : NULL;
    switch (w->goal) {
    case GOAL_RUNNING:
        if (ended) {
            return NEVER;
        }
        return guest->info.flags & XEN_DOMINF_paused ? STILL_WAITING
                                                     : CAME_TRUE;
    case GOAL_CRASHED:
        if (has_crashed(guest)) {
            find_death(w, 0, &newest);
            return CAME_TRUE;
        }
        /* A domain that is dying does not tell any more why. */
        if (ended && find_death(w, w->deaths_before, &newest) == 0) {
            return CAME_TRUE;
        }
        return ended ? NEVER : STILL_WAITING;
    case GOAL_SHUTDOWN:
        return ended ? CAME_TRUE : STILL_WAITING;
    case GOAL_GONE:
    case GOALS:
        break;
    }
    return STILL_WAITING;
}

static enum outcome look(struct waiting *w, struct fault *fault)
{
    const struct guest *guest = NULL;
    enum outcome outcome;
    struct guest_list list;

    if (guests_read(w->xen, &list, fault)) {
        return NEVER;
    }
    if (!w->found) {
        guest = guests_find(&list, w->word, fault);
        if (guest) {
            remember(w, guest);
        }
    } else {
        guest = guests_by_domid(&list, w->domid);
        if (guest && strcmp(guest->uuid, w->uuid)) {
            guest = NULL; /* the number is another guest's by now */
        }
    }
    if (guest) {
        outcome = judge_living(w, guest);
    } else if (w->found) {
        outcome = judge_gone(w);
    } else {
        outcome = w->goal == GOAL_RUNNING ? STILL_WAITING
                  : w->goal == GOAL_GONE  ? CAME_TRUE
                                          : NEVER;
    }
    guests_free(&list);
    if (outcome == NEVER && w->found) {
        fault_set(fault, EXIT_REFUSED,
                  "guest %s (domain %u) is %s%s%s: it will not be %s any more",
                  w->name, w->domid, w->state, w->reason ? ", " : "",
                  w->reason ? w->reason : "", goal_names[w->goal]);
    }
    return outcome;
}

/* Until a domain comes or ends, or it is time to look again. */
static void wait_for_news(struct waiting *w, long ms)
{
    struct pollfd notice = {.fd = xs_fileno(w->xen->xs), .events = POLLIN};
    char **watch;

    if (poll(&notice, 1, (int)ms) <= 0) {
        return;
    }
    while ((watch = xs_check_watch(w->xen->xs)) != NULL) {
        free(watch);
    }
    if (errno != EAGAIN) {
        /* xenstored is gone, and its socket always readable: by the clock. */
        poll(NULL, 0, (int)ms);
    }
}

static int wait_until(struct waiting *w, long seconds, struct fault *fault)
{
    long until = ms_now() + seconds * 1000;
    enum outcome outcome;

    /* Before the first look: what happens after it is announced. */
    xs_watch(w->xen->xs, "@introduceDomain", "begun");
    xs_watch(w->xen->xs, "@releaseDomain", "ended");
    find_death(w, 0, &w->deaths_before);
    while ((outcome = look(w, fault)) == STILL_WAITING) {
        long ms = w->goal == GOAL_RUNNING ? LOOK_UNPAUSE_MS : LOOK_MS;
        long left = until - ms_now();

        if (command_stop) {
            return fault_set(fault, exit_code_of_signal(command_stop),
                             "no longer waiting for guest %s", w->word);
        }
        if (seconds && left <= 0) {
            return fault_set(fault, EXIT_TIMED_OUT,
                             "guest %s is %s after %ld s, not %s", w->word,
                             w->found ? w->state : "not there", seconds,
                             goal_names[w->goal]);
        }
        wait_for_news(w, seconds && left < ms ? left : ms);
    }
    return outcome == CAME_TRUE ? 0 : -1;
}

static int parse_goal(const struct invocation *call, enum goal *ret_goal,
                      struct fault *fault)
{
    const char *word = opts_given(call, 0, "for");

    for (int i = 0; word && i < GOALS; i++) {
        if (strcmp(word, goal_names[i]) == 0) {
            *ret_goal = (enum goal)i;
            return 0;
        }
    }
    return fault_set(fault, EXIT_USAGE,
                     "--for %s: give running, crashed, shutdown or gone",
                     word ? word : "is missing");
}

static void print_answer(const struct waiting *w)
{
    struct json_object *top = json_object_new_object();

    json_add_text(top, "schema", "vigil.wait/1");
    json_add_text(top, "name", w->name ? w->name : "");
    json_add_number(top, "domid", w->domid);
    json_add_text(top, "uuid", w->uuid);
    json_add_text(top, "state", w->state);
    if (w->reason) {
        json_add_text(top, "reason", w->reason);
    }
    json_print(top);
}

int run_wait(const struct invocation *call)
{
    struct waiting w = {.word = call->operands[0], .state = "gone"};
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;
    long seconds;

    if (parse_goal(call, &w.goal, &fault) ||
        opts_seconds(call, "timeout", 0, &seconds, &fault) ||
        command_open(call, &xen, 1, &fault)) {
        return say_fault(&fault);
    }
    w.xen = &xen;
    if (wait_until(&w, seconds, &fault)) {
        code = say_fault(&fault);
    } else if (opts_given(call, 0, "json")) {
        print_answer(&w);
    }
    free(w.reason);
    free(w.name);
    xen_close(&xen);
    return code;
}
