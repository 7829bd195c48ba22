/* SPDX-License-Identifier: MIT */
/*
 * hypercall/efi_op.c - what Dom0 may know of UEFI.
 *
 * Everything the firmware reads or writes is a copy in hypervisor memory.
 *
 * Source: public platform.h; UEFI 2.10, chapter 8.  The first question of Linux is for the
 * configuration table: an error there means "this machine has no EFI".
 */
#include "hypercall/efi_op.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "dev/efi.h"
#include "dev/efi_runtime.h"
#include "pv/guest_access.h"

/* The longest name of a variable with its closing zero, and the largest. */
#define NAME_CHARS 1024U
#define DATA_BYTES (1U << 20)

static int64_t config_table(const struct efi_system *s,
                            union xenpf_efi_info *info)
{
    if (s->config_count == 0) {
        return -EOPNOTSUPP;
    }
    info->cfg.addr = s->config;
    info->cfg.nent = s->config_count;
    return 0;
}

/* As many characters as fit, the closing zero among them if it does. */
static int64_t vendor(const struct efi_system *s, union xenpf_efi_info *info)
{
    size_t chars = 0;

    while (chars < EFI_VENDOR_CHARS - 1 && s->vendor[chars] != 0) {
        chars++;
    }
    chars = MIN(chars + 1, info->vendor.bufsz / sizeof(s->vendor[0]));
    info->vendor.revision = s->vendor_revision;
    return copy_to_guest(handle_va(info->vendor.name), s->vendor,
                         chars * sizeof(s->vendor[0]));
}

static int64_t memory_info(union xenpf_efi_info *info)
{
    struct efi_region r;
    uint64_t left;

    if (!efi_map_find(info->mem.addr, &r)) {
        return -ESRCH;
    }
    left = r.start + r.bytes - info->mem.addr;
    info->mem.size = MIN(info->mem.size, left);
    info->mem.attr = r.attr;
    info->mem.type = r.type;
    return 0;
}

int64_t efi_firmware_info(uint32_t index, union xenpf_efi_info *info)
{
    const struct efi_system *s = efi_system();

    if (s == NULL) {
        return -EOPNOTSUPP;
    }
    switch (index) {
    case XEN_FW_EFI_VERSION:
        info->version = s->revision;
        return 0;
    case XEN_FW_EFI_CONFIG_TABLE:
        return config_table(s, info);
    case XEN_FW_EFI_VENDOR:
        return vendor(s, info);
    case XEN_FW_EFI_MEM_INFO:
        return memory_info(info);
    case XEN_FW_EFI_RT_VERSION:
        info->version = efi_runtime_revision();
        return info->version != 0 ? 0 : -EOPNOTSUPP;
    case XEN_FW_EFI_PCI_ROM:
        return -ENOENT;
    case XEN_FW_EFI_APPLE_PROPERTIES:
        return -ENODATA;
    default:
        return -EINVAL;
    }
}

/* ---- runtime services --------------------------------------------------- */

/* EFI_TIME_CAPABILITIES */
struct time_capabilities {
    uint32_t resolution, accuracy;
    uint8_t sets_to_zero;
};

/* Public platform.h has the firmware's own layouts. */
STATIC_ASSERT(sizeof(struct xenpf_efi_time) == 16, "EFI_TIME");
STATIC_ASSERT(sizeof(struct xenpf_efi_guid) == 16, "EFI_GUID");

#define POINTER(p) ((uint64_t)(p))

static int64_t get_time(struct xenpf_efi_runtime_call *op)
{
    struct time_capabilities caps = {0};
    const uint64_t args[5] = {POINTER(&op->u.get_time.time), POINTER(&caps)};

    if (op->misc != 0) {
        return -EINVAL;
    }
    op->status = efi_runtime_call(EFI_GET_TIME, args);
    op->u.get_time.resolution = caps.resolution;
    op->u.get_time.accuracy = caps.accuracy;
    if (caps.sets_to_zero != 0) {
        op->misc |= XEN_EFI_GET_TIME_SET_CLEARS_NS;
    }
    return 0;
}

static int64_t set_time(struct xenpf_efi_runtime_call *op)
{
    const uint64_t args[5] = {POINTER(&op->u.set_time)};

    if (op->misc != 0) {
        return -EINVAL;
    }
    op->status = efi_runtime_call(EFI_SET_TIME, args);
    return 0;
}

static int64_t monotonic_count(struct xenpf_efi_runtime_call *op)
{
    const uint64_t args[5] = {POINTER(&op->misc)};

    if (op->misc != 0) {
        return -EINVAL;
    }
    op->status = efi_runtime_call(EFI_GET_NEXT_HIGH_MONOTONIC_COUNT, args);
    return 0;
}

/* A variable's name, with its closing zero, into @name[NAME_CHARS]. */
static int64_t copy_name(uint16_t *name, uint64_t va)
{
    for (unsigned int i = 0; i < NAME_CHARS; i++) {
        if (copy_from_guest(&name[i], va + i * sizeof(*name), sizeof(*name)) !=
            0) {
            return -EFAULT;
        }
        if (name[i] == 0) {
            return 0;
        }
    }
    return -EINVAL;
}

