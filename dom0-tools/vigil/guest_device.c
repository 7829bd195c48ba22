/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_device.c - vigil block-* and network-*: devices come and go
 * while the guest runs.
 */
#include <libxl_utils.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guestdev.h"
#include "lib/place.h"
#include "lib/table.h"
#include "vigil/commands.h"

/* A state of xenbus as a word; what is not there yet or any more is "-". */
static const char *state_word(int state)
{
    static const char *const words[] = {
        "-",       "initialising", "prepared",      "waiting",     "connected",
        "closing", "closed",       "reconfiguring", "reconfigured"};

    return state >= 0 && (size_t)state < sizeof(words) / sizeof(words[0])
               ? words[state]
               : "-";
}

/* An operation of libxl's that came back with @rc: why; -1, or 0 without one. */
__attribute__((format(printf, 5, 6))) static int
outcome(struct lx *lx, struct fault *fault, int rc, const char *verb,
        const char *fmt, ...)
{
    char *text;
    va_list args;

    if (rc == 0) {
        return 0;
    }
    if (command_stop) {
        return fault_set(fault, exit_code_of_signal(command_stop),
                         "%s: interrupted", verb);
    }
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0) {
        abort();
    }
    va_end(args);
    lx_fault(lx, fault, rc, "%s", text);
    free(text);
    return -1;
}

static int open_reader(struct cfg_reader *reader, struct fault *fault)
{
    return cfg_open(reader, "the command line", "", 1, NULL, fault);
}

static int block_attach(const struct invocation *call, struct xen *xen,
                        struct lx *lx, const struct guest *guest,
                        struct fault *fault)
{
    struct cfg_reader reader;
    libxl_device_disk disk;
    struct lx_op op;
    int ret;
    int rc;

    (void)xen;
    libxl_device_disk_init(&disk);
    ret = open_reader(&reader, fault);
    if (ret == 0) {
        ret =
            guest_disk_parse(&reader, (const char *const *)(call->operands + 1),
                             call->operand_count - 1, &disk);
    }
    cfg_close(&reader);
    if (ret == 0) {
        lx_begin(lx, &op);
        rc = lx_wait(
            lx, &op,
            libxl_device_disk_add(lx->ctx, guest->domid, &disk, &op.how),
            &command_stop);
        ret = outcome(lx, fault, rc, "block-attach",
                      "disk %s cannot be given to guest %s", disk.vdev,
                      guest->name);
    }
    libxl_device_disk_dispose(&disk);
    return ret;
}

static int block_detach(const struct invocation *call, struct xen *xen,
                        struct lx *lx, const struct guest *guest,
                        struct fault *fault)
{
    int force = opts_given(call, 'F', NULL) != NULL;
    const char *vdev = call->operands[1];
    libxl_device_disk disk;
    struct lx_op op;
    int ret;
    int rc;

    (void)xen;
    lx_begin(lx, &op);
    if (libxl_vdev_to_device_disk(lx->ctx, guest->domid, vdev, &disk)) {
        return fault_set(fault, EXIT_NOT_FOUND,
                         "guest %s has no disk %s; `vigil block-list %s` shows "
                         "them",
                         guest->name, vdev, guest->name);
    }
    rc = force
             ? libxl_device_disk_destroy(lx->ctx, guest->domid, &disk, &op.how)
             : libxl_device_disk_safe_remove(lx->ctx, guest->domid, &disk,
                                             &op.how);
    rc = lx_wait(lx, &op, rc, &command_stop);
    ret = outcome(lx, fault, rc, "block-detach",
                  "guest %s does not let go of disk %s (-F takes it)",
                  guest->name, vdev);
    libxl_device_disk_dispose(&disk);
    return ret;
}

static int network_attach(const struct invocation *call, struct xen *xen,
                          struct lx *lx, const struct guest *guest,
                          struct fault *fault)
{
    char *conf = place(PLACE_XL_CONF);
    struct xl_defaults defaults;
    struct cfg_reader reader;
    libxl_device_nic vif;
    struct lx_op op;
    int ret;
    int rc;

    (void)xen;
    libxl_device_nic_init(&vif);
    ret = xl_defaults_read(conf, &defaults, fault);
    free(conf);
    if (ret) {
        return -1;
    }
    guest_vif_defaults(&vif, &defaults);
    xl_defaults_free(&defaults);
    ret = open_reader(&reader, fault);
    for (int i = 1; ret == 0 && i < call->operand_count; i++) {
        ret = guest_vif_parse(&reader, call->operands[i], &vif);
    }
    cfg_close(&reader);
    if (ret == 0) {
        lx_begin(lx, &op);
        rc = lx_wait(lx, &op,
                     libxl_device_nic_add(lx->ctx, guest->domid, &vif, &op.how),
                     &command_stop);
        ret = outcome(lx, fault, rc, "network-attach",
                      "the network interface cannot be given to guest %s",
                      guest->name);
    }
    libxl_device_nic_dispose(&vif);
    return ret;
}

