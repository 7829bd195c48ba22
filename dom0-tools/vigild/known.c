/* SPDX-License-Identifier: MIT */
/* vigild/known.c - remember guests longer than xenstore does. */
#include <stdlib.h>
#include <string.h>

#include "lib/consolelog.h"
#include "lib/guestnote.h"
#include "vigild/collector.h"

struct known_guest *known_find(struct collector *collector, const char *uuid,
                               uint32_t domid)
{
    /* Dom0 has the UUID of zeroes, and so has whatever was given none. */
    int unique = uuid[strspn(uuid, "0-")] != '\0';
    struct known_guest *same_uuid = NULL;

    /* From the end: the newest domain with that number or UUID. */
    for (size_t i = collector->known_count; i > 0; i--) {
        struct known_guest *known = &collector->known[i - 1];

        if (strcmp(known->uuid, uuid) == 0 && known->domid == domid) {
            return known;
        }
        if (unique && !same_uuid && strcmp(known->uuid, uuid) == 0) {
            same_uuid = known;
        }
    }
    return same_uuid;
}

static struct known_guest *known_add(struct collector *collector,
                                     const struct guest *guest)
{
    struct known_guest *known;

    collector->known =
        xrealloc(collector->known,
                 (collector->known_count + 1) * sizeof(struct known_guest));
    known = &collector->known[collector->known_count++];
    memset(known, 0, sizeof(*known));
    known->domid = guest->domid;
    memcpy(known->uuid, guest->uuid, sizeof(known->uuid));
    known->name = xstrdup("");
    known->console_start = CONSOLE_START_UNKNOWN;
    return known;
}

/*
 * Where its words begin in a log that may have those of others of that name:
 * certain only of a guest that has not run yet, or that left a note of it.
 */
static void learn_console_start(struct known_guest *known,
                                const struct guest *guest)
{
    if (known->console_start_set || !known->name[0]) {
        return;
    }
    known->console_start =
        guest->info.cpu_time == 0
            ? console_log_bytes(known->name)
            : guestnote_console_start(known->uuid, known->domid);
    known->console_start_set = 1;
}

/*
 * Its console's page stays where it is while the domain runs, so it is asked
 * for until there is one, and again when the guest has ended and the page is
 * wanted; in each pass it would, with hundreds of guests, keep xenstored busy.
 */
static void learn_console_page(struct collector *collector,
                               struct known_guest *known,
                               const struct guest *guest)
{
    char *ring;

    if (known->console_mfn != 0 && guest_shutdown_reason(guest) < 0) {
        return;
    }
    ring = store_guest_text(&collector->xen, known->domid, "console/ring-ref");
    if (ring) {
        known->console_mfn = strtoul(ring, NULL, 10);
        free(ring);
    }
}

/* Nothing of an earlier run of the same guest under the same number. */
static void known_reset(struct known_guest *known)
{
    known->console_mfn = 0;
    known->memory_kib = 0;
    known->vcpus = 0;
    known->console_start = CONSOLE_START_UNKNOWN;
    known->console_start_set = 0;
    known->told = 0;
    known->noted = 0;
    known->core_taken = 0;
}

static void known_refresh(struct collector *collector,
                          struct known_guest *known, const struct guest *guest)
{
    known->alive = 1;
    if (guest->name[0]) {
        free(known->name);
        known->name = xstrdup(guest->name);
    }
    if (guest->info.tot_pages) {
        known->memory_kib = guest->info.tot_pages * 4;
    }
    if (guest->info.nr_online_vcpus) {
        known->vcpus = guest->info.nr_online_vcpus;
    }
    known->cpu_time = guest->info.cpu_time;
    learn_console_start(known, guest);
    learn_console_page(collector, known, guest);
}

void known_update(struct collector *collector)
{
    for (size_t i = 0; i < collector->known_count; i++) {
        collector->known[i].alive = 0;
    }
    for (size_t i = 0; i < collector->guests.count; i++) {
        const struct guest *guest = &collector->guests.guests[i];
        struct known_guest *known =
            known_find(collector, guest->uuid, guest->domid);

        if (known && known->domid == guest->domid &&
            guest->info.cpu_time < known->cpu_time) {
            /* Time does not run backwards: that one ended, unseen. */
            life_tell_one_gone(collector, known);
            known_reset(known);
        }
        if (!known || known->domid != guest->domid) {
            known = known_add(collector, guest);
        }
        known_refresh(collector, known, guest);
    }
}

void known_prune(struct collector *collector)
{
    size_t kept = 0;

    for (size_t i = 0; i < collector->known_count; i++) {
        if (collector->known[i].alive) {
            collector->known[kept++] = collector->known[i];
        } else {
            free(collector->known[i].name);
        }
    }
    collector->known_count = kept;
}
