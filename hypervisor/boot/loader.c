/* SPDX-License-Identifier: MIT */
/*
 * boot/loader.c - which loader it was; multiboot 1 (qemu -kernel).
 */
#include "boot/loader.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/directmap.h"

#define MB1_BOOT_MAGIC 0x2badb002u
#define MB2_BOOT_MAGIC 0x36d76289u

#define MB1_HAS_MEMORY 0x001u
#define MB1_HAS_CMDLINE 0x004u
#define MB1_HAS_MODULES 0x008u
#define MB1_HAS_MMAP 0x040u
#define MB1_HAS_NAME 0x200u

struct mb1_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr, config_table, loader_name;
};

struct mb1_module {
    uint32_t start, end, string, reserved;
};

struct mb1_mmap {
    uint32_t size; /* of the rest */
    uint64_t addr, len;
    uint32_t type;
} PACKED;

struct loader_info loader_info;

static void copy_string(char *dst, const void *src, size_t size)
{
    size_t n = strnlen(src, size - 1);

    memcpy(dst, src, n);
    dst[n] = '\0';
}

static void mb1_modules(const struct mb1_info *mb,
                        const void *(*at)(uint32_t maddr),
                        struct loader_info *out)
{
    const struct mb1_module *m = at(mb->mods_addr);
    uint32_t i;

    for (i = 0; i < mb->mods_count && i < LOADER_MODULES; i++) {
        struct loader_module *to = &out->module[out->modules];

        if (m[i].end < m[i].start) {
            continue;
        }
        to->start = m[i].start;
        to->bytes = m[i].end - m[i].start;
        if (m[i].string != 0) {
            copy_string(to->cmdline, at(m[i].string), sizeof(to->cmdline));
        }
        out->modules++;
    }
}

static int mb1_ranges(const struct mb1_info *mb,
                      const void *(*at)(uint32_t maddr),
                      struct loader_info *out)
{
    uint32_t off = 0;

    while (off + sizeof(struct mb1_mmap) <= mb->mmap_length &&
           out->ranges < LOADER_MMAP_ENTRIES) {
        struct mb1_mmap e;

        memcpy(&e, at(mb->mmap_addr + off), sizeof(e));
        if (e.size < sizeof(e) - sizeof(e.size) || e.size > 4096) {
            return -EINVAL;
        }
        out->range[out->ranges++] =
            (struct loader_range){e.addr, e.len, e.type};
        off += e.size + (uint32_t)sizeof(e.size);
    }
    return 0;
}

int multiboot1_parse(const void *info, const void *(*at)(uint32_t maddr),
                     struct loader_info *out)
{
    struct mb1_info mb;

    memcpy(&mb, info, sizeof(mb));
    if ((mb.flags & MB1_HAS_CMDLINE) != 0) {
        copy_string(out->cmdline, at(mb.cmdline), sizeof(out->cmdline));
    }
    if ((mb.flags & MB1_HAS_NAME) != 0) {
        copy_string(out->name, at(mb.loader_name), sizeof(out->name));
    }
    if ((mb.flags & MB1_HAS_MODULES) != 0) {
        mb1_modules(&mb, at, out);
    }
    if ((mb.flags & MB1_HAS_MMAP) == 0) {
        return -EINVAL;
    }
    return mb1_ranges(&mb, at, out);
}

static const void *at_maddr(uint32_t maddr)
{
    return maddr_to_ptr(maddr);
}

int loader_read(uint32_t magic, uint32_t info)
{
    struct loader_info *out = &loader_info;

    out->info_start = info;
    if (magic == MB1_BOOT_MAGIC) {
        out->is_multiboot1 = true;
        out->info_bytes = sizeof(struct mb1_info);
        return multiboot1_parse(maddr_to_ptr(info), at_maddr, out);
    }
    if (magic == MB2_BOOT_MAGIC && (info & 7) == 0) {
        return multiboot2_parse(maddr_to_ptr(info), out);
    }
    return -EINVAL;
}
