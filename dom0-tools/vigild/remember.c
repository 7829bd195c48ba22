/* SPDX-License-Identifier: MIT */
/*
 * vigild/remember.c - what one run of the collector leaves for the next.
 *
 * /run/vigil/known.json lives as long as the boot, and so do the domains in
 * it.  Without it a collector that starts anew would tell of every guest
 * again, and would not know the names of those that went meanwhile.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/consolelog.h"
#include "lib/knownfile.h"
#include "lib/place.h"
#include "lib/table.h"
#include "vigild/collector.h"

static struct json_object *guest_json(const struct known_guest *known)
{
    struct json_object *object = json_object_new_object();

    json_add_number(object, "domid", known->domid);
    json_object_object_add(object, "uuid", json_object_new_string(known->uuid));
    json_object_object_add(object, "name", json_object_new_string(known->name));
    json_add_number(object, "memory_kib", known->memory_kib);
    json_add_number(object, "vcpus", known->vcpus);
    json_add_number(object, "told", known->told);
    json_add_number(object, "noted", known->noted != 0);
    if (known->console_start_set) {
        json_object_object_add(object, "console_start",
                               json_object_new_int64(known->console_start));
    }
    return object;
}

static char *memory_text(const struct collector *collector)
{
    struct json_object *top = json_object_new_object();
    struct json_object *guests = json_object_new_array();
    struct json_object *suspended = json_object_new_array();
    char *text;

    for (size_t i = 0; i < collector->known_count; i++) {
        json_object_array_add(guests, guest_json(&collector->known[i]));
    }
    for (size_t i = 0; i < collector->suspended_count; i++) {
        json_object_array_add(suspended,
                              json_object_new_string(collector->suspended[i]));
    }
    json_add_text(top, "schema", KNOWN_SCHEMA);
    json_add_text(top, "boot_id", collector->boot_id);
    json_object_object_add(top, "guests", guests);
    json_object_object_add(top, "suspended", suspended);
    text = xasprintf("%s\n", json_object_to_json_string_ext(
                                 top, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(top);
    return text;
}

void remember_save(struct collector *collector)
{
    char *text = memory_text(collector);
    char *dir;
    int dirfd;
    struct fault fault;

    if (collector->memory && strcmp(collector->memory, text) == 0) {
        free(text);
        return;
    }
    dir = place(PLACE_RUN);
    dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Trouble costs a repeated event after the next start, nothing else. */
    if (dirfd >= 0 &&
        outfile_replace(&file_ops_system, dirfd, KNOWN_FILE, text, strlen(text),
                        &fault) == 0) {
        free(collector->memory);
        collector->memory = text;
        text = NULL;
    }
    if (dirfd >= 0) {
        close(dirfd);
    }
    free(text);
    free(dir);
}

static uint64_t number_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value)
               ? json_object_get_uint64(value)
               : 0;
}

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : "";
}

static void load_guest(struct collector *collector, struct json_object *object)
{
    struct json_object *start;
    struct known_guest *known;
    uint8_t uuid[16];

    if (!json_object_is_type(object, json_type_object) ||
        uuid_parse(text_of(object, "uuid"), uuid)) {
        return;
    }
    collector->known =
        xrealloc(collector->known,
                 (collector->known_count + 1) * sizeof(struct known_guest));
    known = &collector->known[collector->known_count++];
    memset(known, 0, sizeof(*known));
    known->domid = (uint32_t)number_of(object, "domid");
    uuid_text(known->uuid, uuid);
    known->name = xstrdup(text_of(object, "name"));
    known->memory_kib = number_of(object, "memory_kib");
    known->vcpus = (uint32_t)number_of(object, "vcpus");
    known->told = (unsigned int)number_of(object, "told");
    known->noted = number_of(object, "noted") != 0;
    known->console_start = CONSOLE_START_UNKNOWN;
    if (json_object_object_get_ex(object, "console_start", &start)) {
        known->console_start = json_object_get_int64(start);
        known->console_start_set = 1;
    }
}

static void load_all(struct collector *collector, struct json_object *top)
{
    struct json_object *guests;
    struct json_object *suspended;

    if (json_object_object_get_ex(top, "guests", &guests) &&
        json_object_is_type(guests, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(guests); i++) {
            load_guest(collector, json_object_array_get_idx(guests, i));
        }
    }
    if (!json_object_object_get_ex(top, "suspended", &suspended) ||
        !json_object_is_type(suspended, json_type_array)) {
        return;
    }
    for (size_t i = 0; i < json_object_array_length(suspended); i++) {
        const char *uuid =
            json_object_get_string(json_object_array_get_idx(suspended, i));

        if (uuid && strlen(uuid) == UUID_CHARS &&
            collector->suspended_count < SUSPENDED_MAX) {
            memcpy(collector->suspended[collector->suspended_count++], uuid,
                   UUID_CHARS + 1);
        }
    }
}

void remember_load(struct collector *collector)
{
    struct json_object *top = knownfile_read();

    /* With --root the directory may be that of another boot. */
    if (top && strcmp(text_of(top, "boot_id"), collector->boot_id) == 0) {
        load_all(collector, top);
    }
    json_object_put(top);
}
