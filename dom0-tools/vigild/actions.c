/* SPDX-License-Identifier: MIT */
/*
 * vigild/actions.c - do with ended guests what their configuration says.
 *
 * For guests made by `vigil create` and `vigil restore` only; xl has a process
 * of its own for each of its guests.
 */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/destroy.h"
#include "lib/guestnote.h"
#include "lib/place.h"
#include "lib/preserve.h"
#include "vigild/collector.h"

/* A guest that ends this often in so short a time is not restarted again. */
#define RESTARTS_MAX      5
#define RESTART_WINDOW_NS (60ULL * 1000000000ULL)
/* For xenconsoled, which may be busy with others. */
#define CONSOLE_WAIT_MS 2000U

static enum guest_action action_for(const struct guest_note *note, int reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        return note->on_poweroff;
    case SHUTDOWN_reboot:
        return note->on_reboot;
    case SHUTDOWN_crash:
        return note->on_crash;
    case SHUTDOWN_watchdog:
        return note->on_watchdog;
    default:
        return ACTION_PRESERVE; /* suspended: somebody is saving it */
    }
}

/* Count a restart; 0 if there were too many just now. */
static int restart_allowed(struct collector *collector, const char *uuid)
{
    uint64_t now = moment_now();
    size_t recent = 0;
    struct restart_mark *mark;

    for (size_t i = 0; i < RESTART_MARKS; i++) {
        mark = &collector->restarts[i];
        recent += strcmp(mark->uuid, uuid) == 0 &&
                  now - mark->time_ns < RESTART_WINDOW_NS;
    }
    if (recent >= RESTARTS_MAX) {
        return 0;
    }
    mark = &collector->restarts[collector->restart_count++ % RESTART_MARKS];
    memcpy(mark->uuid, uuid, sizeof(mark->uuid));
    mark->time_ns = now;
    return 1;
}

/* The vigil that was installed beside this program, else the one in PATH. */
static char *vigil_path(void)
{
    char *self = realpath("/proc/self/exe", NULL);
    char *path;

    if (self) {
        path = xasprintf("%s/vigil", dirname(self));
        free(self);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
    }
    return xstrdup("vigil");
}

/* Run `vigil create FILE` with the signals as a shell would have them. */
static int spawn_create(char *vigil, char *path)
{
    char create[] = "create";
    char how[] = "--progress=none"; /* our log is no place for it */
    char *words[] = {vigil, create, how, path, NULL};
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigset_t none;
    pid_t child;
    int err;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGCHLD);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    err = posix_spawnp(&child, vigil, NULL, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    return err;
}

/* Start the guest again, in a process of its own: it may take a while. */
static void restart(const struct guest_note *note, const char *config,
                    size_t len)
{
    char *dir = place(PLACE_RUN);
    char *path = xasprintf("%s/restart-%s.cfg", dir, note->uuid);
    char *vigil = vigil_path();
    FILE *file = fopen(path, "we");
    int written = file && fwrite(config, 1, len, file) == len;
    int err;

    /* Closed in any case: this program runs for months. */
    if (file && fclose(file)) {
        written = 0;
    }
    if (!written) {
        say("guest %s cannot be restarted: %s cannot be written", note->name,
            path);
    } else {
        err = spawn_create(vigil, path);
        if (err) {
            say("guest %s cannot be restarted: %s: %s", note->name, vigil,
                strerror(err));
        } else {
            say("guest %s is being restarted", note->name);
        }
    }
    free(vigil);
    free(path);
    free(dir);
}

/*
 * What to start again: the guest as it is now, with what was attached to it
 * and set since; where libxl cannot tell, as it was made.
 */
static char *present_config(struct collector *collector,
                            const struct guest_note *note, size_t *ret_len)
{
    libxl_domain_config config;
    struct fault ignored;
    char *text = NULL;
    struct lx lx;

    if (lx_open(&lx, &collector->xen, 0, &ignored) == 0) {
        if (guest_config(&lx, note->domid, &config, &ignored) == 0) {
            text = libxl_domain_config_to_json(lx.ctx, &config);
            libxl_domain_config_dispose(&config);
        }
        lx_close(&lx);
    }
    if (text) {
        *ret_len = strlen(text);
        return text;
    }
    return guestnote_config(note->uuid, ret_len);
}

/*
 * Let it stand under another name.  What is known of it follows, or it would
 * be told of as one that is gone and one that came.
 */
