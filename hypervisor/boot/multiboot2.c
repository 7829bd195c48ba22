/* SPDX-License-Identifier: MIT */
/*
 * boot/multiboot2.c - the tags GRUB hands over (Multiboot2 specification 2.0,
 * section 3.6).
 *
 * GRUB's 20_linux_xen puts a placeholder word in front of the options of the
 * hypervisor and of each module, as it did for a file name under multiboot 1;
 * boot/cmdline.c drops it.
 */
#include "boot/loader.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TAG_END 0
#define TAG_CMDLINE 1
#define TAG_LOADER_NAME 2
#define TAG_MODULE 3
#define TAG_MMAP 6
#define TAG_FRAMEBUFFER 8
#define TAG_EFI64 12
#define TAG_ACPI_OLD 14
#define TAG_ACPI_NEW 15
#define TAG_EFI_MMAP 17

#define FRAMEBUFFER_DIRECT 1
#define FRAMEBUFFER_TEXT 2

#define INFO_BYTES_MAX (1U << 20)

struct mb2_tag {
    uint32_t type, size;
};

struct mb2_module {
    struct mb2_tag tag;
    uint32_t start, end;
    char cmdline[];
};

struct mb2_mmap {
    struct mb2_tag tag;
    uint32_t entry_size, entry_version;
    uint8_t entries[];
};

/* The boot services have ended: GRUB hands over their last map. */
struct mb2_efi_mmap {
    struct mb2_tag tag;
    uint32_t desc_bytes, version;
    uint8_t entries[];
};

struct mb2_framebuffer {
    struct mb2_tag tag;
    uint64_t addr;
    uint32_t pitch, width, height;
    uint8_t bits, type;
    uint16_t reserved;
    /* Direct colour only: where in a pixel, and how many bits. */
    uint8_t red_at, red_bits, green_at, green_bits, blue_at, blue_bits;
} PACKED;

struct mb2_efi64 {
    struct mb2_tag tag;
    uint64_t systab;
};

struct mb2_mmap_entry {
    uint64_t addr, len;
    uint32_t type, reserved;
};

static void copy_text(char *dst, size_t size, const char *src, size_t max)
{
    size_t n = strnlen(src, MIN(max, size - 1));

    memcpy(dst, src, n);
    dst[n] = '\0';
}

static void parse_module(const struct mb2_tag *tag, struct loader_info *out)
{
    const struct mb2_module *m = (const void *)tag;
    struct loader_module *to = &out->module[out->modules];

    if (tag->size < sizeof(*m) || out->modules == LOADER_MODULES ||
        m->end < m->start) {
        return;
    }
    to->start = m->start;
    to->bytes = m->end - m->start;
    copy_text(to->cmdline, sizeof(to->cmdline), m->cmdline,
              tag->size - sizeof(*m));
    out->modules++;
}

static void parse_mmap(const struct mb2_tag *tag, struct loader_info *out)
{
    const struct mb2_mmap *m = (const void *)tag;
    uint32_t off = 0;

    if (tag->size < sizeof(*m) ||
        m->entry_size < sizeof(struct mb2_mmap_entry)) {
        return;
    }
    while (sizeof(*m) + off + m->entry_size <= tag->size &&
           out->ranges < LOADER_MMAP_ENTRIES) {
        struct mb2_mmap_entry e;

        memcpy(&e, m->entries + off, sizeof(e));
        out->range[out->ranges++] =
            (struct loader_range){e.addr, e.len, e.type};
        off += m->entry_size;
    }
}

static void parse_rsdp(const struct mb2_tag *tag, struct loader_info *out)
{
    size_t n = tag->size - sizeof(*tag);

    /* The new form wins over the old one, whatever their order. */
    if (n <= sizeof(out->rsdp) && n > out->rsdp_bytes) {
        memcpy(out->rsdp, tag + 1, n);
        out->rsdp_bytes = n;
    }
}

static void parse_framebuffer(const struct mb2_tag *tag,
                              struct loader_info *out)
{
    struct mb2_framebuffer f = {0};

    memcpy(&f, tag, MIN((size_t)tag->size, sizeof(f)));
    if (tag->size < offsetof(struct mb2_framebuffer, red_at) ||
        (f.type == FRAMEBUFFER_DIRECT && tag->size < sizeof(f)) ||
        (f.type != FRAMEBUFFER_DIRECT && f.type != FRAMEBUFFER_TEXT)) {
        return;
    }
    out->screen = (struct fbcon_mode){
        .kind = f.type == FRAMEBUFFER_TEXT ? FBCON_TEXT : FBCON_PIXELS,
        .start = f.addr,
        .pitch = f.pitch,
        .width = f.width,
        .height = f.height,
        .bits = f.bits,
        .red_at = f.red_at,
        .red_bits = f.red_bits,
        .green_at = f.green_at,
        .green_bits = f.green_bits,
        .blue_at = f.blue_at,
        .blue_bits = f.blue_bits,
    };
}

static void parse_efi64(const struct mb2_tag *tag, struct loader_info *out)
{
    const struct mb2_efi64 *e = (const void *)tag;

    if (tag->size >= sizeof(*e)) {
        out->efi_systab = e->systab;
    }
}

static void parse_efi_mmap(const struct mb2_tag *tag, struct loader_info *out)
{
    const struct mb2_efi_mmap *m = (const void *)tag;

    if (tag->size > sizeof(*m)) {
        out->efi_map = m->entries;
        out->efi_map_bytes = tag->size - sizeof(*m);
        out->efi_desc_bytes = m->desc_bytes;
    }
}

static void parse_tag(const struct mb2_tag *tag, struct loader_info *out)
{
    const char *text = (const char *)(tag + 1);
    size_t n = tag->size - sizeof(*tag);

    switch (tag->type) {
    case TAG_CMDLINE:
        copy_text(out->cmdline, sizeof(out->cmdline), text, n);
        break;
    case TAG_LOADER_NAME:
        copy_text(out->name, sizeof(out->name), text, n);
        break;
    case TAG_MODULE:
        parse_module(tag, out);
        break;
    case TAG_MMAP:
        parse_mmap(tag, out);
        break;
    case TAG_ACPI_OLD:
    case TAG_ACPI_NEW:
        parse_rsdp(tag, out);
        break;
    case TAG_FRAMEBUFFER:
        parse_framebuffer(tag, out);
        break;
    case TAG_EFI64:
        parse_efi64(tag, out);
        break;
    case TAG_EFI_MMAP:
        parse_efi_mmap(tag, out);
        break;
    default: /* other tags are not for us */
        break;
    }
}

int multiboot2_parse(const void *info, struct loader_info *out)
{
    uint32_t total = *(const uint32_t *)info;
    uint32_t off = 8;

    if (total < 16 || total > INFO_BYTES_MAX) {
        return -EINVAL;
    }
    out->info_bytes = total;
    while (off + sizeof(struct mb2_tag) <= total) {
        const struct mb2_tag *tag =
            (const void *)((const char *)info + off);

        if (tag->type == TAG_END) {
            return 0;
        }
        if (tag->size < sizeof(*tag) || tag->size > total - off) {
            return -EINVAL;
        }
        parse_tag(tag, out);
        off += ALIGN_UP(tag->size, 8U);
    }
    return -EINVAL;
}
