/* SPDX-License-Identifier: MIT */
/* lib/store_read.c - the crash store: finding and reading its entries. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/store.h"

#define META_BYTES_MAX (256 * 1024)
#define SHORT_ID_MIN   5

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    if (json_object_is_type(object, json_type_object) &&
        json_object_object_get_ex(object, key, &value) &&
        json_object_is_type(value, json_type_string)) {
        return json_object_get_string(value);
    }
    return "";
}

static struct json_object *child_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object)) {
        json_object_object_get_ex(object, key, &value);
    }
    return value;
}

/* Identifiers go to the terminal and into commands: nothing but their form. */
static int is_ulid(const char *id)
{
    return strlen(id) == ULID_CHARS &&
           strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ULID_CHARS;
}

/* Strict: what is no text in UTF-8 would make our own JSON invalid. */
static struct json_object *parse_strictly(const char *text, size_t len)
{
    struct json_tokener *parser = json_tokener_new();
    struct json_object *object;

    if (!parser || len >= INT_MAX) {
        out_of_memory();
    }
    json_tokener_set_flags(parser, JSON_TOKENER_VALIDATE_UTF8);
    object = json_tokener_parse_ex(parser, text, (int)len + 1);
    if (json_tokener_get_error(parser) != json_tokener_success) {
        json_object_put(object);
        object = NULL;
    }
    json_tokener_free(parser);
    return object;
}

/* Fill in @crash from its meta.json; 0 if that is a usable one. */
static int crash_read(int store_dir, const char *name, struct crash *crash)
{
    char *path = xasprintf("%s/" STORE_META, name);
    struct json_object *number;
    char *text;
    size_t len;
    int ret = infile_read(store_dir, path, META_BYTES_MAX, &text, &len);

    free(path);
    if (ret) {
        return -1;
    }
    memset(crash, 0, sizeof(*crash));
    crash->meta = parse_strictly(text, len);
    free(text);
    if (!json_object_is_type(crash->meta, json_type_object) ||
        !is_ulid(text_of(crash->meta, "id"))) {
        json_object_put(crash->meta);
        return -1;
    }
    memcpy(crash->id, text_of(crash->meta, "id"), ULID_CHARS + 1);
    crash->name = xstrdup(name);
    crash->time = text_of(crash->meta, "time");
    crash->kind = text_of(crash->meta, "kind");
    crash->where = text_of(child_of(crash->meta, "guest"), "name");
    crash->what = text_of(child_of(crash->meta, "reason"), "text");
    crash->signature = text_of(child_of(crash->meta, "signature"), "id");
    number = child_of(crash->meta, "occurrence");
    crash->occurrence = number ? json_object_get_int(number) : 1;
    crash->complete = strcmp(text_of(child_of(crash->meta, "capture"), "state"),
                             "truncated") != 0;
    return 0;
}

/* An identifier begins with the time, so this is also the order of time. */
static int crash_order(const void *left, const void *right)
{
    const struct crash *a = left;
    const struct crash *b = right;

    return strcmp(a->id, b->id);
}

int store_read(const char *path, struct crash_list *ret_list,
               struct fault *fault)
{
    DIR *dir = opendir(path);
    struct dirent *item;

    memset(ret_list, 0, sizeof(*ret_list));
    if (!dir) {
        if (errno == ENOENT) {
            return 0;
        }
        return fault_errno(fault, errno, "cannot read the crash store %s",
                           path);
    }
    while ((item = readdir(dir)) != NULL) {
        if (item->d_name[0] == '.') {
            continue;
        }
        ret_list->crashes = xrealloc(
            ret_list->crashes, (ret_list->count + 1) * sizeof(struct crash));
        if (crash_read(dirfd(dir), item->d_name,
                       &ret_list->crashes[ret_list->count])) {
            ret_list->damaged++;
        } else {
            ret_list->count++;
        }
    }
    closedir(dir);
    if (ret_list->count) {
        qsort(ret_list->crashes, ret_list->count, sizeof(struct crash),
              crash_order);
    }
    return 0;
}

void crash_list_free(struct crash_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->crashes[i].name);
        json_object_put(list->crashes[i].meta);
    }
    free(list->crashes);
    memset(list, 0, sizeof(*list));
}

const struct crash *crash_find(const struct crash_list *list, const char *id,
                               struct fault *fault)
{
    const struct crash *found = NULL;
    size_t len = strlen(id);

    for (size_t i = 0; i < list->count; i++) {
        if (len == 0 || strncasecmp(list->crashes[i].id, id, len)) {
            continue;
        }
        if (found) {
            fault_set(fault, EXIT_USAGE,
                      "crash id %s is not unique: it begins %s and %s; give "
                      "more of it",
                      id, found->id, list->crashes[i].id);
            return NULL;
        }
        found = &list->crashes[i];
    }
    if (!found) {
        fault_set(fault, EXIT_NOT_FOUND,
                  "no crash with id %s among %zu; `vigil crash list` shows "
                  "them",
                  id, list->count);
    }
    return found;
}

int crash_short_id(const struct crash_list *list)
{
    size_t len = SHORT_ID_MIN;

    /* Sorted, so only neighbours can share a beginning. */
    for (size_t i = 1; i < list->count; i++) {
        while (len < ULID_CHARS && strncmp(list->crashes[i - 1].id,
                                           list->crashes[i].id, len) == 0) {
            len++;
        }
    }
    return (int)len;
}
