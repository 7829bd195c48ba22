/* SPDX-License-Identifier: MIT */
/* vigil/host_records.c - vigil dmesg -r, -l, -f: the records of the log. */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/log.h>

#include "lib/escape.h"
#include "lib/logwindow.h"
#include "lib/table.h"
#include "vigil/commands.h"

#define LOOK_MS 200

/* What is wanted, and how far it has been shown. */
struct records {
    unsigned int level; /* the least severe           */
    int json;
    int follows;
    uint64_t next; /* cell that comes next; 0: the first look */
};

int records_wanted(const struct invocation *call)
{
    return opts_given(call, 'r', NULL) || opts_given(call, 'l', NULL) ||
           opts_given(call, 'f', NULL);
}

static int parse_level(const struct invocation *call, unsigned int *ret_level,
                       struct fault *fault)
{
    const char *name = opts_given(call, 'l', NULL);

    *ret_level = VIGIL_LOG_DEBUG;
    if (!name) {
        return 0;
    }
    for (unsigned int level = 0; level <= VIGIL_LOG_DEBUG; level++) {
        if (strcmp(name, log_level_name(level)) == 0) {
            *ret_level = level;
            return 0;
        }
    }
    return fault_set(fault, EXIT_USAGE,
                     "--level %s is none; give panic, error, warning, notice, "
                     "info or debug",
                     name);
}

static void print_json_line(const struct log_line *line, uint64_t tsc_khz)
{
    struct json_object *record = json_object_new_object();
    char *text =
        escape_dup(line->text, log_text_length(line), ESCAPE_KEEP_LINES);

    json_add_text(record, "schema", "vigil.record/1");
    json_add_number(record, "seq", line->seq);
    json_add_number(record, "tsc", line->tsc);
    if (tsc_khz) {
        json_add_number(record, "ns",
                        (uint64_t)((__uint128_t)line->tsc * 1000000 / tsc_khz));
    }
    json_add_number(record, "cpu", line->cpu);
    json_add_text(record, "level", log_level_name(line->level));
    json_add_text(record, "context", log_context_name(line->context));
    json_object_object_add(
        record, "guest",
        json_object_new_boolean((line->flags & VIGIL_LOG_F_GUEST) != 0));
    json_object_object_add(
        record, "on_console",
        json_object_new_boolean((line->flags & VIGIL_LOG_F_QUIET) == 0));
    json_object_object_add(record, "cut",
                           json_object_new_boolean(line->cut != 0));
    json_add_text(record, "text", text);
    json_print(record);
    free(text);
}

static void print_gap(const struct records *r, uint64_t cells)
{
    if (r->json) {
        struct json_object *gap = json_object_new_object();

        json_add_text(gap, "schema", "vigil.gap/1");
        json_add_number(gap, "cells", cells);
        json_print(gap);
    } else {
        printf("-- %" PRIu64 " cells are missing here\n", cells);
    }
}

/* The lines that have not been shown. */
static void print_new(struct records *r, const struct log_decoded *log,
                      uint64_t tsc_khz)
{
    for (size_t i = 0; i < log->line_count; i++) {
        const struct log_line *line = &log->lines[i];

        if (line->seq < r->next) {
            continue;
        }
        /* Its end may be on its way. */
        if (line->cut && i + 1 == log->line_count && r->follows) {
            break;
        }
        /* What came before the first one there is has been overwritten. */
        if (r->next && line->seq > r->next) {
            print_gap(r, line->seq - r->next);
        }
        r->next = line->seq + line->cells;
        if (line->level > r->level) {
            continue;
        }
        if (r->json) {
            print_json_line(line, tsc_khz);
        } else {
            log_write_line(stdout, line, tsc_khz);
        }
    }
}

static int look(struct records *r, struct log_window *window,
                struct fault *fault)
{
    struct log_decoded log;
    uint64_t tsc_khz;

    if (log_window_read(window, &log, &tsc_khz, fault)) {
        return -1;
    }
    print_new(r, &log, tsc_khz);
    log_decoded_free(&log);
    fflush(stdout);
    if (ferror(stdout)) {
        return fault_set(fault, EXIT_STORAGE, "output cannot be written");
    }
    return 0;
}

int show_records(const struct invocation *call)
{
    struct records r = {.json = opts_given(call, 0, "json") != NULL,
                        .follows = opts_given(call, 'f', NULL) != NULL};
    struct log_window window;
    struct fault fault;
    struct xen xen;
    int ret;

    if (opts_given(call, 'c', NULL)) {
        say("the records cannot be cleared: -c is without -r, -l and -f");
        return EXIT_USAGE;
    }
    if (parse_level(call, &r.level, &fault) ||
        command_open(call, &xen, 0, &fault)) {
        return say_fault(&fault);
    }
    ret = log_window_open(&xen, &window, &fault);
    xen_close(&xen);
    if (ret) {
        return say_fault(&fault);
    }
    ret = look(&r, &window, &fault);
    while (ret == 0 && r.follows) {
        (void)poll(NULL, 0, LOOK_MS);
        if (command_stop) {
            ret = fault_set(&fault, exit_code_of_signal(command_stop),
                            "no longer waiting for records");
            break;
        }
        ret = look(&r, &window, &fault);
    }
    log_window_close(&window);
    return ret ? say_fault(&fault) : EXIT_DONE;
}
