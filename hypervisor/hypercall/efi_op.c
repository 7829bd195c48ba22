/* SPDX-License-Identifier: MIT */
/*
 * hypercall/efi_op.c - what Dom0 may know of UEFI.
 *
 * Source: public platform.h.  The first question of Linux is for the
 * configuration table: an error there means "this machine has no EFI".
 */
#include "hypercall/efi_op.h"

#include "lib/errno.h"
#include "dev/efi.h"
#include "pv/guest_access.h"

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
        return -EOPNOTSUPP;
    case XEN_FW_EFI_PCI_ROM:
        return -ENOENT;
    case XEN_FW_EFI_APPLE_PROPERTIES:
        return -ENODATA;
    default:
        return -EINVAL;
    }
}