/* The interface with a number or an address; libxl's error otherwise. */
static int find_vif(struct lx *lx, const struct guest *guest, const char *word,
                    libxl_device_nic *ret_vif)
{
    unsigned long devid;
    char *end;

    if (strchr(word, ':')) {
        return libxl_mac_to_device_nic(lx->ctx, guest->domid, word, ret_vif);
    }
    devid = strtoul(word, &end, 10);
    if (end == word || *end || devid > 65535) {
        return ERROR_INVAL;
    }
    return libxl_devid_to_device_nic(lx->ctx, guest->domid, (int)devid,
                                     ret_vif);
}

static int network_detach(const struct invocation *call, struct xen *xen,
                          struct lx *lx, const struct guest *guest,
                          struct fault *fault)
{
    int force = opts_given(call, 'F', NULL) != NULL;
    const char *word = call->operands[1];
    libxl_device_nic vif;
    struct lx_op op;
    int ret;
    int rc;

    (void)xen;
    lx_begin(lx, &op);
    libxl_device_nic_init(&vif);
    if (find_vif(lx, guest, word, &vif)) {
        libxl_device_nic_dispose(&vif);
        return fault_set(fault, EXIT_NOT_FOUND,
                         "guest %s has no network interface %s; `vigil "
                         "network-list %s` shows their numbers and addresses",
                         guest->name, word, guest->name);
    }
    rc = force ? libxl_device_nic_destroy(lx->ctx, guest->domid, &vif, &op.how)
               : libxl_device_nic_remove(lx->ctx, guest->domid, &vif, &op.how);
    rc = lx_wait(lx, &op, rc, &command_stop);
    ret = outcome(lx, fault, rc, "network-detach",
                  "guest %s does not let go of network interface %s (-F takes "
                  "it)",
                  guest->name, word);
    libxl_device_nic_dispose(&vif);
    return ret;
}

/* A list under way: either of the two is filled in. */
struct device_list {
    struct libscols_table *table;
    struct json_object *array;
};

static void add_disk(struct device_list *list, struct lx *lx,
                     const struct guest *guest, const libxl_device_disk *disk)
{
    const char *path = disk->pdev_path ? disk->pdev_path : "";
    const char *access = disk->readwrite ? "rw" : "ro";
    struct json_object *object;
    libxl_diskinfo info;
    char number[16];

    libxl_diskinfo_init(&info);
    info.state = 0;
    /* Gone meanwhile: then it has no state. */
    (void)libxl_device_disk_getinfo(lx->ctx, guest->domid, disk, &info);
    if (list->table) {
        const char *cells[] = {
            guest->name, disk->vdev,
            number,      state_word(info.state),
            access,      libxl_disk_backend_to_string(disk->backend),
            path};

        snprintf(number, sizeof(number), "%d", info.devid);
        table_row(list->table, cells);
    } else {
        object = json_object_new_object();
        json_add_text(object, "guest", guest->name);
        json_add_number(object, "domid", guest->domid);
        json_add_text(object, "vdev", disk->vdev);
        json_add_number(object, "devid", (uint64_t)info.devid);
        json_add_text(object, "state", state_word(info.state));
        json_add_text(object, "access", access);
        json_add_text(object, "backend",
                      libxl_disk_backend_to_string(disk->backend));
        json_add_text(object, "format",
                      libxl_disk_format_to_string(disk->format));
        json_add_number(object, "backend_domid", disk->backend_domid);
        json_add_text(object, "target", path);
        json_object_array_add(list->array, object);
    }
    libxl_diskinfo_dispose(&info);
}

static void list_disks(struct device_list *list, struct lx *lx,
                       const struct guest *guest)
{
    int count = 0;
    libxl_device_disk *disks =
        libxl_device_disk_list(lx->ctx, guest->domid, &count);

    for (int i = 0; disks && i < count; i++) {
        add_disk(list, lx, guest, &disks[i]);
    }
    libxl_device_disk_list_free(disks, disks ? count : 0);
}

