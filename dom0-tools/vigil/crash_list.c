/* SPDX-License-Identifier: MIT */
/* vigil/crash_list.c - vigil crash list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/place.h"
#include "lib/store.h"
#include "lib/table.h"
#include "vigil/commands.h"

/* The UTC text of meta.json as local time; as it is, if it is no time. */
static void local_time(char *dst, size_t cap, const char *utc)
{
    struct tm parts;
    time_t seconds;

    memset(&parts, 0, sizeof(parts));
    if (!strptime(utc, "%Y-%m-%dT%H:%M:%S", &parts)) {
        snprintf(dst, cap, "%s", utc);
        return;
    }
    seconds = timegm(&parts);
    moment_local(dst, cap, (uint64_t)seconds * 1000000000ULL);
}

static void add_row(struct libscols_table *table, const struct crash *crash,
                    int id_chars)
{
    char occurrence[16];
    char when[40];
    char id[ULID_CHARS + 1];
    char *what = xasprintf("%s%s", crash->what,
                           crash->complete ? "" : " (evidence cut short)");
    const char *cells[] = {when,        id,
                           crash->kind, crash->where[0] ? crash->where : "-",
                           what,        occurrence};

    local_time(when, sizeof(when), crash->time);
    snprintf(id, sizeof(id), "%.*s", id_chars, crash->id);
    snprintf(occurrence, sizeof(occurrence), "%d", crash->occurrence);
    table_row(table, cells);
    free(what);
}

static void print_table(const struct crash_list *list, size_t first)
{
    static const char *const columns[] = {"WHEN", "ID", "KIND", "WHERE",
                                          "WHAT", ">N", NULL};
    struct libscols_table *table = table_new(columns);
    int id_chars = crash_short_id(list);

    /* Newest first: that is what people came for. */
    for (size_t i = list->count; i > first; i--) {
        add_row(table, &list->crashes[i - 1], id_chars);
    }
    table_print(table);
    if (list->count) {
        const char *newest = list->crashes[list->count - 1].id;

        fprintf(stderr,
                "%zu of %zu shown; `vigil crash show %.*s` for "
                "details of the newest\n",
                list->count - first, list->count, id_chars, newest);
    }
}

static void print_json(const struct crash_list *list, size_t first,
                       const char *store)
{
    struct json_object *top = json_object_new_object();
    struct json_object *array = json_object_new_array();

    json_add_text(top, "schema", "vigil.crashes/1");
    json_add_text(top, "store", store);
    for (size_t i = list->count; i > first; i--) {
        json_object_array_add(array,
                              json_object_get(list->crashes[i - 1].meta));
    }
    json_object_object_add(top, "crashes", array);
    json_add_number(top, "damaged", list->damaged);
    json_print(top);
}

/* How many entries to leave out, from -n; -1 with a fault. */
static long first_wanted(const struct invocation *call, size_t count,
                         struct fault *fault)
{
    const char *text = opts_given(call, 'n', NULL);
    char *end;
    long wanted;

    if (!text) {
        return 0;
    }
    wanted = strtol(text, &end, 10);
    if (end == text || *end || wanted < 1) {
        return fault_set(fault, EXIT_USAGE, "-n %s is not a number from 1 up",
                         text);
    }
    return (size_t)wanted < count ? (long)count - wanted : 0;
}

int run_crash_list(const struct invocation *call)
{
    struct crash_list list;
    struct fault fault;
    int code = EXIT_DONE;
    long first;
    char *path;

    command_root(call);
    path = place(PLACE_CRASHES);
    if (store_read(path, &list, &fault)) {
        free(path);
        return say_fault(&fault);
    }
    first = first_wanted(call, list.count, &fault);
    if (first < 0) {
        code = say_fault(&fault);
    } else if (opts_given(call, 0, "json")) {
        print_json(&list, (size_t)first, path);
    } else {
        print_table(&list, (size_t)first);
        if (list.damaged) {
            say("warning: %zu entries of %s have no readable " STORE_META,
                list.damaged, path);
        }
    }
    crash_list_free(&list);
    free(path);
    return code;
}
