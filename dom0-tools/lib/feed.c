/* SPDX-License-Identifier: MIT */
/* lib/feed.c - the feed of events: one JSON object on each line. */
#include "lib/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/moment.h"
#include "lib/outfile.h"
#include "lib/place.h"
#include "lib/table.h"

#define FEED_SCHEMA "vigil.event/1"
#define READ_CHUNK  16384U

static const char *severity_text(enum feed_severity severity)
{
    switch (severity) {
    case FEED_INFO:
        return "INFO";
    case FEED_WARN:
        return "WARN";
    case FEED_FATAL:
        break;
    }
    return "FATAL";
}

struct json_object *feed_event_new(const char *event,
                                   enum feed_severity severity,
                                   const char *body, const char *host,
                                   const char *boot_id)
{
    struct json_object *object = json_object_new_object();
    struct json_object *resource = json_object_new_object();
    char stamp[40];

    moment_rfc3339(stamp, sizeof(stamp), moment_now());
    json_add_text(object, "schema", FEED_SCHEMA);
    json_add_text(object, "timestamp", stamp);
    json_add_number(object, "severity_number", severity);
    json_add_text(object, "severity_text", severity_text(severity));
    json_add_text(object, "body", body);
    json_object_object_add(object, "attributes", json_object_new_object());
    feed_event_attribute(object, "vigil.event", json_object_new_string(event));
    json_add_text(resource, "host.name", host);
    json_add_text(resource, "host.boot_id", boot_id);
    json_object_object_add(object, "resource", resource);
    return object;
}

void feed_event_attribute(struct json_object *event, const char *key,
                          struct json_object *value)
{
    struct json_object *attributes;

    if (value && json_object_object_get_ex(event, "attributes", &attributes)) {
        json_object_object_add(attributes, key, value);
    }
}

/* A large file steps aside; failing that, it grows on. */
static void rotate(const char *path)
{
    struct stat about;
    char *old;

    if (stat(path, &about) || about.st_size < FEED_BYTES_MAX) {
        return;
    }
    old = xasprintf("%s.1", path);
    if (rename(path, old)) {
        say("warning: %s cannot be renamed: %s", path, strerror(errno));
    }
    free(old);
}

int feed_append(struct json_object *event, struct fault *fault)
{
    char *dir = place(PLACE_LOGS);
    char *path = place(PLACE_EVENTS);
    char *line =
        xasprintf("%s\n", json_object_to_json_string_ext(
                              event, JSON_C_TO_STRING_NOSLASHESCAPE));
    int ret = outfile_make_dirs(dir, 0750, fault);

    if (ret == 0) {
        rotate(path);
        ret = outfile_append(path, line, strlen(line), fault);
    }
    free(line);
    free(path);
    free(dir);
    return ret;
}

int feed_open(struct feed_reader *reader, const char *path)
{
    struct stat about;

    memset(reader, 0, sizeof(*reader));
    reader->fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (reader->fd < 0) {
        return -1;
    }
    if (fstat(reader->fd, &about) || !S_ISREG(about.st_mode)) {
        close(reader->fd);
        reader->fd = -1;
        errno = EINVAL;
        return -1;
    }
    reader->text = xmalloc(FEED_LINE_MAX);
    return 0;
}

void feed_close(struct feed_reader *reader)
{
    if (reader->fd >= 0) {
        close(reader->fd);
        free(reader->text);
    }
    reader->fd = -1;
    reader->text = NULL;
}

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return object && json_object_object_get_ex(object, key, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : "";
}

/* Take an event apart; -1 if it is none.  Anybody may have written the file. */
static int event_parse(const char *line, struct feed_event *event)
{
    struct json_object *attributes = NULL;
    struct json_object *guest = NULL;
    struct json_object *domid;

    memset(event, 0, sizeof(*event));
    event->json = json_tokener_parse(line);
    if (!json_object_is_type(event->json, json_type_object)) {
        json_object_put(event->json);
        return -1;
    }
    if (!json_object_object_get_ex(event->json, "attributes", &attributes) ||
        !json_object_is_type(attributes, json_type_object)) {
        attributes = NULL;
    }
    if (!attributes ||
        !json_object_object_get_ex(attributes, "vigil.guest", &guest) ||
        !json_object_is_type(guest, json_type_object)) {
        guest = NULL;
    }
    event->time = text_of(event->json, "timestamp");
    event->body = text_of(event->json, "body");
    event->event = text_of(attributes, "vigil.event");
    event->name = text_of(guest, "name");
    event->uuid = text_of(guest, "uuid");
    event->domid = -1;
    if (guest && json_object_object_get_ex(guest, "domid", &domid) &&
        json_object_is_type(domid, json_type_int)) {
        event->domid = json_object_get_int64(domid);
    }
    if (moment_parse(event->time, 0, &event->time_ns)) {
        json_object_put(event->json);
        return -1;
    }
    return 0;
}

void feed_event_free(struct feed_event *event)
{
    json_object_put(event->json);
    event->json = NULL;
}

/* Take the first line off what was read; NULL: there is no whole one. */
static char *take_line(struct feed_reader *reader)
{
    char *end = memchr(reader->text, '\n', reader->len);
    size_t len;
    char *line;

    if (!end) {
        return NULL;
    }
    len = (size_t)(end - reader->text);
    line = xmalloc(len + 1);
    memcpy(line, reader->text, len);
    reader->len -= len + 1;
    memmove(reader->text, end + 1, reader->len);
    return line;
}

/* 1: something was read. */
static int read_more(struct feed_reader *reader)
{
    size_t room = FEED_LINE_MAX - reader->len;
    ssize_t got;

    if (room == 0) {
        /* No line of ours is so long: its rest goes, too. */
        reader->is_skipping = 1;
        reader->len = 0;
        room = FEED_LINE_MAX;
    }
    do {
        got = read(reader->fd, reader->text + reader->len,
                   room < READ_CHUNK ? room : READ_CHUNK);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        reader->len += (size_t)got;
    }
    return got < 0 ? -1 : got > 0;
}

int feed_next(struct feed_reader *reader, struct feed_event *ret_event)
{
    for (;;) {
        char *line = take_line(reader);
        int ret;

        if (line) {
            ret = reader->is_skipping ? -1 : event_parse(line, ret_event);
            reader->is_skipping = 0;
            free(line);
            if (ret == 0) {
                return 1;
            }
            reader->damaged++;
            continue;
        }
        ret = read_more(reader);
        if (ret <= 0) {
            return ret;
        }
    }
}
