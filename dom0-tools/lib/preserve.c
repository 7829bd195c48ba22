/* SPDX-License-Identifier: MIT */
/* lib/preserve.c - let a guest that has ended stand under another name. */
#include "lib/preserve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lx.h"

#define CONFIG_OF_LIBXL "libxl-json"

static int is_taken(const struct guest_list *list, const char *name,
                    const char *suffix)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < list->count; i++) {
        const char *other = list->guests[i].name;

        if (strncmp(other, name, len) == 0 &&
            strcmp(other + len, suffix) == 0) {
            return 1;
        }
    }
    return 0;
}

void preserve_suffix(const struct guest_list *list, const char *name,
                     time_t now, char *dst)
{
    struct tm utc;
    char second[PRESERVE_SUFFIX_BYTES - 12];

    gmtime_r(&now, &utc);
    strftime(dst, PRESERVE_SUFFIX_BYTES, "-%Y%m%dT%H%MZ", &utc);
    if (!is_taken(list, name, dst)) {
        return;
    }
    strftime(second, sizeof(second), "-%Y%m%dT%H%M%SZ", &utc);
    snprintf(dst, PRESERVE_SUFFIX_BYTES, "%s", second);
    for (size_t n = 2; is_taken(list, name, dst); n++) {
        snprintf(dst, PRESERVE_SUFFIX_BYTES, "%s-%zu", second, n);
    }
}

/* What does not go stays; whoever starts the next one will hear of it. */
static void let_go_of_disks(struct lx *lx, uint32_t domid)
{
    int count = 0;
    libxl_device_disk *disks = libxl_device_disk_list(lx->ctx, domid, &count);

    for (int i = 0; disks && i < count; i++) {
        struct lx_op op;
        struct fault fault = {.code = EXIT_FAILED};
        int rc;

        lx_begin(lx, &op);
        rc = lx_wait(
            lx, &op,
            libxl_device_disk_destroy(lx->ctx, domid, &disks[i], &op.how),
            NULL);
        if (rc) {
            lx_fault(lx, &fault, rc, "domain %u does not let go of disk %s",
                     domid, disks[i].vdev);
            say("warning: %s", fault.text);
        }
    }
    libxl_device_disk_list_free(disks, count);
}

/*
 * libxl keeps a configuration under number and UUID, so it has to move with
 * the UUID.  libxl itself only writes the new UUID into xenstore: that would
 * leave two domains of one UUID, of which our notes and records know one.
 */
static int change_uuid(struct xen *xen, struct lx *lx, uint32_t domid,
                       const libxl_uuid *uuid, struct fault *fault)
{
    xen_domain_handle_t handle = {0};
    uint8_t *config = NULL;
    int len = 0;

    memcpy(handle, libxl_uuid_bytearray_const(uuid), sizeof(handle));
    if (libxl_userdata_retrieve(lx->ctx, domid, CONFIG_OF_LIBXL, &config,
                                &len)) {
        config = NULL;
        len = 0;
    }
    if (len) {
        (void)libxl_userdata_unlink(lx->ctx, domid, CONFIG_OF_LIBXL);
    }
    if (xc_domain_sethandle(xen->xch, domid, handle)) {
        int err = errno;

        if (len) {
            (void)libxl_userdata_store(lx->ctx, domid, CONFIG_OF_LIBXL, config,
                                       len);
        }
        free(config);
        return fault_errno(fault, err, "domain %u keeps its UUID", domid);
    }
    if (len &&
        libxl_userdata_store(lx->ctx, domid, CONFIG_OF_LIBXL, config, len)) {
        say("warning: libxl's configuration of domain %u is lost", domid);
    }
    free(config);
    return 0;
}

static int preserve(struct xen *xen, struct lx *lx, const struct guest *guest,
                    const struct guest_list *list, char **ret_name,
                    char ret_uuid[UUID_CHARS + 1], struct fault *fault)
{
    libxl_domain_create_info info = {.name = guest->name};
    char suffix[PRESERVE_SUFFIX_BYTES];
    libxl_uuid uuid;
    struct lx_op op;
    int rc;

    preserve_suffix(list, guest->name, time(NULL), suffix);
    libxl_uuid_generate(&uuid);
    let_go_of_disks(lx, guest->domid);
    lx_begin(lx, &op); /* for what libxl says of this step */
    rc = libxl_domain_preserve(lx->ctx, guest->domid, &info, suffix, uuid);
    if (rc) {
        return lx_fault(lx, fault, rc, "guest %s cannot be renamed",
                        guest->name);
    }
    if (change_uuid(xen, lx, guest->domid, &uuid, fault)) {
        return -1;
    }
    *ret_name = xasprintf("%s%s", guest->name, suffix);
    uuid_text(ret_uuid, libxl_uuid_bytearray(&uuid));
    return 0;
}

int guest_preserve(struct xen *xen, uint32_t domid, const char *uuid,
                   char **ret_name, char ret_uuid[UUID_CHARS + 1],
                   struct fault *fault)
{
    const struct guest *guest;
    struct guest_list list;
    struct lx lx;
    int ret = -1;

    if (guests_read(xen, &list, fault)) {
        return -1;
    }
    guest = guests_by_domid(&list, domid);
    if (!guest || strcmp(guest->uuid, uuid) || !guest->name[0]) {
        fault_set(fault, EXIT_NOT_FOUND, "guest %u (%s) is gone already", domid,
                  uuid);
    } else if (lx_open(&lx, xen, 0, fault) == 0) {
        ret = preserve(xen, &lx, guest, &list, ret_name, ret_uuid, fault);
        lx_close(&lx);
    }
    guests_free(&list);
    return ret;
}
