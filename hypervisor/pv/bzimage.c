/* SPDX-License-Identifier: MIT */
/*
 * pv/bzimage.c - find the kernel inside the file the loader gave us.
 * Source: Linux Documentation/arch/x86/boot.rst (the setup header).
 */
#include "pv/bzimage.h"

#include "lib/errno.h"
#include "lib/string.h"

#define SETUP_SECTS    0x1f1
#define BOOT_FLAG      0x1fe
#define HEADER_MAGIC   0x202
#define VERSION        0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define HEADER_END     0x250
#define MIN_VERSION    0x208
#define SECTOR         512
#define UNPACKED_MAX   (1UL << 30)

static uint32_t field(const uint8_t *p, unsigned int offset, unsigned int bytes)
{
    uint32_t v = 0;

    memcpy(&v, p + offset, bytes);
    return v;
}

static bool is_elf(const uint8_t *p, uint64_t bytes)
{
    return bytes >= 4 && memcmp(p, "\177ELF", 4) == 0;
}

static bool is_xz(const uint8_t *p, uint64_t bytes)
{
    return bytes >= 6 && memcmp(p, "\3757zXZ\0", 6) == 0;
}

static int payload_kind(struct kernel_payload *payload, const char **ret_why)
{
    if (is_elf(payload->data, payload->bytes)) {
        payload->is_xz = false;
        return 0;
    }
    if (!is_xz(payload->data, payload->bytes) || payload->bytes < 36) {
        *ret_why = "the kernel is neither xz-compressed nor plain ELF";
        return -EINVAL;
    }
    /* The kernel's build appends the unpacked size to the stream. */
    payload->is_xz = true;
    payload->bytes -= 4;
    payload->unpacked_bytes =
        field(payload->data + payload->bytes, 0, sizeof(uint32_t));
    if (payload->unpacked_bytes == 0 ||
        payload->unpacked_bytes > UNPACKED_MAX) {
        *ret_why = "the kernel's xz payload claims an impossible size";
        return -EINVAL;
    }
    return 0;
}

int bzimage_find(const void *file, uint64_t bytes,
                 struct kernel_payload *ret_payload, const char **ret_why)
{
    const uint8_t *p = file;
    struct kernel_payload payload = {.data = p, .bytes = bytes};
    uint64_t start, length;
    uint32_t sectors;
    int rc;

    if (!is_elf(p, bytes)) {
        if (bytes < HEADER_END || field(p, BOOT_FLAG, 2) != 0xaa55 ||
            memcmp(p + HEADER_MAGIC, "HdrS", 4) != 0) {
            *ret_why = "the kernel file is neither a bzImage nor an ELF file";
            return -EINVAL;
        }
        if (field(p, VERSION, 2) < MIN_VERSION) {
            *ret_why = "the bzImage is too old (boot protocol before 2.08)";
            return -EINVAL;
        }
        sectors = field(p, SETUP_SECTS, 1);
        sectors = sectors == 0 ? 4 : sectors;
        start = (uint64_t)(sectors + 1) * SECTOR + field(p, PAYLOAD_OFFSET, 4);
        length = field(p, PAYLOAD_LENGTH, 4);
        if (length == 0 || start > bytes || length > bytes - start) {
            *ret_why = "the bzImage is truncated: its payload lies beyond "
                       "the end of the file";
            return -EINVAL;
        }
        payload.data = p + start;
        payload.bytes = length;
    }
    rc = payload_kind(&payload, ret_why);
    if (rc == 0) {
        *ret_payload = payload;
    }
    return rc;
}
