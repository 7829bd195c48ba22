/* SPDX-License-Identifier: MIT */
/* vigild/meta.c - what every record says, and the feed of events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/feed.h"
#include "lib/table.h"
#include "vigild/collector.h"

struct json_object *meta_new(struct collector *collector,
                             const struct store_entry *entry, uint64_t time_ns,
                             const char *kind)
{
    struct json_object *meta = json_object_new_object();
    struct json_object *host = json_object_new_object();
    struct json_object *hypervisor = json_object_new_object();
    struct json_object *capture = json_object_new_object();
    char stamp[40];

    moment_rfc3339(stamp, sizeof(stamp), time_ns);
    json_add_text(meta, "schema", "vigil.crash/1");
    json_add_text(meta, "id", entry->id);
    json_add_text(meta, "time", stamp);
    json_add_text(meta, "kind", kind);
    json_add_text(host, "name", collector->host);
    json_add_text(host, "boot_id", collector->boot_id);
    json_add_text(hypervisor, "version", collector->build);
    json_object_object_add(host, "hypervisor", hypervisor);
    json_object_object_add(meta, "host", host);
    moment_rfc3339(stamp, sizeof(stamp), moment_now());
    json_add_text(capture, "started", stamp);
    json_add_text(capture, "state", "complete");
    json_object_object_add(meta, "capture", capture);
    return meta;
}

/* FNV-1a over a text whose numbers are left out: addresses differ. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    int in_number = 0;

    for (; *text; text++) {
        char c = *text;
        int digit = c >= '0' && c <= '9';
        int hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == 'x';

        if (digit || (in_number && hex)) {
            in_number = 1;
            continue;
        }
        in_number = 0;
        hash = (hash ^ (unsigned char)c) * 0x100000001b3ULL;
    }
    return (hash ^ 0xff) * 0x100000001b3ULL;
}

static int count_same(struct collector *collector, const char *signature)
{
    struct crash_list list;
    struct fault ignored;
    int count = 0;

    if (store_read(collector->store.path, &list, &ignored)) {
        return 0;
    }
    for (size_t i = 0; i < list.count; i++) {
        count += strcmp(list.crashes[i].signature, signature) == 0;
    }
    crash_list_free(&list);
    return count;
}

void meta_reason(struct collector *collector, struct json_object *meta,
                 const char *where, const char *class, const char *text,
                 const char *by)
{
    struct json_object *reason = json_object_new_object();
    struct json_object *signature = json_object_new_object();
    struct json_object *basis = json_object_new_array();
    uint64_t hash = 0xcbf29ce484222325ULL;
    char id[24];

    hash = hash_text(hash, where);
    hash = hash_text(hash, class);
    hash = hash_text(hash, text);
    snprintf(id, sizeof(id), "s:%016llx", (unsigned long long)hash);

    json_add_text(reason, "class", class);
    json_add_text(reason, "text", text);
    json_add_text(reason, "by", by);
    json_object_object_add(meta, "reason", reason);
    json_add_text(signature, "id", id);
    json_add_text(signature, "algo", "text/1");
    json_object_array_add(basis, json_object_new_string("where"));
    json_object_array_add(basis, json_object_new_string("class"));
    json_object_array_add(basis, json_object_new_string("text, no numbers"));
    json_object_object_add(signature, "basis", basis);
    json_object_object_add(meta, "signature", signature);
    json_add_number(meta, "occurrence",
                    (uint64_t)count_same(collector, id) + 1);
}

/* What kind of event a crash is. */
static const char *event_of(struct json_object *meta)
{
    struct json_object *kind = json_object_object_get(meta, "kind");
    struct json_object *reason = json_object_object_get(meta, "reason");
    const char *text = kind ? json_object_get_string(kind) : "";
    struct json_object *by = NULL;

    if (strcmp(text, "guest")) {
        return strcmp(text, "dom0") ? "host-crashed" : "dom0-crashed";
    }
    return reason && json_object_object_get_ex(reason, "by", &by) &&
                   strcmp(json_object_get_string(by), "hypervisor") == 0
               ? "killed"
               : "crashed";
}

void event_log(struct collector *collector, struct json_object *meta,
               const char *text)
{
    struct json_object *event =
        feed_event_new(event_of(meta), FEED_FATAL, text, collector->host,
                       collector->boot_id);
    static const char *const fields[] = {"id",     "kind",   "time",
                                         "guest",  "reason", "occurrence"};
    struct fault fault;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char *key = xasprintf("vigil.%s", fields[i]);

        feed_event_attribute(
            event, key,
            json_object_get(json_object_object_get(meta, fields[i])));
        free(key);
    }
    say("%s", text);
    /* The record is on disk already: a feed that cannot be fed is told. */
    if (feed_append(event, &fault)) {
        say_fault(&fault);
    }
    json_object_put(event);
}