static int64_t get_variable(struct xenpf_efi_runtime_call *op, uint16_t *name,
                            void *data)
{
    const uint64_t room = op->u.get_variable.size;
    uint64_t size = room;
    const uint64_t args[5] = {
        POINTER(name), POINTER(&op->u.get_variable.vendor_guid),
        POINTER(&op->misc), POINTER(&size), POINTER(data)};

    op->status = efi_runtime_call(EFI_GET_VARIABLE, args);
    op->u.get_variable.size = size;
    if (op->status != 0) {
        return 0;
    }
    return copy_to_guest(handle_va(op->u.get_variable.data), data,
                         MIN(size, room)) != 0
               ? -EFAULT
               : 0;
}

static int64_t set_variable(struct xenpf_efi_runtime_call *op, uint16_t *name,
                            void *data)
{
    const uint64_t args[5] = {POINTER(name),
                              POINTER(&op->u.set_variable.vendor_guid),
                              op->misc, op->u.set_variable.size, POINTER(data)};

    if (copy_from_guest(data, handle_va(op->u.set_variable.data),
                        op->u.set_variable.size) != 0) {
        return -EFAULT;
    }
    op->status = efi_runtime_call(EFI_SET_VARIABLE, args);
    return 0;
}

/* Both have the same members. */
static int64_t variable(struct xenpf_efi_runtime_call *op)
{
    uint64_t size = op->u.get_variable.size;
    uint16_t *name;
    void *data;
    int64_t rc;

    if (op->function == XEN_EFI_get_variable && op->misc != 0) {
        return -EINVAL;
    }
    if (size > DATA_BYTES) {
        return -ENOMEM;
    }
    name = heap_alloc(NAME_CHARS * sizeof(*name));
    data = heap_alloc(MAX(size, (uint64_t)1));
    rc = name != NULL && data != NULL
             ? copy_name(name, handle_va(op->u.get_variable.name))
             : -ENOMEM;
    if (rc == 0) {
        rc = op->function == XEN_EFI_get_variable
                 ? get_variable(op, name, data)
                 : set_variable(op, name, data);
    }
    heap_free(name);
    heap_free(data);
    return rc;
}

static bool has_zero(const uint16_t *text, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes / sizeof(*text); i++) {
        if (text[i] == 0) {
            return true;
        }
    }
    return false;
}

static int64_t next_name(struct xenpf_efi_runtime_call *op)
{
    const uint64_t va = handle_va(op->u.get_next_variable_name.name);
    const uint64_t room = op->u.get_next_variable_name.size;
    uint64_t size = room;
    int64_t rc = 0;
    uint16_t *name;

    if (op->misc != 0 || room < sizeof(*name)) {
        return -EINVAL;
    }
    if (room > DATA_BYTES) {
        return -ENOMEM;
    }
    name = heap_alloc(room);
    if (name == NULL) {
        return -ENOMEM;
    }
    if (copy_from_guest(name, va, room) != 0) {
        rc = -EFAULT;
    } else if (!has_zero(name, room)) {
        rc = -EINVAL;
    } else {
        const uint64_t args[5] = {
            POINTER(&size), POINTER(name),
            POINTER(&op->u.get_next_variable_name.vendor_guid)};

        op->status = efi_runtime_call(EFI_GET_NEXT_VARIABLE_NAME, args);
        op->u.get_next_variable_name.size = size;
        if (op->status == 0 && copy_to_guest(va, name, MIN(size, room)) != 0) {
            rc = -EFAULT;
        }
    }
    heap_free(name);
    return rc;
}

static int64_t variable_info(struct xenpf_efi_runtime_call *op)
{
    const uint64_t args[5] = {
        op->u.query_variable_info.attr,
        POINTER(&op->u.query_variable_info.max_store_size),
        POINTER(&op->u.query_variable_info.remain_store_size),
        POINTER(&op->u.query_variable_info.max_size)};

    if ((op->misc & XEN_EFI_VARINFO_BOOT_SNAPSHOT) != 0) {
        return -EOPNOTSUPP;
    }
    if (op->misc != 0) {
        return -EINVAL;
    }
    op->status = efi_runtime_call(EFI_QUERY_VARIABLE_INFO, args);
    return 0;
}

int64_t efi_runtime_op(struct xenpf_efi_runtime_call *op)
{
    if (efi_runtime_revision() == 0) {
        return -EOPNOTSUPP;
    }
    switch (op->function) {
    case XEN_EFI_get_time:
        return get_time(op);
    case XEN_EFI_set_time:
        return set_time(op);
    case XEN_EFI_get_next_high_monotonic_count:
        return monotonic_count(op);
    case XEN_EFI_get_variable:
    case XEN_EFI_set_variable:
        return variable(op);
    case XEN_EFI_get_next_variable_name:
        return next_name(op);
    case XEN_EFI_query_variable_info:
        return variable_info(op);
    case XEN_EFI_get_wakeup_time: /* no sleep to wake up from */
    case XEN_EFI_set_wakeup_time:
    case XEN_EFI_query_capsule_capabilities: /* given by machine address */
    case XEN_EFI_update_capsule:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}
