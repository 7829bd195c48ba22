/* SPDX-License-Identifier: MIT */
/*
 * vigil/backtrace.c - vigil backtrace host: where every processor is.
 *
 * The hypervisor writes it into its log, for that takes no lock; what is printed
 * here are those lines.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/vigil_op.h>

#include "lib/escape.h"
#include "lib/table.h"
#include "vigil/commands.h"

#define ROUNDS_MAX 3U

/* The last place in @text where @words stand, before @end; NULL: nowhere. */
static const char *last_place(const char *text, const char *end,
                              const char *words)
{
    const char *found = NULL;

    for (const char *at = strstr(text, words); at && at < end;
         at = strstr(at + 1, words)) {
        found = at;
    }
    return found;
}

static const char *line_after(const char *at)
{
    at += strcspn(at, "\n");
    return *at ? at + 1 : at;
}

/* The lines of the newest backtrace in the log.  NULL: it has none. */
static const char *find_lines(const char *log, size_t *ret_len)
{
    const char *end = last_place(log, log + strlen(log), VIGIL_BACKTRACE_END);
    const char *begin =
        end ? last_place(log, end, VIGIL_BACKTRACE_BEGIN) : NULL;

    if (!begin) {
        return NULL;
    }
    begin = line_after(begin);
    *ret_len = (size_t)(line_after(end) - begin);
    return begin;
}

/* A line without what the log puts before it. */
static const char *essence(const char *line)
{
    return strncmp(line, "(XEN) ", 6) == 0 ? line + 6 : line;
}

static void print_plain(const char *lines, size_t len)
{
    for (const char *at = lines; at < lines + len; at = line_after(at)) {
        const char *text = essence(at);

        escape_print(stdout, text, strcspn(text, "\n"), 0);
        printf("\n");
    }
}

static void print_json(const char *lines, size_t len, uint64_t silent)
{
    struct json_object *top = json_object_new_object();
    struct json_object *array = json_object_new_array();
    struct json_object *dead = json_object_new_array();

    json_add_text(top, "schema", "vigil.backtrace/1");
    for (const char *at = lines; at < lines + len; at = line_after(at)) {
        const char *text = essence(at);
        char *line = escape_dup(text, strcspn(text, "\n"), 0);

        json_object_array_add(array, json_object_new_string(line));
        free(line);
    }
    for (int cpu = 0; cpu < 64; cpu++) {
        if (silent >> cpu & 1) {
            json_object_array_add(dead, json_object_new_int(cpu));
        }
    }
    json_object_object_add(top, "silent_cpus", dead);
    json_object_object_add(top, "lines", array);
    json_print(top);
}

static int ask(struct xen *xen, uint64_t *ret_silent, struct fault *fault)
{
    struct vigil_op_backtrace op = {.silent = 0};
    int ret = -EBUSY;

    /* Another's takes a second at most. */
    for (unsigned int i = 0; i < ROUNDS_MAX && ret == -EBUSY; i++) {
        ret = vigil_call(xen, VIGIL_OP_backtrace, &op, sizeof(op));
    }
    if (ret == -ENOSYS) {
        return vigil_missing(fault, "backtrace host");
    }
    if (ret) {
        return fault_errno(fault, -ret,
                           "the hypervisor does not say where it is");
    }
    *ret_silent = op.silent;
    return 0;
}

int run_backtrace(const struct invocation *call)
{
    uint64_t silent = 0;
    struct fault fault;
    const char *lines;
    struct xen xen;
    size_t len;
    char *log;

    if (strcmp(call->operands[0], "host") != 0) {
        return backtrace_guest(call);
    }
    if (command_open(call, &xen, 0, &fault)) {
        return say_fault(&fault);
    }
    log = ask(&xen, &silent, &fault) ? NULL
                                     : console_ring_read(&xen, 0, &len, &fault);
    xen_close(&xen);
    if (!log) {
        return say_fault(&fault);
    }
    lines = find_lines(log, &len);
    if (!lines) {
        fault_set(&fault, EXIT_FAILED,
                  "the hypervisor's log does not have the backtraces any more");
        free(log);
        return say_fault(&fault);
    }
    if (opts_given(call, 0, "json")) {
        print_json(lines, len, silent);
    } else {
        print_plain(lines, len);
    }
    free(log);
    return EXIT_DONE;
}
