/* SPDX-License-Identifier: MIT */
/*
 * lib/store.h - the crash store: one directory for each crash.
 *
 *   <store>/.partial-ID/                        being written, never listed
 *   <store>/20260804T081523Z-guest-web1-ID/     complete
 *       meta.json       written last; its presence means complete
 *       reason.txt ...  one file for each kind of evidence
 *
 * The files are the truth; there is no index that could disagree.  An entry
 * comes into being by one rename, after each file and the directory itself
 * have been synced.
 */
#ifndef VIGIL_TOOLS_STORE_H
#define VIGIL_TOOLS_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

#include "lib/fault.h"
#include "lib/moment.h"
#include "lib/outfile.h"

#define STORE_META  "meta.json"
#define STORE_BEGUN "begun.json" /* the meta data, before it is complete */

struct store {
    int dirfd;
    char *path;
    const struct file_ops *ops;
};

/* An entry that is being written. */
struct store_entry {
    struct store *store;
    int dirfd;
    char id[ULID_CHARS + 1];
    char *partial; /* name while in progress */
    char *name;    /* name when complete     */
};

/* An entry that was read. */
struct crash {
    char *name; /* of its directory                                    */
    char id[ULID_CHARS + 1];
    const char *time; /* these point into @meta, "" where it is silent */
    const char *kind;
    const char *where;
    const char *what;
    const char *signature;
    int occurrence;
    int complete;             /* 0: was cut short and salvaged        */
    struct json_object *meta; /* whole meta.json                      */
};

struct crash_list {
    struct crash *crashes; /* oldest first */
    size_t count;
    size_t damaged; /* directories without a readable meta.json */
};

/**
 * store_open() - open the store, making its directory
 * @store: filled in; release with store_close()
 * @path:  directory of the store
 * @ops:   system calls; NULL: the system's own
 * @fault: says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_open(struct store *store, const char *path,
               const struct file_ops *ops, struct fault *fault);

/**
 * store_close() - release a store
 * @store: as opened
 *
 * Context: any.
 */
void store_close(struct store *store);

/**
 * store_begin() - begin an entry
 * @store:   open store
 * @entry:   filled in; ends by store_commit() or store_abandon()
 * @time_ns: when the crash happened, UTC
 * @kind:    "guest", "host", "dom0"
 * @where:   name of the guest or of the host, may be anything
 * @fault:   says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_begin(struct store *store, struct store_entry *entry,
                uint64_t time_ns, const char *kind, const char *where,
                struct fault *fault);

/**
 * store_file() - add a file to an entry and sync it
 * @entry: begun entry
 * @name:  name of the file
 * @data:  contents
 * @bytes: size of @data
 * @fault: says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_file(struct store_entry *entry, const char *name, const void *data,
               size_t bytes, struct fault *fault);

/* A file that is written to bit by bit, before it is added. */
struct store_text {
    FILE *out;
    char *text;
    size_t len;
};

/**
 * store_text_begin() - begin a file of text
 * @text: to be filled in; ends with store_text_end()
 *
 * Context: any.
 * Return:  where to write
 */
FILE *store_text_begin(struct store_text *text);

/**
 * store_text_end() - store_file() of what was written
 * @text:  begun
 * @entry: begun entry
 * @name:  name of the file
 * @fault: says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_text_end(struct store_text *text, struct store_entry *entry,
                   const char *name, struct fault *fault);

/**
 * store_json() - add a JSON file to an entry and sync it
 * @entry: begun entry
 * @name:  name of the file
 * @json:  contents; not consumed
 * @fault: says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_json(struct store_entry *entry, const char *name,
               struct json_object *json, struct fault *fault);

/**
 * store_commit() - complete an entry: it becomes visible now
 * @entry: begun entry; released in every case
 * @meta:  contents of meta.json; not consumed
 * @fault: says why on failure; nothing is left then
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_commit(struct store_entry *entry, struct json_object *meta,
                 struct fault *fault);

/**
 * store_abandon() - give an entry up and remove what was written
 * @entry: begun entry; released
 *
 * Context: any.
 */
void store_abandon(struct store_entry *entry);

/**
 * store_salvage() - deal with entries that a stopped collector left behind
 * @store:   open store
 * @boot_id: present boot; what it began will be recorded anew, so such
 *           leftovers are removed; those of earlier boots are completed, with
 *           the mark "truncated" unless only the rename was missing
 * @fault:   says why on failure; what could not be salvaged stays for the
 *           next try
 *
 * Context: start of the collector, before it writes.
 * Return:  number of entries salvaged, or -1
 */
int store_salvage(struct store *store, const char *boot_id,
                  struct fault *fault);

/**
 * store_read() - read all complete entries
 * @path:     directory of the store; a missing one is an empty store
 * @ret_list: filled in on success; release with crash_list_free()
 * @fault:    says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int store_read(const char *path, struct crash_list *ret_list,
               struct fault *fault);

/**
 * crash_list_free() - release what store_read() allocated
 * @list: as filled in
 *
 * Context: any.
 */
void crash_list_free(struct crash_list *list);

/**
 * crash_find() - the entry with an identifier
 * @list:  entries
 * @id:    identifier or the beginning of one, either case
 * @fault: says whether none or more than one matched
 *
 * Context: any.
 * Return:  entry inside @list, or NULL
 */
const struct crash *crash_find(const struct crash_list *list, const char *id,
                               struct fault *fault);

/**
 * crash_short_id() - how many characters tell the entries apart
 * @list: entries
 *
 * Context: any.
 * Return:  5 .. ULID_CHARS
 */
int crash_short_id(const struct crash_list *list);

#endif
