/* SPDX-License-Identifier: MIT */
/* lib/nodes.c - a guest's entries in xenstore. */
#include "lib/nodes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TRANSACTION_TRIES 64
#define CONSOLE_LIMIT     "1048576"

/* A transaction that remembers its first failure. */
struct writer {
    struct xs_handle *xs;
    xs_transaction_t id;
    uint32_t domid;
    int err; /* errno of the first failure, 0 if none */
};

/* Who may do what: the first entry is the owner, and the rest of the world. */
enum node_access {
    NODE_PRIVATE, /* control domain only            */
    NODE_READ,    /* the guest may read             */
    NODE_OWN,     /* the guest may read and write   */
};

static void set_access(struct writer *writer, const char *path,
                       enum node_access access)
{
    struct xs_permissions perms[2] = {
        {.id = access == NODE_OWN ? writer->domid : 0, .perms = XS_PERM_NONE},
        {.id = writer->domid, .perms = XS_PERM_READ},
    };

    if (!writer->err && !xs_set_permissions(writer->xs, writer->id, path, perms,
                                            access == NODE_READ ? 2 : 1)) {
        writer->err = errno;
    }
}

__attribute__((format(printf, 3, 4))) static void
put(struct writer *writer, const char *path, const char *fmt, ...)
{
    va_list args;
    char *value = NULL;

    va_start(args, fmt);
    if (vasprintf(&value, fmt, args) < 0) {
        out_of_memory();
    }
    va_end(args);
    if (!writer->err && !xs_write(writer->xs, writer->id, path, value,
                                  (unsigned int)strlen(value))) {
        writer->err = errno;
    }
    free(value);
}

/* Write @value at @dir/@leaf; it takes the access rights of @dir. */
static void put_leaf(struct writer *writer, const char *dir, const char *leaf,
                     const char *value)
{
    char *path = xasprintf("%s/%s", dir, leaf);

    put(writer, path, "%s", value);
    free(path);
}

/* A domain that once had this number may have left something behind. */
static void forget(struct writer *writer, const char *path)
{
    if (!writer->err && !xs_rm(writer->xs, writer->id, path) &&
        errno != ENOENT) {
        writer->err = errno;
    }
}

static void make_dir(struct writer *writer, const char *dir, const char *leaf,
                     enum node_access access)
{
    char *path = leaf ? xasprintf("%s/%s", dir, leaf) : xstrdup(dir);

    if (!writer->err && !xs_mkdir(writer->xs, writer->id, path)) {
        writer->err = errno;
    }
    set_access(writer, path, access);
    free(path);
}

static void begin(struct writer *writer, struct xen *xen, uint32_t domid)
{
    writer->xs = xen->xs;
    writer->domid = domid;
    writer->err = 0;
    writer->id = xs_transaction_start(xen->xs);
    if (writer->id == XBT_NULL) {
        writer->err = errno ? errno : EIO;
    }
}

/* 0: committed; EAGAIN: somebody else wrote too, do it all again. */
static int end(struct writer *writer)
{
    if (writer->id == XBT_NULL) {
        return writer->err;
    }
    if (!xs_transaction_end(writer->xs, writer->id, writer->err != 0) &&
        !writer->err) {
        writer->err = errno;
    }
    return writer->err;
}

static void write_domain_dir(struct writer *writer, const char *dir,
                             const struct guest_config *config)
{
    static const char *const read_dirs[] = {"cpu", "memory", "device",
                                            "control", "hvmloader"};
    static const char *const own_dirs[] = {"control/shutdown",
                                           "control/feature-poweroff",
                                           "control/feature-reboot",
                                           "control/feature-suspend",
                                           "control/sysrq",
                                           "data",
                                           "drivers",
                                           "feature",
                                           "attr",
                                           "error",
                                           "device/suspend/event-channel"};

    make_dir(writer, dir, NULL, NODE_READ);
    for (size_t i = 0; i < sizeof(read_dirs) / sizeof(read_dirs[0]); i++) {
        make_dir(writer, dir, read_dirs[i], NODE_READ);
    }
    for (size_t i = 0; i < sizeof(own_dirs) / sizeof(own_dirs[0]); i++) {
        make_dir(writer, dir, own_dirs[i], NODE_OWN);
    }
    put_leaf(writer, dir, "control/platform-feature-multiprocessor-suspend",
             "1");
    put_leaf(writer, dir, "control/platform-feature-xs_reset_watches", "1");
    put_leaf(writer, dir, "name", config->name);
}

