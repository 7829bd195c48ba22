/* SPDX-License-Identifier: MIT */
/* lib/store.c - the crash store: writing one directory for each crash. */
#include "lib/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/escape.h"

#define PARTIAL_PREFIX  ".partial-"
#define NAME_PART_BYTES 65
#define META_BYTES_MAX  (256 * 1024)

int store_open(struct store *store, const char *path,
               const struct file_ops *ops, struct fault *fault)
{
    if (outfile_make_dirs(path, 0750, fault)) {
        return -1;
    }
    store->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->dirfd < 0) {
        return fault_errno(fault, errno, "cannot open the crash store %s",
                           path);
    }
    store->path = xstrdup(path);
    store->ops = ops ? ops : &file_ops_system;
    return 0;
}

void store_close(struct store *store)
{
    close(store->dirfd);
    free(store->path);
    memset(store, 0, sizeof(*store));
}

int store_begin(struct store *store, struct store_entry *entry,
                uint64_t time_ns, const char *kind, const char *where,
                struct fault *fault)
{
    char part[NAME_PART_BYTES];
    uint8_t random[10];
    char stamp[32];

    memset(entry, 0, sizeof(*entry));
    random_bytes(random, sizeof(random));
    ulid_make(entry->id, time_ns, random);
    moment_compact(stamp, sizeof(stamp), time_ns);
    escape_file_name(part, sizeof(part), where);
    entry->store = store;
    entry->partial = xasprintf(PARTIAL_PREFIX "%s", entry->id);
    entry->name = xasprintf("%s-%s-%s-%s", stamp, kind, part, entry->id);

    if (mkdirat(store->dirfd, entry->partial, 0750)) {
        fault_errno(fault, errno, "cannot begin an entry in %s", store->path);
        goto out_free;
    }
    entry->dirfd = openat(store->dirfd, entry->partial,
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (entry->dirfd < 0) {
        fault_errno(fault, errno, "cannot open %s/%s", store->path,
                    entry->partial);
        goto out_rmdir;
    }
    return 0;

out_rmdir:
    unlinkat(store->dirfd, entry->partial, AT_REMOVEDIR);
out_free:
    free(entry->partial);
    free(entry->name);
    return -1;
}

static void entry_release(struct store_entry *entry)
{
    if (entry->dirfd >= 0) {
        close(entry->dirfd);
    }
    free(entry->partial);
    free(entry->name);
    memset(entry, 0, sizeof(*entry));
    entry->dirfd = -1;
}

int store_file(struct store_entry *entry, const char *name, const void *data,
               size_t bytes, struct fault *fault)
{
    return outfile_create(entry->store->ops, entry->dirfd, name, data, bytes,
                          fault);
}

FILE *store_text_begin(struct store_text *text)
{
    text->out = open_memstream(&text->text, &text->len);
    if (!text->out) {
        out_of_memory();
    }
    return text->out;
}

int store_text_end(struct store_text *text, struct store_entry *entry,
                   const char *name, struct fault *fault)
{
    int ret;

    fclose(text->out);
    ret = store_file(entry, name, text->text, text->len, fault);
    free(text->text);
    return ret;
}

int store_json(struct store_entry *entry, const char *name,
               struct json_object *json, struct fault *fault)
{
    const char *text = json_object_to_json_string_ext(
        json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
    char *line = xasprintf("%s\n", text);
    int ret = store_file(entry, name, line, strlen(line), fault);

    free(line);
    return ret;
}

/* Give an entry, whose meta.json is on disk, its name; @entry stays valid. */
static int publish(struct store_entry *entry, struct fault *fault)
{
    const struct file_ops *ops = entry->store->ops;
    int parent = entry->store->dirfd;

    /* meta.json says the same now; a leftover would only confuse. */
    if (unlinkat(entry->dirfd, STORE_BEGUN, 0) && errno != ENOENT) {
        return fault_errno(fault, errno, "cannot remove %s", STORE_BEGUN);
    }
    if (ops->fsync(entry->dirfd)) {
        return fault_errno(fault, errno, "cannot sync %s", entry->partial);
    }
    if (ops->renameat(parent, entry->partial, parent, entry->name)) {
        return fault_errno(fault, errno, "cannot rename %s to %s",
                           entry->partial, entry->name);
    }
    /*
     * The entry is visible.  If this sync fails, the rename may be undone by
     * a power cut: that is said, but the entry stays.
     */
    if (ops->fsync(parent)) {
        fault_errno(fault, errno,
                    "entry %s is written, but the directory "
                    "cannot be synced",
                    entry->name);
        say_fault(fault);
    }
    return 0;
}

int store_commit(struct store_entry *entry, struct json_object *meta,
                 struct fault *fault)
{
    if (store_json(entry, STORE_META, meta, fault) || publish(entry, fault)) {
        store_abandon(entry);
        return -1;
    }
    entry_release(entry);
    return 0;
}

void store_abandon(struct store_entry *entry)
{
    outfile_remove_tree(entry->store->dirfd, entry->partial);
    entry_release(entry);
}

/* The boot that began a leftover entry; "" if it does not say. */
static const char *meta_boot_id(struct json_object *meta)
{
    struct json_object *host;
    struct json_object *boot;

    if (json_object_object_get_ex(meta, "host", &host) &&
        json_object_object_get_ex(host, "boot_id", &boot) &&
        json_object_is_type(boot, json_type_string)) {
        return json_object_get_string(boot);
    }
    return "";
}

/* The object in @file of a leftover entry, NULL if there is no whole one. */
static struct json_object *leftover_meta(int dirfd, const char *file)
{
    struct json_object *meta;
    char *text;
    size_t len;

