/* SPDX-License-Identifier: MIT */
/*
 * hypercall/hypfs_op.c - HYPERVISOR_hypfs_op(cmd, path, len, buffer, size),
 * control domain only: a small tree of facts and settings, for xenhypfs.
 *
 *   get_version 0, read 1, write_contents 2
 *
 * Return:  the version; 0; -EFAULT; -EINVAL malformed path, size or content;
 *          -ENOENT no such entry; -ENOBUFS the content does not fit, its
 *          description was written; -EACCES a directory or a fact is not
 *          written; -EDOM a number of another size; -ENOSPC too long; -ENOMEM;
 *          -EOPNOTSUPP no such cmd
 */
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "lib/xen_abi.h"
#include "log/printk.h"
#include "mm/heap.h"
#include "domain/sched.h"
#include "hypercall/call.h"
#include "hypercall/xen_version.h"

STATIC_ASSERT(sizeof(struct xen_hypfs_direntry) == 12, "hypfs direntry");

/* Of one entry; a directory's list of entries is the longest. */
#define CONTENT_MAX 1024U
#define LEVELS_MAX  32U

enum setting {
    SET_NOTHING,
    SET_LOGLVL,
    SET_GUEST_LOGLVL,
    SET_RATELIMIT,
};

/* Directories before what is in them; a fact has a text or a number. */
static const struct entry {
    const char *path;
    uint8_t type; /* XEN_HYPFS_TYPE_* */
    enum setting setting;
    enum xen_version_fact fact; /* of a STRING that is no setting */
    uint32_t number;            /* of a UINT that is none         */
    uint32_t write_max;
} entries[] = {
#define DIR(p)     {.path = (p), .type = XEN_HYPFS_TYPE_DIR}
#define TEXT(p, f) {.path = (p), .type = XEN_HYPFS_TYPE_STRING, .fact = (f)}
#define UINT(p, n) {.path = (p), .type = XEN_HYPFS_TYPE_UINT, .number = (n)}
#define SETTING(p, t, s, max)                                                  \
    {.path = (p), .type = (t), .setting = (s), .write_max = (max)}
    DIR(""),
    DIR("/buildinfo"),
    TEXT("/buildinfo/build_id", FACT_BUILD_ID),
    TEXT("/buildinfo/changeset", FACT_CHANGESET),
    DIR("/buildinfo/compileinfo"),
    TEXT("/buildinfo/compileinfo/compiler", FACT_COMPILER),
    DIR("/buildinfo/version"),
    TEXT("/buildinfo/version/extra", FACT_EXTRA),
    UINT("/buildinfo/version/major", VIGIL_VERSION_MAJOR),
    UINT("/buildinfo/version/minor", VIGIL_VERSION_MINOR),
    DIR("/cpupool"),
    DIR("/cpupool/0"),
    TEXT("/cpupool/0/sched-gran", FACT_GRANULARITY),
    DIR("/params"),
    SETTING("/params/guest_loglvl", XEN_HYPFS_TYPE_STRING, SET_GUEST_LOGLVL,
            LEVELS_MAX),
    SETTING("/params/loglvl", XEN_HYPFS_TYPE_STRING, SET_LOGLVL, LEVELS_MAX),
    SETTING("/params/sched_ratelimit_us", XEN_HYPFS_TYPE_UINT, SET_RATELIMIT,
            sizeof(uint32_t)),
};

/* The name of an entry in the directory @dir, or NULL: not right in it. */
static const char *name_in(const struct entry *e, const struct entry *dir)
{
    size_t len = strlen(dir->path);

    if (strncmp(e->path, dir->path, len) != 0 || e->path[len] != '/' ||
        strchr(e->path + len + 1, '/') != NULL) {
        return NULL;
    }
    return e->path + len + 1;
}

static size_t content_of(const struct entry *e, char *buf);

static struct xen_hypfs_direntry describe(const struct entry *e, size_t bytes)
{
    return (struct xen_hypfs_direntry){.type = e->type,
                                       .encoding = XEN_HYPFS_ENC_PLAIN,
                                       .content_len = (uint32_t)bytes,
                                       .max_write_len = e->write_max};
}

/* What is in a directory; returns bytes.  @buf, @spare: CONTENT_MAX bytes each. */
static size_t list(const struct entry *dir, char *buf, char *spare)
{
    struct xen_hypfs_dirlistentry *last = NULL;
    size_t at = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++) {
        const char *name = name_in(&entries[i], dir);
        struct xen_hypfs_dirlistentry *l;
        size_t bytes, content;

        if (name == NULL) {
            continue;
        }
        bytes = ALIGN_UP(offsetof(struct xen_hypfs_dirlistentry, name) +
                             strlen(name) + 1,
                         sizeof(uint32_t));
        BUG_ON(bytes > CONTENT_MAX - at); /* the table is ours */
        /* Of a directory in it nobody looks at the length. */
        content = entries[i].type == XEN_HYPFS_TYPE_DIR
                      ? 0
                      : content_of(&entries[i], spare);
        l = (void *)(buf + at);
        memset(l, 0, bytes);
        l->e = describe(&entries[i], content);
        (void)strlcpy(l->name, name, strlen(name) + 1);
        if (last != NULL) {
            last->off_next = (uint16_t)((char *)l - (char *)last);
        }
        last = l;
        at += bytes;
    }
    return at;
}

