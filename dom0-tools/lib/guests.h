/* SPDX-License-Identifier: MIT */
/* lib/guests.h - which guests there are, by name, number and state. */
#ifndef VIGIL_TOOLS_GUESTS_H
#define VIGIL_TOOLS_GUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/moment.h"
#include "lib/xen.h"

struct guest {
    uint32_t domid;
    char *name; /* from xenstore, hostile; "" if it has none */
    char uuid[UUID_CHARS + 1];
    xc_domaininfo_t info;
};

struct guest_list {
    struct guest *guests; /* ascending domid */
    size_t count;
};

/**
 * guests_read() - all domains
 * @xen:      open; without xenstore the names stay empty
 * @ret_list: filled in, empty on failure; release with guests_free()
 * @fault:    says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int guests_read(struct xen *xen, struct guest_list *ret_list,
                struct fault *fault);

/**
 * guests_free() - release what guests_read() allocated
 * @list: as filled in
 *
 * Context: any.
 */
void guests_free(struct guest_list *list);

/**
 * guests_find() - the guest that is meant by a word
 * @list:  as read
 * @word:  number, name or UUID
 * @fault: says why there is none
 *
 * Context: any.
 * Return:  guest inside @list, or NULL
 */
const struct guest *guests_find(const struct guest_list *list, const char *word,
                                struct fault *fault);

/**
 * guests_by_domid() - the guest with a number
 * @list:  as read
 * @domid: number
 *
 * Context: any.
 * Return:  guest inside @list, or NULL
 */
const struct guest *guests_by_domid(const struct guest_list *list,
                                    uint32_t domid);

/**
 * guest_is() - is this number still that guest's?
 * @xen:   open
 * @domid: number
 * @uuid:  text of the UUID it had
 *
 * A number is given again; between a list and an act on it may lie a while.
 *
 * Context: any.
 * Return:  1, or 0 when it is nobody's, or another's
 */
int guest_is(struct xen *xen, uint32_t domid, const char *uuid);

/**
 * guest_shutdown_reason() - why a guest has shut down
 * @guest: as read
 *
 * Context: any.
 * Return:  SHUTDOWN_*, or -1 if it has not shut down
 */
int guest_shutdown_reason(const struct guest *guest);

/**
 * shutdown_reason_name() - a reason as a word
 * @reason: SHUTDOWN_*, or -1
 *
 * Context: any.
 * Return:  constant text
 */
const char *shutdown_reason_name(int reason);

/**
 * guest_state_word() - the state that matters most, as a word
 * @guest: as read
 *
 * Context: any.
 * Return:  "dying", "crashed", "shutdown", "paused", "blocked" or "running"
 */
const char *guest_state_word(const struct guest *guest);

/**
 * guest_state_letters() - the state as xl's six letters
 * @guest: as read
 * @dst:   result, e.g. "-b----"
 *
 * Context: any.
 */
void guest_state_letters(const struct guest *guest, char dst[7]);

/**
 * store_text() - a value of xenstore
 * @xen:  connected to xenstore
 * @path: path
 *
 * Context: any.
 * Return:  text, freed by the caller; NULL if there is no such node
 */
char *store_text(struct xen *xen, const char *path);

/**
 * store_guest_text() - a value of xenstore, below a guest's directory
 * @xen:   connected to xenstore
 * @domid: guest
 * @leaf:  path below /local/domain/N/
 *
 * Context: any.
 * Return:  text, freed by the caller; NULL if there is no such node
 */
char *store_guest_text(struct xen *xen, uint32_t domid, const char *leaf);

#endif
