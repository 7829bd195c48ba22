/* SPDX-License-Identifier: MIT */
/*
 * lib/guestnote.h - what is left for the collector about a guest.
 *
 * By `vigil create` and `vigil restore`, per guest two files in
 * /run/vigil/guests: UUID.cfg, its configuration as JSON of libxl, which
 * `vigil create` starts again, and UUID.json, what to do when it ends.  They
 * live as long as the guest.
 */
#ifndef VIGIL_TOOLS_GUESTNOTE_H
#define VIGIL_TOOLS_GUESTNOTE_H

#include <stddef.h>
#include <stdint.h>

#include <libxl.h>

#include "lib/fault.h"
#include "lib/guestaction.h"
#include "lib/moment.h"

struct guest_note {
    char uuid[UUID_CHARS + 1];
    char *name;
    uint32_t domid;
    int64_t console_start; /* lib/consolelog.h */
    enum guest_action on_poweroff;
    enum guest_action on_reboot;
    enum guest_action on_crash;
    enum guest_action on_watchdog;
};

struct guest_note_list {
    struct guest_note *notes;
    size_t count;
};

/**
 * guestnote_write() - leave a note about a new guest
 * @ctx:    context of libxl
 * @config: its configuration
 * @domid:  its number
 * @fault:  says why on failure
 *
 * Context: before the guest runs.
 * Return:  0, or -1
 */
int guestnote_write(libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
                    struct fault *fault);

/**
 * guestnote_remove() - remove the note about a guest
 * @uuid: text of its UUID
 *
 * Context: any; a missing note is not missed.
 */
void guestnote_remove(const char *uuid);

/**
 * guestnote_config() - the configuration of a guest
 * @uuid:    text of its UUID
 * @ret_len: set on success only
 *
 * Context: any.
 * Return:  text, freed by the caller; NULL if there is no note
 */
char *guestnote_config(const char *uuid, size_t *ret_len);

/**
 * guestnote_console_start() - where a guest's words begin in its console log
 * @uuid:  text of its UUID
 * @domid: its number; the note of another run of the guest does not count
 *
 * Context: any.
 * Return:  offset, or CONSOLE_START_UNKNOWN
 */
int64_t guestnote_console_start(const char *uuid, uint32_t domid);

/**
 * guestnote_list() - all notes
 * @ret_list: filled in; release with guestnote_list_free()
 *
 * Context: any; unreadable notes are left out.
 */
void guestnote_list(struct guest_note_list *ret_list);

/**
 * guestnote_list_free() - release what guestnote_list() allocated
 * @list: as filled in
 *
 * Context: any.
 */
void guestnote_list_free(struct guest_note_list *list);

#endif