static int identity_once(struct xen *xen, uint32_t domid,
                         const struct guest_config *config)
{
    char *dir = xasprintf("/local/domain/%u", domid);
    char *libxl = xasprintf("/libxl/%u", domid);
    char uuid[UUID_CHARS + 1];
    struct writer writer;
    char *vm;
    int err;

    uuid_text(uuid, config->uuid);
    vm = xasprintf("/vm/%s", uuid);
    begin(&writer, xen, domid);

    forget(&writer, dir);
    write_domain_dir(&writer, dir, config);
    put_leaf(&writer, dir, "vm", vm);

    forget(&writer, vm);
    make_dir(&writer, vm, NULL, NODE_READ);
    put_leaf(&writer, vm, "uuid", uuid);
    put_leaf(&writer, vm, "name", config->name);
    put_leaf(&writer, vm, "on_poweroff",
             guest_action_name(config->on_poweroff));
    put_leaf(&writer, vm, "on_reboot", guest_action_name(config->on_reboot));
    put_leaf(&writer, vm, "on_crash", guest_action_name(config->on_crash));

    /* xl asks here for the kind of guest before most of its verbs. */
    forget(&writer, libxl);
    make_dir(&writer, libxl, NULL, NODE_PRIVATE);
    put_leaf(&writer, libxl, "type", "pv");
    put_leaf(&writer, libxl, "toolstack", "vigil");

    err = end(&writer);
    free(vm);
    free(libxl);
    free(dir);
    return err;
}

static void write_console(struct writer *writer, const char *dir,
                          const struct guest_rings *rings)
{
    char *front = xasprintf("%s/console", dir);
    char *back =
        xasprintf("/local/domain/0/backend/console/%u/0", writer->domid);
    char *known = xasprintf("/libxl/%u/device/console/0", writer->domid);
    char *ring_ref = xasprintf("%lu", rings->console_mfn);
    char *port = xasprintf("%u", rings->console_port);
    char *domid = xasprintf("%u", writer->domid);

    make_dir(writer, back, NULL, NODE_READ);
    put_leaf(writer, back, "frontend", front);
    put_leaf(writer, back, "frontend-id", domid);
    put_leaf(writer, back, "online", "1");
    put_leaf(writer, back, "state", "1");
    put_leaf(writer, back, "protocol", "vt100");

    /* Read-only for the guest: it must not choose the terminal we open. */
    make_dir(writer, front, NULL, NODE_READ);
    put_leaf(writer, front, "backend", back);
    put_leaf(writer, front, "backend-id", "0");
    put_leaf(writer, front, "limit", CONSOLE_LIMIT);
    put_leaf(writer, front, "type", "xenconsoled");
    put_leaf(writer, front, "output", "pty");
    put_leaf(writer, front, "tty", "");
    put_leaf(writer, front, "port", port);
    put_leaf(writer, front, "ring-ref", ring_ref);

    make_dir(writer, known, NULL, NODE_PRIVATE);
    put_leaf(writer, known, "frontend", front);
    put_leaf(writer, known, "backend", back);
    put_leaf(writer, known, "frontend-id", domid);
    put_leaf(writer, known, "online", "1");
    put_leaf(writer, known, "state", "1");
    put_leaf(writer, known, "protocol", "vt100");

    free(front);
    free(back);
    free(known);
    free(ring_ref);
    free(port);
    free(domid);
}

