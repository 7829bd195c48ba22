/* SPDX-License-Identifier: MIT */
/* vigil/crash_show.c - vigil crash show. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/escape.h"
#include "lib/outfile.h"
#include "lib/place.h"
#include "lib/store.h"
#include "lib/table.h"
#include "vigil/commands.h"

#define FILE_BYTES_MAX (8U * 1024 * 1024)
#define TAIL_LINES     40

/* The files of an entry, in the order in which they help most. */
static const struct {
    const char *file;
    const char *title;
    int tail; /* 1: only the end matters at first */
} parts[] = {
    {"reason.txt", "reason", 0},        {"registers.json", "registers", 0},
    {"backtrace.txt", "backtrace", 0},  {"cpus.txt", "processors", 0},
    {"notes.txt", "notes", 0},          {"console.txt", "console", 1},
    {"machine-checks.txt", "machine checks", 0},
    {"hypervisor.txt", "hypervisor log", 1}, {"config.cfg", "configuration", 0},
};

#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

/* A value as a word; the null of JSON has no text of its own. */
static char *word_of(struct json_object *value)
{
    const char *text = value ? json_object_get_string(value) : "null";

    return escape_dup(text, strlen(text), 0);
}

/* The words of an array, four to a line. */
static void print_words(const char *title, struct json_object *array)
{
    size_t words = json_object_array_length(array);

    if (words == 0) {
        return;
    }
    escape_print(stdout, title, strlen(title), 0);
    printf(":");
    for (size_t i = 0; i < words; i++) {
        char *word = word_of(json_object_array_get_idx(array, i));

        printf("%s%s", i % 4 ? " " : "\n  ", word);
        free(word);
    }
    printf("\n");
}

static void print_registers(const char *text)
{
    struct json_object *registers = json_tokener_parse(text);
    int column = 0;

    if (!json_object_is_type(registers, json_type_object)) {
        escape_print(stdout, text, strlen(text), ESCAPE_KEEP_LINES);
        json_object_put(registers);
        return;
    }
    json_object_object_foreach(registers, key, value)
    {
        char *name;
        char *word;

        if (json_object_is_type(value, json_type_array)) {
            printf("%s", column ? "\n" : "");
            column = 0;
            print_words(key, value);
            continue;
        }
        word =
            json_object_is_type(value, json_type_int)
                ? xasprintf("0x%llx",
                            (unsigned long long)json_object_get_uint64(value))
                : word_of(value);
        name = escape_dup(key, strlen(key), 0);
        column = (column + 1) % 3;
        if (column) {
            printf("%-14s %-20s", name, word);
        } else {
            printf("%-14s %s\n", name, word);
        }
        free(name);
        free(word);
    }
    printf("%s", column ? "\n" : "");
    json_object_put(registers);
}

/* Where the last TAIL_LINES lines of @text begin. */
static const char *tail_of(const char *text, size_t len, size_t *ret_skipped)
{
    const char *at = text + len;
    int lines = 0;

    *ret_skipped = 0;
    while (at > text) {
        if (at[-1] == '\n' && at < text + len && ++lines == TAIL_LINES) {
            break;
        }
        at--;
    }
    for (const char *from = text; from < at; from++) {
        *ret_skipped += *from == '\n';
    }
    return at;
}

static void print_part(size_t part, const char *text, size_t len, int all)
{
    const char *from = text;
    size_t skipped = 0;

    printf("\n-- %s", parts[part].title);
    if (parts[part].tail && !all) {
        from = tail_of(text, len, &skipped);
    }
    if (skipped) {
        printf(" (%zu lines before these: --all)", skipped);
    }
    printf("\n");
    if (strcmp(parts[part].file, "registers.json") == 0) {
        print_registers(text);
        return;
    }
    escape_print(stdout, from, len - (size_t)(from - text), ESCAPE_KEEP_LINES);
    if (len && text[len - 1] != '\n') {
        printf("\n");
    }
}

static void print_field(const char *name, const char *text)
{
    if (text[0]) {
        printf("%-11s", name);
        escape_print(stdout, text, strlen(text), 0);
        printf("\n");
    }
}

static void print_text(const struct crash *crash, int dirfd, const char *path,
                       int all)
{
    print_field("id", crash->id);
    print_field("time", crash->time);
    print_field("kind", crash->kind);
    print_field("where", crash->where);
    print_field("what", crash->what);
    print_field("signature", crash->signature);
    printf("%-11s%d\n", "occurrence", crash->occurrence);
    print_field("evidence", crash->complete ? "complete" : "cut short");
    print_field("files", path);
    for (size_t i = 0; i < PART_COUNT; i++) {
        char *text;
        size_t len;

        if (infile_read(dirfd, parts[i].file, FILE_BYTES_MAX, &text, &len)) {
            continue;
        }
        print_part(i, text, len, all);
        free(text);
    }
}

static void print_json(const struct crash *crash, int dirfd, const char *path)
{
    struct json_object *files = json_object_new_object();
    struct json_object *parsed;

    json_add_text(crash->meta, "path", path);
    for (size_t i = 0; i < PART_COUNT; i++) {
        char *text;
        char *plain;
        size_t len;

        if (infile_read(dirfd, parts[i].file, FILE_BYTES_MAX, &text, &len)) {
            continue;
        }
        parsed = strcmp(parts[i].file, "registers.json")
                     ? NULL
                     : json_tokener_parse(text);
        if (parsed) {
            json_object_object_add(crash->meta, "registers", parsed);
        } else {
            plain = escape_dup(text, len, ESCAPE_KEEP_LINES);
            json_object_object_add(files, parts[i].file,
                                   json_object_new_string(plain));
            free(plain);
        }
        free(text);
    }
    json_object_object_add(crash->meta, "files", files);
    json_print(json_object_get(crash->meta));
}

static const struct crash *pick(const struct invocation *call,
                                const struct crash_list *list,
                                struct fault *fault)
{
    int newest = opts_given(call, '1', NULL) != NULL;

    if (newest == (call->operand_count == 1)) {
        fault_set(fault, EXIT_USAGE,
                  "give the ID of a crash, or -1 for the newest");
        return NULL;
    }
    if (!newest) {
        return crash_find(list, call->operands[0], fault);
    }
    if (list->count == 0) {
        fault_set(fault, EXIT_NOT_FOUND, "no crash is recorded");
        return NULL;
    }
    return &list->crashes[list->count - 1];
}

static int show(const struct invocation *call, const struct crash *crash,
                const char *store, struct fault *fault)
{
    char *path = xasprintf("%s/%s", store, crash->name);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int ret = 0;

    if (fd < 0) {
        ret = fault_errno(fault, errno, "cannot read %s", path);
    } else if (opts_given(call, 0, "json")) {
        print_json(crash, fd, path);
    } else {
        print_text(crash, fd, path, opts_given(call, 0, "all") != NULL);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return ret;
}

int run_crash_show(const struct invocation *call)
{
    const struct crash *crash;
    struct crash_list list;
    struct fault fault;
    int code = EXIT_DONE;
    char *store;

    command_root(call);
    store = place(PLACE_CRASHES);
    if (store_read(store, &list, &fault)) {
        free(store);
        return say_fault(&fault);
    }
    crash = pick(call, &list, &fault);
    if (!crash || show(call, crash, store, &fault)) {
        code = say_fault(&fault);
    }
    crash_list_free(&list);
    free(store);
    return code;
}
