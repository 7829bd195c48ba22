/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/tools/played_guests.h - guests as the hypervisor and xenstore
 * would tell of them, for tests of the collector.
 */
#ifndef VIGIL_TESTS_TOOLS_PLAYED_GUESTS_H
#define VIGIL_TESTS_TOOLS_PLAYED_GUESTS_H

#include "lib/consolelog.h"
#include "lib/guestnote.h"
#include "tests/unit/tools/played_store.h"

/* What the note of a guest says; CONSOLE_START_UNKNOWN: there is no note. */
static int64_t noted_start = CONSOLE_START_UNKNOWN;

/* How often xenstore was asked where a console's page is. */
static unsigned int pages_asked;

char *console_page_read(uint32_t domid, unsigned long mfn, size_t *ret_len)
{
    char *text = xasprintf("page of %u at %lu", domid, mfn);

    *ret_len = strlen(text);
    return text;
}

int64_t guestnote_console_start(const char *uuid, uint32_t domid)
{
    (void)uuid;
    (void)domid;
    return noted_start;
}

char *store_guest_text(struct xen *xen, uint32_t domid, const char *leaf)
{
    (void)xen;
    assert_string_equal(leaf, "console/ring-ref");
    pages_asked++;
    return xasprintf("%u", domid * 100);
}

int guest_shutdown_reason(const struct guest *guest)
{
    return guest->info.flags & XEN_DOMINF_shutdown
               ? (int)(guest->info.flags >> XEN_DOMINF_shutdownshift & 255)
               : -1;
}

int guest_is(struct xen *xen, uint32_t domid, const char *uuid)
{
    (void)xen;
    for (size_t i = 0; i < collector.guests.count; i++) {
        if (collector.guests.guests[i].domid == domid) {
            return strcmp(collector.guests.guests[i].uuid, uuid) == 0;
        }
    }
    return 0;
}

/* A guest whose UUID ends with @tag. */
static inline struct guest *live_as(uint32_t domid, const char *name,
                                    uint8_t tag)
{
    struct guest *guest;

    collector.guests.guests =
        xrealloc(collector.guests.guests,
                 (collector.guests.count + 1) * sizeof(struct guest));
    guest = &collector.guests.guests[collector.guests.count++];
    memset(guest, 0, sizeof(*guest));
    guest->domid = domid;
    guest->name = xstrdup(name);
    guest->info.handle[15] = tag;
    guest->info.tot_pages = 4096;
    guest->info.nr_online_vcpus = 1;
    uuid_text(guest->uuid, guest->info.handle);
    return guest;
}

static inline struct guest *live(uint32_t domid, const char *name)
{
    return live_as(domid, name, (uint8_t)domid);
}

static inline void drop_list(void)
{
    for (size_t i = 0; i < collector.guests.count; i++) {
        free(collector.guests.guests[i].name);
    }
    free(collector.guests.guests);
    memset(&collector.guests, 0, sizeof(collector.guests));
}

#endif