static void write_cpus(struct writer *writer, const char *dir,
                       const struct guest_config *config)
{
    for (long cpu = 0; cpu < config->maxvcpus; cpu++) {
        char *path = xasprintf("%s/cpu/%ld/availability", dir, cpu);

        put(writer, path, "%s", cpu < config->vcpus ? "online" : "offline");
        free(path);
    }
}

static int rings_once(struct xen *xen, uint32_t domid,
                      const struct guest_config *config,
                      const struct guest_rings *rings)
{
    char *dir = xasprintf("/local/domain/%u", domid);
    char uuid[UUID_CHARS + 1];
    struct writer writer;
    char *path;
    int err;

    begin(&writer, xen, domid);
    path = xasprintf("%s/memory/static-max", dir);
    put(&writer, path, "%ld", config->maxmem_mib * 1024);
    free(path);
    path = xasprintf("%s/memory/target", dir);
    put(&writer, path, "%ld", config->memory_mib * 1024);
    free(path);
    path = xasprintf("%s/domid", dir);
    put(&writer, path, "%u", domid);
    free(path);
    path = xasprintf("%s/store/port", dir);
    put(&writer, path, "%u", rings->store_port);
    free(path);
    path = xasprintf("%s/store/ring-ref", dir);
    put(&writer, path, "%lu", rings->store_mfn);
    free(path);
    put_leaf(&writer, dir, "memory/videoram", "0");
    write_cpus(&writer, dir, config);
    write_console(&writer, dir, rings);

    uuid_text(uuid, config->uuid);
    path = xasprintf("/vm/%s/image/ostype", uuid);
    put(&writer, path, "linux");
    free(path);
    path = xasprintf("/vm/%s/start_time", uuid);
    put(&writer, path, "%lld.00", (long long)time(NULL));
    free(path);

    err = end(&writer);
    free(dir);
    return err;
}

int nodes_write_identity(struct xen *xen, uint32_t domid,
                         const struct guest_config *config, struct fault *fault)
{
    int err = EAGAIN;

    for (int i = 0; i < TRANSACTION_TRIES && err == EAGAIN; i++) {
        err = identity_once(xen, domid, config);
    }
    return err ? fault_errno(fault, err,
                             "the identity of guest %s cannot be written to "
                             "xenstore",
                             config->name)
               : 0;
}

int nodes_write_rings(struct xen *xen, uint32_t domid,
                      const struct guest_config *config,
                      const struct guest_rings *rings, struct fault *fault)
{
    int err = EAGAIN;

    for (int i = 0; i < TRANSACTION_TRIES && err == EAGAIN; i++) {
        err = rings_once(xen, domid, config, rings);
    }
    return err ? fault_errno(fault, err,
                             "the console and store of guest %s cannot be "
                             "written to xenstore",
                             config->name)
               : 0;
}

__attribute__((format(printf, 2, 3))) static void
remove_node(struct xen *xen, const char *fmt, ...)
{
    va_list args;
    char *path = NULL;

    va_start(args, fmt);
    if (vasprintf(&path, fmt, args) < 0) {
        out_of_memory();
    }
    va_end(args);
    xs_rm(xen->xs, XBT_NULL, path);
    free(path);
}

/* Do the entries of a number speak of another guest by now? */
static int is_anothers(struct xen *xen, uint32_t domid, const char *uuid)
{
    char *path = xasprintf("/local/domain/%u/vm", domid);
    unsigned int len;
    char *vm = xs_read(xen->xs, XBT_NULL, path, &len);
    int is = vm && strncmp(vm, "/vm/", 4) == 0 &&
             strncasecmp(vm + 4, uuid, UUID_CHARS) != 0;

    free(vm);
    free(path);
    return is;
}

void nodes_remove(struct xen *xen, uint32_t domid, const char *uuid)
{
    if (is_anothers(xen, domid, uuid)) {
        return;
    }
    remove_node(xen, "/local/domain/0/backend/console/%u", domid);
    remove_node(xen, "/local/domain/%u", domid);
    remove_node(xen, "/libxl/%u", domid);
    remove_node(xen, "/vm/%s", uuid);
}
