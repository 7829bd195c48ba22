/* SPDX-License-Identifier: MIT */
/*
 * lib/preserve.h - let a guest that has ended stand under another name.
 *
 * For rename-restart: its name and its UUID become free for the one that is
 * started like it.  The name is that of xl: NAME-YYYYMMDDTHHMMZ.
 */
#ifndef VIGIL_TOOLS_PRESERVE_H
#define VIGIL_TOOLS_PRESERVE_H

#include <stdint.h>
#include <time.h>

#include "lib/guests.h"
#include "lib/moment.h"

#define PRESERVE_SUFFIX_BYTES 40

/**
 * preserve_suffix() - what comes behind the name of a guest that ended
 * @list: guests there are: none of their names results
 * @name: the guest's name
 * @now:  time
 * @dst:  PRESERVE_SUFFIX_BYTES bytes
 *
 * As xl has it, to the minute; to the second, or with a number, where one that
 * ended just before has that name.
 *
 * Context: any; pure.
 */
void preserve_suffix(const struct guest_list *list, const char *name,
                     time_t now, char *dst);

/**
 * guest_preserve() - give an ended guest another name and another UUID
 * @xen:      connected to the hypervisor and to xenstore
 * @domid:    guest that has shut down, not 0
 * @uuid:     text of its UUID: another guest of that number is left alone
 * @ret_name: its new name, freed by the caller; set on success only
 * @ret_uuid: its new UUID; set on success only
 * @fault:    says why on failure
 *
 * It lets go of its disks: it can use them no more, and Xen's block script
 * gives none to a second guest that may write.
 *
 * Context: any; may take seconds for a device that hangs.
 * Return:  0, or -1
 */
int guest_preserve(struct xen *xen, uint32_t domid, const char *uuid,
                   char **ret_name, char ret_uuid[UUID_CHARS + 1],
                   struct fault *fault);

#endif
