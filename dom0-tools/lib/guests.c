/* SPDX-License-Identifier: MIT */
/* lib/guests.c - which guests there are, by name, number and state. */
#include "lib/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/escape.h"

#define GUESTS_PER_CALL 64U
#define DOMID_MAX       0x7fefUL

char *store_text(struct xen *xen, const char *path)
{
    unsigned int len;

    return xen->xs ? xs_read(xen->xs, XBT_NULL, path, &len) : NULL;
}

char *store_guest_text(struct xen *xen, uint32_t domid, const char *leaf)
{
    char *path = xasprintf("/local/domain/%u/%s", domid, leaf);
    char *text = store_text(xen, path);

    free(path);
    return text;
}

static void guest_fill(struct xen *xen, struct guest *guest,
                       const xc_domaininfo_t *info)
{
    guest->info = *info;
    guest->domid = info->domain;
    uuid_text(guest->uuid, info->handle);
    guest->name = store_guest_text(xen, guest->domid, "name");
    if (!guest->name) {
        guest->name = xstrdup(guest->domid == 0 ? "Domain-0" : "");
    }
}

int guests_read(struct xen *xen, struct guest_list *ret_list,
                struct fault *fault)
{
    xc_domaininfo_t *info = xmalloc(GUESTS_PER_CALL * sizeof(*info));
    struct guest_list list = {.count = 0};
    uint32_t next = 0;
    int got;

    do {
        got = xc_domain_getinfolist(xen->xch, next, GUESTS_PER_CALL, info);
        if (got < 0) {
            fault_errno(fault, errno, "the list of domains cannot be read");
            guests_free(&list);
            *ret_list = list; /* may be freed again */
            free(info);
            return -1;
        }
        if (got) {
            list.guests = xrealloc(list.guests, (list.count + (size_t)got) *
                                                    sizeof(struct guest));
        }
        for (int i = 0; i < got; i++) {
            memset(&list.guests[list.count], 0, sizeof(struct guest));
            guest_fill(xen, &list.guests[list.count++], &info[i]);
            next = info[i].domain + 1U;
        }
    } while (got == (int)GUESTS_PER_CALL);
    free(info);
    *ret_list = list;
    return 0;
}

void guests_free(struct guest_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->guests[i].name);
    }
    free(list->guests);
    memset(list, 0, sizeof(*list));
}

const struct guest *guests_by_domid(const struct guest_list *list,
                                    uint32_t domid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->guests[i].domid == domid) {
            return &list->guests[i];
        }
    }
    return NULL;
}

/* The guest whose name is printed so: what `list` shows can be typed again. */
static const struct guest *find_escaped(const struct guest_list *list,
                                        const char *word)
{
    const struct guest *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->guests[i].name;
        char *plain = escape_dup(name, strlen(name), 0);
        int same = strcmp(plain, word) == 0;

        free(plain);
        if (same && found) {
            return NULL; /* two look the same: better none than the wrong */
        }
        found = same ? &list->guests[i] : found;
    }
    return found;
}

const struct guest *guests_find(const struct guest_list *list, const char *word,
                                struct fault *fault)
{
    const struct guest *escaped;
    unsigned long domid;
    char *end;

    /* A domain without a name is called by its number, never by "". */
    for (size_t i = 0; i < list->count && word[0]; i++) {
        if (strcmp(list->guests[i].name, word) == 0 ||
            strcasecmp(list->guests[i].uuid, word) == 0) {
            return &list->guests[i];
        }
    }
    escaped = strchr(word, '\\') ? find_escaped(list, word) : NULL;
    if (escaped) {
        return escaped;
    }
    if (word[0] >= '0' && word[0] <= '9') {
        domid = strtoul(word, &end, 10);
        if (*end == '\0') {
            const struct guest *guest =
                domid > DOMID_MAX ? NULL
                                  : guests_by_domid(list, (uint32_t)domid);

            if (!guest) {
                fault_set(fault, EXIT_NOT_FOUND,
                          "no guest with number %s among %zu domains; `vigil "
                          "list` shows them",
                          word, list->count);
            }
            return guest;
        }
    }
    fault_set(fault, EXIT_NOT_FOUND,
              "no guest with name %s among %zu domains; `vigil list` shows "
              "them",
              word, list->count);
    return NULL;
}

int guest_is(struct xen *xen, uint32_t domid, const char *uuid)
{
    char now[UUID_CHARS + 1];
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(xen->xch, domid, 1, &info) != 1 ||
        info.domain != domid) {
        return 0;
    }
    uuid_text(now, info.handle);
    return strcasecmp(now, uuid) == 0;
}

int guest_shutdown_reason(const struct guest *guest)
{
    if (!(guest->info.flags & XEN_DOMINF_shutdown)) {
        return -1;
    }
    return (int)(guest->info.flags >> XEN_DOMINF_shutdownshift &
                 XEN_DOMINF_shutdownmask);
}

const char *shutdown_reason_name(int reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        return "poweroff";
    case SHUTDOWN_reboot:
        return "reboot";
    case SHUTDOWN_suspend:
        return "suspend";
    case SHUTDOWN_crash:
        return "crash";
    case SHUTDOWN_watchdog:
        return "watchdog";
    case SHUTDOWN_soft_reset:
        return "soft_reset";
    default:
        return "none";
    }
}

static int guest_has_crashed(const struct guest *guest)
{
    int reason = guest_shutdown_reason(guest);

    return reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog;
}

const char *guest_state_word(const struct guest *guest)
{
    uint32_t flags = guest->info.flags;

    if (flags & XEN_DOMINF_dying) {
        return "dying";
    }
    if (flags & XEN_DOMINF_shutdown) {
        return guest_has_crashed(guest) ? "crashed" : "shutdown";
    }
    if (flags & XEN_DOMINF_paused) {
        return "paused";
    }
    return flags & XEN_DOMINF_blocked ? "blocked" : "running";
}

void guest_state_letters(const struct guest *guest, char dst[7])
{
    uint32_t flags = guest->info.flags;

    dst[0] = flags & XEN_DOMINF_running ? 'r' : '-';
    dst[1] = flags & XEN_DOMINF_blocked ? 'b' : '-';
    dst[2] = flags & XEN_DOMINF_paused ? 'p' : '-';
    dst[3] = flags & XEN_DOMINF_shutdown ? 's' : '-';
    dst[4] = guest_shutdown_reason(guest) == SHUTDOWN_crash ? 'c' : '-';
    dst[5] = flags & XEN_DOMINF_dying ? 'd' : '-';
    dst[6] = '\0';
}
