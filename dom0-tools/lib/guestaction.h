/* SPDX-License-Identifier: MIT */
/* lib/guestaction.h - what becomes of a guest that has ended. */
#ifndef VIGIL_TOOLS_GUESTACTION_H
#define VIGIL_TOOLS_GUESTACTION_H

/* What to do with a guest that has ended. */
enum guest_action {
    ACTION_DESTROY,
    ACTION_RESTART,
    ACTION_RENAME_RESTART, /* it stays under another name, one like it begins */
    ACTION_PRESERVE,
    ACTION_COREDUMP_DESTROY, /* its core is written first */
    ACTION_COREDUMP_RESTART,
};

/**
 * guest_action_name() - an action as xl.cfg spells it
 * @action: action
 *
 * Context: any.
 * Return:  constant text
 */
const char *guest_action_name(enum guest_action action);

/**
 * guest_action_parse() - read an action as xl.cfg spells it
 * @text:       NUL-terminated
 * @ret_action: set on success only
 *
 * Context: any.
 * Return:  0, or -1 if Vigil does not offer it
 */
int guest_action_parse(const char *text, enum guest_action *ret_action);

/**
 * guest_action_cores() - is a core to be written first?
 * @action: action
 *
 * Context: any; pure.
 * Return:  1 yes, 0 no
 */
int guest_action_cores(enum guest_action action);

#endif
