/* SPDX-License-Identifier: MIT */
/* vigild/known.c - remember guests longer than xenstore does. */
#include <stdlib.h>
#include <string.h>

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
    return known;
}

static void known_refresh(struct collector *collector,
                          struct known_guest *known, const struct guest *guest)
{
    char *ring =
        store_guest_text(&collector->xen, guest->domid, "console/ring-ref");

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
    if (ring) {
        known->console_mfn = strtoul(ring, NULL, 10);
        free(ring);
    }
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