static int rename_guest(struct collector *collector,
                        const struct guest_note *note)
{
    struct known_guest *known = known_find(collector, note->uuid, note->domid);
    char uuid[UUID_CHARS + 1];
    struct fault fault;
    char *name;
    char *what;

    if (guest_preserve(&collector->xen, note->domid, note->uuid, &name, uuid,
                       &fault)) {
        say_fault(&fault);
        say("guest %s (domain %u) is left as it is, and not restarted",
            note->name, note->domid);
        return -1;
    }
    if (known && known->domid == note->domid) {
        what = xasprintf("ended and is kept as %s", name);
        life_tell(collector, known, "renamed", FEED_INFO, what);
        free(what);
        free(known->name);
        known->name = xstrdup(name);
        memcpy(known->uuid, uuid, sizeof(known->uuid));
    }
    free(name);
    return 0;
}

/* Keep it under another name and start one like it. */
static void replace_guest(struct collector *collector,
                          const struct guest_note *note)
{
    size_t len = 0;
    char *config = present_config(collector, note, &len);

    if (!restart_allowed(collector, note->uuid)) {
        say("guest %s ended %d times within a minute: it is left as it is, "
            "and not restarted again",
            note->name, RESTARTS_MAX + 1);
        guestnote_remove(note->uuid);
    } else if (rename_guest(collector, note)) {
        guestnote_remove(note->uuid); /* as xl: not tried again */
    } else {
        guestnote_remove(note->uuid);
        if (config) {
            restart(note, config, len);
        }
    }
    free(config);
}

static void end_guest(struct collector *collector,
                      const struct guest_note *note, enum guest_action action,
                      int reason)
{
    struct known_guest *known = known_find(collector, note->uuid, note->domid);
    int again = action == ACTION_RESTART || action == ACTION_COREDUMP_RESTART;
    struct fault fault;
    size_t len = 0;
    char *config = NULL;

    if (guest_action_cores(action) && known && known->domid == note->domid &&
        !cores_take(collector, known)) {
        return; /* it stands until then */
    }
    if (again) {
        config = present_config(collector, note, &len);
        if (!restart_allowed(collector, note->uuid)) {
            say("guest %s ended %d times within a minute and is not "
                "restarted again",
                note->name, RESTARTS_MAX + 1);
            again = 0;
        }
    }
    /* Its last words: the page goes with the guest. */
    if (known && known->domid == note->domid && known->console_mfn) {
        console_page_await(note->domid, known->console_mfn, CONSOLE_WAIT_MS);
    }
    if (guest_destroy(&collector->xen, note->domid, note->uuid, &fault)) {
        say_fault(&fault);
        free(config);
        return;
    }
    guestnote_remove(note->uuid);
    say("guest %s (domain %u) ended (%s) and was destroyed", note->name,
        note->domid, shutdown_reason_name(reason));
    if (again && config) {
        restart(note, config, len);
    }
    free(config);
}

static void apply_note(struct collector *collector,
                       const struct guest_list *now,
                       const struct guest_note *note)
{
    const struct guest *guest = guests_by_domid(now, note->domid);
    enum guest_action action;
    int reason;

    if (!guest || strcmp(guest->uuid, note->uuid)) {
        guestnote_remove(note->uuid); /* somebody else destroyed it */
        return;
    }
    reason = guest_shutdown_reason(guest);
    if (reason < 0 || guest->info.flags & XEN_DOMINF_dying) {
        return;
    }
    action = action_for(note, reason);
    if (action == ACTION_RENAME_RESTART) {
        replace_guest(collector, note);
    } else if (action != ACTION_PRESERVE) {
        end_guest(collector, note, action, reason);
    }
}

void actions_apply(struct collector *collector)
{
    struct guest_note_list notes;

    /*
     * The list of this pass was read before the deaths were: a guest that
     * ended in between is left to the next pass, so that it is on record
     * before it is destroyed.  A guest with a note but not in the list was
     * created in between, which only a second list can tell.
     */
    cores_drop_gone(collector);
    guestnote_list(&notes);
    for (size_t i = 0; i < notes.count; i++) {
        const struct guest_note *note = &notes.notes[i];
        struct guest_list fresh;
        struct fault ignored;

        if (guests_by_domid(&collector->guests, note->domid)) {
            apply_note(collector, &collector->guests, note);
        } else if (guests_read(&collector->xen, &fresh, &ignored) == 0) {
            if (!guests_by_domid(&fresh, note->domid)) {
                guestnote_remove(note->uuid);
            }
            guests_free(&fresh);
        }
    }
    guestnote_list_free(&notes);
}
