/* SPDX-License-Identifier: MIT */
/* lib/guestnote.c - what is left for the collector about a guest. */
#include "lib/guestnote.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "lib/consolelog.h"
#include "lib/guestcfg.h"
#include "lib/outfile.h"
#include "lib/place.h"

#define NOTE_BYTES_MAX (1024 * 1024)

static void add_text(struct json_object *object, const char *key,
                     const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *note_json(const libxl_domain_config *config,
                                     const char *uuid, uint32_t domid)
{
    struct json_object *note = json_object_new_object();
    const struct {
        const char *key;
        libxl_action_on_shutdown action;
    } actions[] = {
        {"on_poweroff", config->on_poweroff},
        {"on_reboot", config->on_reboot},
        {"on_crash", config->on_crash},
        {"on_watchdog", config->on_watchdog},
    };

    add_text(note, "schema", "vigil.guestnote/1");
    add_text(note, "uuid", uuid);
    add_text(note, "name", config->c_info.name);
    json_object_object_add(note, "domid", json_object_new_int((int32_t)domid));
    json_object_object_add(
        note, "console_start",
        json_object_new_int64(console_log_bytes(config->c_info.name)));
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        add_text(note, actions[i].key,
                 guest_action_name(guestcfg_action(actions[i].action)));
    }
    return note;
}

static int write_both(int dirfd, libxl_ctx *ctx, libxl_domain_config *config,
                      const char *uuid, uint32_t domid, struct fault *fault)
{
    struct json_object *note = note_json(config, uuid, domid);
    char *text = libxl_domain_config_to_json(ctx, config);
    char *file = xasprintf("%s.cfg", uuid);
    int ret;

    if (text) {
        ret = outfile_replace(&file_ops_system, dirfd, file, text, strlen(text),
                              fault);
    } else {
        ret = fault_set(fault, EXIT_FAILED,
                        "libxl cannot write down the configuration of %s",
                        config->c_info.name);
    }
    free(file);
    free(text);
    if (ret == 0) {
        file = xasprintf("%s.json", uuid);
        text = xasprintf("%s\n", json_object_to_json_string_ext(
                                     note, JSON_C_TO_STRING_PRETTY));
        ret = outfile_replace(&file_ops_system, dirfd, file, text, strlen(text),
                              fault);
        free(file);
        free(text);
    }
    json_object_put(note);
    return ret;
}

int guestnote_write(libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
                    struct fault *fault)
{
    char *dir = place(PLACE_GUESTS);
    char uuid[UUID_CHARS + 1];
    int dirfd = -1;
    int ret = -1;

    guestcfg_uuid(config, uuid);
    if (outfile_make_dirs(dir, 0750, fault)) {
        goto out_free;
    }
    dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        fault_errno(fault, errno, "cannot open %s", dir);
        goto out_free;
    }
    ret = write_both(dirfd, ctx, config, uuid, domid, fault);
    if (ret) {
        guestnote_remove(uuid);
    }
    close(dirfd);
out_free:
    free(dir);
    return ret;
}

void guestnote_remove(const char *uuid)
{
    static const char *const ends[] = {"json", "cfg"};

    for (size_t i = 0; i < 2; i++) {
        char *dir = place(PLACE_GUESTS);
        char *path = xasprintf("%s/%s.%s", dir, uuid, ends[i]);

        unlink(path);
        free(path);
        free(dir);
    }
}

char *guestnote_config(const char *uuid, size_t *ret_len)
{
    char *dir = place(PLACE_GUESTS);
    char *path = xasprintf("%s/%s.cfg", dir, uuid);
    char *text = NULL;

    if (infile_read(AT_FDCWD, path, NOTE_BYTES_MAX, &text, ret_len)) {
        text = NULL;
    }
    free(path);
    free(dir);
    return text;
}

static enum guest_action action_of(struct json_object *note, const char *key,
                                   enum guest_action fallback)
{
    enum guest_action action = fallback;
    struct json_object *value;

    if (json_object_object_get_ex(note, key, &value) &&
        json_object_is_type(value, json_type_string)) {
        guest_action_parse(json_object_get_string(value), &action);
    }
    return action;
}

static int note_read(int dirfd, const char *file, struct guest_note *ret_note)
{
    struct json_object *note;
    struct json_object *name;
    struct json_object *domid;
    struct json_object *start;
    uint8_t uuid[16];
    char *text;
    size_t len;

    if (strlen(file) != UUID_CHARS + strlen(".json") ||
        strcmp(file + UUID_CHARS, ".json") ||
        infile_read(dirfd, file, NOTE_BYTES_MAX, &text, &len)) {
        return -1;
    }
    note = json_tokener_parse(text);
    free(text);
    memset(ret_note, 0, sizeof(*ret_note));
    memcpy(ret_note->uuid, file, UUID_CHARS);
    if (uuid_parse(ret_note->uuid, uuid) ||
        !json_object_is_type(note, json_type_object) ||
        !json_object_object_get_ex(note, "name", &name) ||
        !json_object_is_type(name, json_type_string) ||
        !json_object_object_get_ex(note, "domid", &domid)) {
        json_object_put(note);
        return -1;
    }
    ret_note->name = xstrdup(json_object_get_string(name));
    ret_note->domid = (uint32_t)json_object_get_int(domid);
    ret_note->console_start = CONSOLE_START_UNKNOWN;
    if (json_object_object_get_ex(note, "console_start", &start) &&
        json_object_is_type(start, json_type_int)) {
        ret_note->console_start = json_object_get_int64(start);
    }
    ret_note->on_poweroff = action_of(note, "on_poweroff", ACTION_DESTROY);
    ret_note->on_reboot = action_of(note, "on_reboot", ACTION_RESTART);
    ret_note->on_crash = action_of(note, "on_crash", ACTION_DESTROY);
    ret_note->on_watchdog = action_of(note, "on_watchdog", ACTION_DESTROY);
    json_object_put(note);
    return 0;
}

int64_t guestnote_console_start(const char *uuid, uint32_t domid)
{
    int64_t start = CONSOLE_START_UNKNOWN;
    char *path = place(PLACE_GUESTS);
    char *file = xasprintf("%s.json", uuid);
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct guest_note note;

    if (dirfd >= 0 && note_read(dirfd, file, &note) == 0) {
        start = note.domid == domid ? note.console_start : start;
        free(note.name);
    }
    if (dirfd >= 0) {
        close(dirfd);
    }
    free(file);
    free(path);
    return start;
}

void guestnote_list(struct guest_note_list *ret_list)
{
    char *path = place(PLACE_GUESTS);
    DIR *dir = opendir(path);
    struct dirent *item;

    memset(ret_list, 0, sizeof(*ret_list));
    free(path);
    if (!dir) {
        return;
    }
    while ((item = readdir(dir)) != NULL) {
        struct guest_note note;

        if (note_read(dirfd(dir), item->d_name, &note) == 0) {
            ret_list->notes =
                xrealloc(ret_list->notes,
                         (ret_list->count + 1) * sizeof(struct guest_note));
            ret_list->notes[ret_list->count++] = note;
        }
    }
    closedir(dir);
}

void guestnote_list_free(struct guest_note_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->notes[i].name);
    }
    free(list->notes);
    memset(list, 0, sizeof(*list));
}
