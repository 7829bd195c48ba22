/* SPDX-License-Identifier: MIT */
/* vigil/host_dmesg.c - vigil dmesg. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/escape.h"
#include "lib/table.h"
#include "vigil/commands.h"

static void print_json(const char *text)
{
    struct json_object *top = json_object_new_object();
    struct json_object *lines = json_object_new_array();

    json_add_text(top, "schema", "vigil.dmesg/1");
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = escape_dup(text, len, ESCAPE_KEEP_LINES);

        json_object_array_add(lines, json_object_new_string(line));
        free(line);
        text += len;
        text += *text == '\n';
    }
    json_object_object_add(top, "lines", lines);
    json_print(top);
}

int run_dmesg(const struct invocation *call)
{
    struct fault fault;
    struct xen xen;
    size_t len;
    char *text;

    if (records_wanted(call)) {
        return show_records(call);
    }
    if (command_open(call, &xen, 0, &fault)) {
        return say_fault(&fault);
    }
    text = console_ring_read(&xen, opts_given(call, 'c', NULL) != NULL, &len,
                             &fault);
    xen_close(&xen);
    if (!text) {
        return say_fault(&fault);
    }
    if (opts_given(call, 0, "json")) {
        /* A NUL in the ring would end the text early. */
        for (size_t i = 0; i < len; i++) {
            text[i] = text[i] ? text[i] : '?';
        }
        print_json(text);
    } else {
        /* Guests' lines are in the ring too; a pipe may lead to a terminal. */
        escape_print(stdout, text, len, ESCAPE_KEEP_LINES);
    }
    free(text);
    return EXIT_DONE;
}