    if (dirfd < 0 || infile_read(dirfd, file, META_BYTES_MAX, &text, &len)) {
        return NULL;
    }
    meta = json_tokener_parse(text);
    free(text);
    if (!json_object_is_type(meta, json_type_object)) {
        json_object_put(meta);
        return NULL;
    }
    return meta;
}

/* Complete what was cut short: what it began with is all that is known. */
static int mark_truncated(struct store_entry *entry, struct json_object *meta,
                          struct fault *fault)
{
    struct json_object *capture = json_object_new_object();

    json_object_object_add(capture, "state",
                           json_object_new_string("truncated"));
    json_object_object_add(meta, "capture", capture);
    unlinkat(entry->dirfd, STORE_META, 0); /* torn */
    return store_json(entry, STORE_META, meta, fault);
}

/*
 * Whatever fails here, the leftover stays: it is the only evidence there is,
 * and the next start tries again.
 */
static int salvage_one(struct store *store, const char *name,
                       const char *boot_id, struct fault *fault)
{
    struct store_entry entry = {.store = store, .dirfd = -1};
    struct json_object *meta;
    int whole;
    int ret = 0;

    entry.dirfd = openat(store->dirfd, name,
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (entry.dirfd < 0 && errno != ENOENT && errno != ENOTDIR &&
        errno != ELOOP) {
        return fault_errno(fault, errno, "cannot open %s/%s", store->path,
                           name);
    }
    /* meta.json comes last: with it, only the rename was missing. */
    meta = leftover_meta(entry.dirfd, STORE_META);
    whole = meta != NULL;
    if (!whole) {
        meta = leftover_meta(entry.dirfd, STORE_BEGUN);
    }
    if (!meta || strcmp(meta_boot_id(meta), boot_id) == 0) {
        outfile_remove_tree(store->dirfd, name);
        goto out_release;
    }
    entry.partial = xstrdup(name);
    entry.name = xasprintf("salvaged-%s", name + strlen(PARTIAL_PREFIX));
    ret = (!whole && mark_truncated(&entry, meta, fault)) ||
                  publish(&entry, fault)
              ? -1
              : 1;
out_release:
    json_object_put(meta);
    entry_release(&entry);
    return ret;
}

int store_salvage(struct store *store, const char *boot_id, struct fault *fault)
{
    DIR *dir = opendir(store->path);
    struct dirent *item;
    int salvaged = 0;
    int failed = 0;

    if (!dir) {
        return fault_errno(fault, errno, "cannot read %s", store->path);
    }
    while ((item = readdir(dir)) != NULL) {
        int ret;

        if (strncmp(item->d_name, PARTIAL_PREFIX, strlen(PARTIAL_PREFIX))) {
            continue;
        }
        ret = salvage_one(store, item->d_name, boot_id, fault);
        if (ret < 0) {
            failed = 1;
        } else {
            salvaged += ret;
        }
    }
    closedir(dir);
    return failed ? -1 : salvaged;
}
