/* SPDX-License-Identifier: MIT */
/* lib/guestaction.c - what becomes of a guest that has ended. */
#include "lib/guestaction.h"

#include <string.h>

static const struct {
    const char *name;
    enum guest_action action;
} actions[] = {
    {"destroy", ACTION_DESTROY},
    {"restart", ACTION_RESTART},
    {"rename-restart", ACTION_RENAME_RESTART},
    {"preserve", ACTION_PRESERVE},
    {"coredump-destroy", ACTION_COREDUMP_DESTROY},
    {"coredump-restart", ACTION_COREDUMP_RESTART},
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

const char *guest_action_name(enum guest_action action)
{
    for (size_t i = 0; i < ACTIONS; i++) {
        if (actions[i].action == action) {
            return actions[i].name;
        }
    }
    return "?";
}

int guest_action_parse(const char *text, enum guest_action *ret_action)
{
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(actions[i].name, text) == 0) {
            *ret_action = actions[i].action;
            return 0;
        }
    }
    return -1;
}

int guest_action_cores(enum guest_action action)
{
    return action == ACTION_COREDUMP_DESTROY ||
           action == ACTION_COREDUMP_RESTART;
}
