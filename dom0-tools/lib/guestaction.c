/* SPDX-License-Identifier: MIT */
/* lib/guestaction.c - what becomes of a guest that has ended. */
#include "lib/guestaction.h"

#include <string.h>

const char *guest_action_name(enum guest_action action)
{
    switch (action) {
    case ACTION_DESTROY:
        return "destroy";
    case ACTION_RESTART:
        return "restart";
    case ACTION_RENAME_RESTART:
        return "rename-restart";
    case ACTION_PRESERVE:
        return "preserve";
    }
    return "?";
}

int guest_action_parse(const char *text, enum guest_action *ret_action)
{
    if (strncmp(text, "coredump-", 9) == 0) {
        text += 9;
        if (strcmp(text, "destroy") && strcmp(text, "restart")) {
            return -1;
        }
    }
    if (strcmp(text, "destroy") == 0) {
        *ret_action = ACTION_DESTROY;
    } else if (strcmp(text, "restart") == 0) {
        *ret_action = ACTION_RESTART;
    } else if (strcmp(text, "rename-restart") == 0) {
        *ret_action = ACTION_RENAME_RESTART;
    } else if (strcmp(text, "preserve") == 0) {
        *ret_action = ACTION_PRESERVE;
    } else {
        return -1;
    }
    return 0;
}