static size_t number_out(char *buf, uint32_t number)
{
    memcpy(buf, &number, sizeof(number));
    return sizeof(number);
}

/* The content of a leaf; @buf: CONTENT_MAX bytes.  Texts with their NUL. */
static size_t content_of(const struct entry *e, char *buf)
{
    switch (e->setting) {
    case SET_LOGLVL:
    case SET_GUEST_LOGLVL:
        log_get_levels(e->setting == SET_GUEST_LOGLVL, buf, CONTENT_MAX);
        return strlen(buf) + 1;
    case SET_RATELIMIT:
        return number_out(buf, sched_ratelimit_us());
    case SET_NOTHING:
        break;
    }
    if (e->type == XEN_HYPFS_TYPE_UINT) {
        return number_out(buf, e->number);
    }
    xen_version_fact(e->fact, buf, CONTENT_MAX);
    return strlen(buf) + 1;
}

/* The entry a path of the caller's names. */
static int find(uint64_t va, uint64_t len, const struct entry **ret_entry)
{
    char *path;
    int rc = -ENOENT;

    if (len < 2 || len > XEN_HYPFS_MAX_PATHLEN) {
        return -EINVAL;
    }
    path = heap_alloc(len);
    if (path == NULL) {
        return -ENOMEM;
    }
    if (copy_from_guest(path, va, len) != 0) {
        rc = -EFAULT;
        goto out_free;
    }
    if (path[0] != '/' || strnlen(path, len) != len - 1) {
        rc = -EINVAL;
        goto out_free;
    }
    if (len == 2) {
        path[0] = '\0'; /* the root */
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++) {
        if (strcmp(path, entries[i].path) == 0) {
            *ret_entry = &entries[i];
            rc = 0;
        }
    }
out_free:
    heap_free(path);
    return rc;
}

static int64_t give(const struct entry *e, uint64_t va, uint64_t size)
{
    struct xen_hypfs_direntry d;
    int64_t rc = 0;
    size_t bytes;
    char *content;

    if (size < sizeof(d)) {
        return -EINVAL;
    }
    content = heap_alloc(2 * CONTENT_MAX);
    if (content == NULL) {
        return -ENOMEM;
    }
    bytes = e->type == XEN_HYPFS_TYPE_DIR
                ? list(e, content, content + CONTENT_MAX)
                : content_of(e, content);
    d = describe(e, bytes);
    if (copy_to_guest(va, &d, sizeof(d)) != 0) {
        rc = -EFAULT;
    } else if (size - sizeof(d) < bytes) {
        rc = -ENOBUFS;
    } else if (copy_to_guest(va + sizeof(d), content, bytes) != 0) {
        rc = -EFAULT;
    }
    heap_free(content);
    return rc;
}

static int64_t take_number(const struct entry *e, uint64_t va)
{
    uint32_t number;

    if (copy_from_guest(&number, va, sizeof(number)) != 0) {
        return -EFAULT;
    }
    return e->setting == SET_RATELIMIT ? sched_set_ratelimit(number) : -EACCES;
}

static int64_t take_text(const struct entry *e, uint64_t va, size_t size)
{
    char text[LEVELS_MAX];

    if (copy_from_guest(text, va, size) != 0) {
        return -EFAULT;
    }
    if (strnlen(text, size) != size - 1) {
        return -EINVAL;
    }
    return log_set_levels(e->setting == SET_GUEST_LOGLVL, text);
}

static int64_t take(const struct entry *e, uint64_t va, uint64_t size)
{
    int64_t rc;

    if (e->setting == SET_NOTHING) {
        return -EACCES;
    }
    if (size > e->write_max) {
        return -ENOSPC;
    }
    if (e->type == XEN_HYPFS_TYPE_UINT) {
        rc = size == sizeof(uint32_t) ? take_number(e, va) : -EDOM;
    } else {
        rc = size == 0 ? -EINVAL : take_text(e, va, size);
    }
    if (rc == 0) {
        pr_notice("hypfs: d%u has written %s", current->domain->domid, e->path);
    }
    return rc;
}

int64_t do_hypfs_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5)
{
    const struct entry *e = NULL;
    int rc;

    switch ((uint32_t)a1) {
    case XEN_HYPFS_OP_get_version:
        return (a2 | a3 | a4 | a5) == 0 ? XEN_HYPFS_VERSION : -EINVAL;
    case XEN_HYPFS_OP_read:
    case XEN_HYPFS_OP_write_contents:
        rc = find(a2, a3, &e);
        if (rc != 0) {
            return rc;
        }
        return (uint32_t)a1 == XEN_HYPFS_OP_read ? give(e, a4, a5)
                                                 : take(e, a4, a5);
    default:
        return -EOPNOTSUPP;
    }
}
