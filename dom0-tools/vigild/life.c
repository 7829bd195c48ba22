/* SPDX-License-Identifier: MIT */
/*
 * vigild/life.c - tell of guests that come, start, pause, shut down and go.
 *
 * Each pass compares what is with what was told.  What happens and is undone
 * between two passes is not seen; xenstored announces new and ended domains,
 * so a pass follows those at once.  Crashes are told by deaths.c, with the
 * record's ID.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/feed.h"
#include "lib/table.h"
#include "vigild/collector.h"

static const char *name_of(const struct known_guest *known)
{
    return known->name[0] ? known->name : "without a name";
}

static void tell_as(struct collector *collector,
                    const struct known_guest *known, const char *kind,
                    enum feed_severity severity, const char *what,
                    const char *reason)
{
    char *body = xasprintf("guest %s (domain %u) %s", name_of(known),
                           known->domid, what);
    struct json_object *event = feed_event_new(
        kind, severity, body, collector->host, collector->boot_id);
    struct json_object *guest = json_object_new_object();
    struct fault fault;

    json_add_text(guest, "name", known->name);
    json_add_text(guest, "uuid", known->uuid);
    json_add_number(guest, "domid", known->domid);
    feed_event_attribute(event, "vigil.guest", guest);
    if (reason) {
        struct json_object *why = json_object_new_object();

        json_add_text(why, "class", reason);
        feed_event_attribute(event, "vigil.reason", why);
    }
    if (feed_append(event, &fault)) {
        say_fault(&fault);
    }
    json_object_put(event);
    free(body);
}

static void tell(struct collector *collector, const struct known_guest *known,
                 const char *kind, const char *what, const char *reason)
{
    tell_as(collector, known, kind, FEED_INFO, what, reason);
}

void life_tell(struct collector *collector, const struct known_guest *known,
               const char *kind, enum feed_severity severity, const char *what)
{
    say("guest %s (domain %u) %s", name_of(known), known->domid, what);
    tell_as(collector, known, kind, severity, what, NULL);
}

/* Did a guest with this UUID go to be saved?  Then that is over now. */
static int take_suspended(struct collector *collector, const char *uuid)
{
    for (size_t i = 0; i < collector->suspended_count; i++) {
        if (strcmp(collector->suspended[i], uuid) == 0) {
            collector->suspended_count--;
            memmove(collector->suspended[i], collector->suspended[i + 1],
                    (collector->suspended_count - i) *
                        sizeof(collector->suspended[0]));
            return 1;
        }
    }
    return 0;
}

static void add_suspended(struct collector *collector, const char *uuid)
{
    take_suspended(collector, uuid);
    if (collector->suspended_count == SUSPENDED_MAX) {
        take_suspended(collector, collector->suspended[0]); /* the oldest */
    }
    memcpy(collector->suspended[collector->suspended_count++], uuid,
           UUID_CHARS + 1);
}

static void tell_new(struct collector *collector, struct known_guest *known)
{
    if (take_suspended(collector, known->uuid)) {
        tell(collector, known, "restored", "was restored", NULL);
    } else {
        tell(collector, known, "created", "was created", NULL);
    }
    known->told |= LIFE_CREATED;
}

static void tell_end(struct collector *collector, struct known_guest *known,
                     int reason)
{
    const char *what = "shut down";

    known->told |= LIFE_ENDED;
    switch (reason) {
    case SHUTDOWN_poweroff:
        what = "powered off";
        break;
    case SHUTDOWN_reboot:
        what = "asks to be started again";
        break;
    case SHUTDOWN_suspend:
        what = "suspended itself, to be saved";
        known->told |= LIFE_SUSPENDED;
        break;
    case SHUTDOWN_crash:
    case SHUTDOWN_watchdog:
        return; /* deaths.c tells more of it */
    default:
        break;
    }
    tell(collector, known, "shutdown", what, shutdown_reason_name(reason));
}

void life_tell_started(struct collector *collector, struct known_guest *known)
{
    if (known->told & LIFE_CREATED && !(known->told & LIFE_STARTED)) {
        tell(collector, known, "started", "began to run", NULL);
        known->told |= LIFE_STARTED;
    }
}

static void tell_changes(struct collector *collector, struct known_guest *known,
                         const struct guest *guest)
{
    int reason = guest_shutdown_reason(guest);
    int paused = (guest->info.flags & XEN_DOMINF_paused) != 0;

    if (!(known->told & LIFE_CREATED)) {
        tell_new(collector, known);
    }
    /* One that has run and shut down before it was looked at did start. */
    if (!paused || guest->info.cpu_time) {
        life_tell_started(collector, known);
    }
    if (reason >= 0 && !(known->told & LIFE_ENDED)) {
        tell_end(collector, known, reason);
    }
    if (reason < 0 && known->told & LIFE_ENDED) {
        tell(collector, known, "resumed", "runs on", NULL);
        known->told &= ~(LIFE_ENDED | LIFE_SUSPENDED);
    }
    if (reason >= 0 || !(known->told & LIFE_STARTED)) {
        return;
    }
    if (paused && !(known->told & LIFE_PAUSED)) {
        tell(collector, known, "paused", "was paused", NULL);
        known->told |= LIFE_PAUSED;
    } else if (!paused && known->told & LIFE_PAUSED) {
        tell(collector, known, "resumed", "runs on", NULL);
        known->told &= ~LIFE_PAUSED;
    }
}

void life_tell_living(struct collector *collector)
{
    for (size_t i = 0; i < collector->guests.count; i++) {
        const struct guest *guest = &collector->guests.guests[i];
        struct known_guest *known =
            known_find(collector, guest->uuid, guest->domid);

        /* Not before it has its name, unless it will get none. */
        if (!known || known->domid != guest->domid || guest->domid == 0 ||
            guest->info.flags & XEN_DOMINF_dying ||
            (!known->name[0] && !(known->told & LIFE_CREATED) &&
             guest->info.flags & XEN_DOMINF_paused)) {
            continue;
        }
        tell_changes(collector, known, guest);
    }
}

void life_tell_one_gone(struct collector *collector, struct known_guest *known)
{
    if (!(known->told & LIFE_CREATED)) {
        return; /* nobody heard of it */
    }
    if (known->told & LIFE_SUSPENDED) {
        add_suspended(collector, known->uuid);
    }
    tell(collector, known, "destroyed", "is gone", NULL);
}

void life_tell_gone(struct collector *collector)
{
    for (size_t i = 0; i < collector->known_count; i++) {
        if (!collector->known[i].alive) {
            life_tell_one_gone(collector, &collector->known[i]);
        }
    }
}
