/* SPDX-License-Identifier: MIT */
/*
 * lib/consolelog.h - what a guest has printed: xenconsoled's log, and the
 * page it prints into.
 *
 * xenconsoled names its logs by the name of the guest and appends: a log may
 * begin with the words of an earlier guest of that name.  Whoever makes or
 * meets a guest before it runs notes where the log ends then.
 */
#ifndef VIGIL_TOOLS_CONSOLELOG_H
#define VIGIL_TOOLS_CONSOLELOG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/xen.h"

#define CONSOLE_START_UNKNOWN (-1LL)

/**
 * console_log_bytes() - how long a guest's log is now
 * @name: name of the guest, may be anything
 *
 * Context: any.
 * Return:  bytes; 0 if there is none
 */
int64_t console_log_bytes(const char *name);

/**
 * console_log_read() - the end of a guest's log
 * @name:    name of the guest, may be anything
 * @start:   where its words begin, or CONSOLE_START_UNKNOWN: read all
 * @max:     largest number of bytes wanted
 * @ret_len: length; set on success only
 *
 * A log shorter than @start was removed since, and is read from its beginning.
 *
 * Context: any.
 * Return:  NUL-terminated bytes, freed by the caller; NULL: no log, or nothing
 *          in it
 */
char *console_log_read(const char *name, int64_t start, size_t max,
                       size_t *ret_len);

/**
 * console_page_of() - the last output in the console page of one guest
 * @xen:     open
 * @domid:   its number
 * @uuid:    its UUID: another guest of that number is not read
 * @mfn:     machine frame of its console page
 * @ret_len: length, at most 2048; set on success only
 *
 * Context: any.
 * Return:  NUL-terminated bytes, freed by the caller, or NULL with errno
 */
char *console_page_of(struct xen *xen, uint32_t domid, const char *uuid,
                      unsigned long mfn, size_t *ret_len);

#endif