static void add_vif(struct device_list *list, struct lx *lx,
                    const struct guest *guest, const libxl_device_nic *vif)
{
    const char *bridge = vif->bridge ? vif->bridge : "";
    struct json_object *object;
    libxl_nicinfo info;
    char number[16];
    char mac[18];

    libxl_nicinfo_init(&info);
    info.state = 0;
    (void)libxl_device_nic_getinfo(lx->ctx, guest->domid, vif, &info);
    snprintf(mac, sizeof(mac), LIBXL_MAC_FMT, LIBXL_MAC_BYTES(vif->mac));
    if (list->table) {
        const char *cells[] = {guest->name, number,
                               mac,         state_word(info.state),
                               bridge,      vif->ip ? vif->ip : ""};

        snprintf(number, sizeof(number), "%d", vif->devid);
        table_row(list->table, cells);
    } else {
        object = json_object_new_object();
        json_add_text(object, "guest", guest->name);
        json_add_number(object, "domid", guest->domid);
        json_add_number(object, "devid", (uint64_t)vif->devid);
        json_add_text(object, "mac", mac);
        json_add_text(object, "state", state_word(info.state));
        json_add_text(object, "bridge", bridge);
        json_add_text(object, "ip", vif->ip ? vif->ip : "");
        json_add_text(object, "script", vif->script ? vif->script : "");
        json_add_number(object, "backend_domid", vif->backend_domid);
        json_object_array_add(list->array, object);
    }
    libxl_nicinfo_dispose(&info);
}

static void list_vifs(struct device_list *list, struct lx *lx,
                      const struct guest *guest)
{
    int count = 0;
    libxl_device_nic *vifs =
        libxl_device_nic_list(lx->ctx, guest->domid, &count);

    for (int i = 0; vifs && i < count; i++) {
        add_vif(list, lx, guest, &vifs[i]);
    }
    libxl_device_nic_list_free(vifs, vifs ? count : 0);
}

typedef void list_devices(struct device_list *list, struct lx *lx,
                          const struct guest *guest);

/* The devices of the guests named, or of all. */
static int list_for(const struct invocation *call, struct xen *xen,
                    struct device_list *devices, list_devices *add,
                    struct lx *lx, struct fault *fault)
{
    struct guest_list guests;
    int code = EXIT_DONE;
    int done = 0;

    if (guests_read(xen, &guests, fault)) {
        return say_fault(fault);
    }
    for (size_t i = 0; call->operand_count == 0 && i < guests.count; i++) {
        if (guests.guests[i].domid) {
            add(devices, lx, &guests.guests[i]);
        }
    }
    for (int i = 0; i < call->operand_count; i++) {
        const struct guest *guest =
            guests_find(&guests, call->operands[i], fault);

        if (guest) {
            add(devices, lx, guest);
            done++;
        } else {
            code = say_fault(fault);
        }
    }
    guests_free(&guests);
    return code && done ? EXIT_PARTIAL : code;
}

static int run_list_of(const struct invocation *call,
                       const char *const *columns, const char *schema,
                       const char *key, list_devices *add)
{
    struct device_list devices = {NULL, NULL};
    struct fault fault;
    struct xen xen;
    struct lx lx;
    int code;

    if (command_lx(call, &xen, &lx, &fault)) {
        return say_fault(&fault);
    }
    if (opts_given(call, 0, "json")) {
        devices.array = json_object_new_array();
    } else {
        devices.table = table_new(columns);
    }
    code = list_for(call, &xen, &devices, add, &lx, &fault);
    if (devices.table) {
        table_print(devices.table);
    } else {
        struct json_object *top = json_object_new_object();

        json_add_text(top, "schema", schema);
        json_object_object_add(top, key, devices.array);
        json_print(top);
    }
    lx_close(&lx);
    xen_close(&xen);
    return code;
}

int run_block_attach(const struct invocation *call)
{
    return for_one_guest(call, block_attach);
}

int run_block_detach(const struct invocation *call)
{
    return for_one_guest(call, block_detach);
}

int run_block_list(const struct invocation *call)
{
    static const char *const columns[] = {"Guest",  "Disk",   ">Number",
                                          "State",  "Access", "Backend",
                                          "Target", NULL};

    return run_list_of(call, columns, "vigil.block-list/1", "disks",
                       list_disks);
}

int run_network_attach(const struct invocation *call)
{
    return for_one_guest(call, network_attach);
}

int run_network_detach(const struct invocation *call)
{
    return for_one_guest(call, network_detach);
}

int run_network_list(const struct invocation *call)
{
    static const char *const columns[] = {
        "Guest", ">Number", "Address", "State", "Bridge", "IP", NULL};

    return run_list_of(call, columns, "vigil.network-list/1", "networks",
                       list_vifs);
}
