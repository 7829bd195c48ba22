/* SPDX-License-Identifier: MIT */
/*
 * lib/feed.h - the feed of events: one JSON object on each line.
 *
 * vigild writes /var/log/vigil/events.ndjson; `vigil events` and whoever else
 * likes read it.  Names are those of the OpenTelemetry log model.  Each event
 * about a guest carries the guest's number and UUID, for the number alone is
 * given again to others.  A file that has grown large becomes events.ndjson.1
 * by a rename, and the one before that is forgotten.
 */
#ifndef VIGIL_TOOLS_FEED_H
#define VIGIL_TOOLS_FEED_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "lib/fault.h"

#define FEED_BYTES_MAX (4L * 1024 * 1024)
#define FEED_LINE_MAX  (256UL * 1024)

/* How bad: of the OpenTelemetry log model. */
enum feed_severity {
    FEED_INFO = 9,
    FEED_WARN = 13,
    FEED_FATAL = 21,
};

/* An event that was read.  Texts point into @json, "" where it is silent. */
struct feed_event {
    struct json_object *json; /* to be released by feed_event_free() */
    const char *time;
    const char *event; /* created, crashed ...                      */
    const char *body;
    const char *name; /* of the guest                              */
    const char *uuid;
    int64_t domid; /* -1: not about a guest                     */
    uint64_t time_ns;
};

/* A file that others append to, and may rename. */
struct feed_reader {
    int fd; /* -1: not open                                     */
    char *text;
    size_t len;      /* bytes at @text that are no whole line yet        */
    int is_skipping; /* in a line that is too long                       */
    size_t damaged;  /* lines that are no event                          */
};

/**
 * feed_event_new() - the beginning of an event
 * @event:    its kind, a word
 * @severity: how bad
 * @body:     what happened, a sentence
 * @host:     name of this machine
 * @boot_id:  of this boot
 *
 * Context: any.
 * Return:  object with the member "attributes"; released by the caller
 */
struct json_object *feed_event_new(const char *event,
                                   enum feed_severity severity,
                                   const char *body, const char *host,
                                   const char *boot_id);

/**
 * feed_event_attribute() - say more about an event
 * @event: from feed_event_new()
 * @key:   name of the attribute
 * @value: consumed; NULL: nothing is added
 *
 * Context: any.
 */
void feed_event_attribute(struct json_object *event, const char *key,
                          struct json_object *value);

/**
 * feed_append() - write an event to the end of the feed
 * @event: not consumed
 * @fault: says why on failure
 *
 * Context: one process only, the collector.
 * Return:  0, or -1
 */
int feed_append(struct json_object *event, struct fault *fault);

/**
 * feed_open() - read a file of the feed from its beginning
 * @reader: filled in; released by feed_close()
 * @path:   file; a symbolic link is refused
 *
 * Context: any.
 * Return:  0, or -1 with errno
 */
int feed_open(struct feed_reader *reader, const char *path);

/**
 * feed_next() - the next whole event
 * @reader:    open
 * @ret_event: filled in on success
 *
 * Context: any.
 * Return:  1 with an event; 0: no more now, others may append; -1 with errno
 */
int feed_next(struct feed_reader *reader, struct feed_event *ret_event);

/**
 * feed_event_free() - release an event that was read
 * @event: from feed_next()
 *
 * Context: any.
 */
void feed_event_free(struct feed_event *event);

/**
 * feed_close() - release a reader
 * @reader: as opened, or closed already
 *
 * Context: any.
 */
void feed_close(struct feed_reader *reader);

#endif
