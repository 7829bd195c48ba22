/* SPDX-License-Identifier: MIT */
/* lib/saveimage.c - the head of a saved guest's file, as xl writes it. */
#include "lib/saveimage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_BYTES      32
#define ORDER_OURS       0x01020304U
#define ORDER_SWAPPED    0x04030201U
#define FLAG_JSON        1U /* the configuration is JSON           */
#define FLAG_STREAM_2    2U /* the stream is libxl's second format */
/* A configuration of a thousand disks is still below this. */
#define CONFIG_BYTES_MAX (4U * 1024 * 1024)

static const char magic[MAGIC_BYTES + 1] =
    "Xen saved domain, xl format\n \0 \r";

/* In the byte order of the machine that wrote it. */
struct head {
    char magic[MAGIC_BYTES];
    uint32_t byte_order;
    uint32_t mandatory_flags;
    uint32_t optional_flags;
    uint32_t more_bytes;
};

_Static_assert(sizeof(struct head) == SAVEIMAGE_HEAD_BYTES, "head");

void *saveimage_head(const char *json, size_t *ret_bytes)
{
    uint32_t len = (uint32_t)strlen(json) + 1;
    struct head head = {
        .byte_order = ORDER_OURS,
        .mandatory_flags = FLAG_JSON | FLAG_STREAM_2,
        .more_bytes = len + (uint32_t)sizeof(len),
    };
    char *data = xmalloc(sizeof(head) + head.more_bytes);

    memcpy(head.magic, magic, MAGIC_BYTES);
    memcpy(data, &head, sizeof(head));
    memcpy(data + sizeof(head), &len, sizeof(len));
    memcpy(data + sizeof(head) + sizeof(len), json, len);
    *ret_bytes = sizeof(head) + head.more_bytes;
    return data;
}

int saveimage_check(const uint8_t bytes[SAVEIMAGE_HEAD_BYTES], const char *path,
                    uint32_t *ret_bytes, struct fault *fault)
{
    struct head head;

    memcpy(&head, bytes, sizeof(head));
    if (memcmp(head.magic, magic, MAGIC_BYTES)) {
        return fault_set(fault, EXIT_USAGE,
                         "%s is not a saved guest: it does not begin as "
                         "`vigil save` and `xl save` begin one",
                         path);
    }
    if (head.byte_order != ORDER_OURS) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         head.byte_order == ORDER_SWAPPED
                             ? "%s was saved on a machine of the other byte "
                               "order"
                             : "%s is damaged in its first bytes",
                         path);
    }
    if (head.mandatory_flags & ~(FLAG_JSON | FLAG_STREAM_2)) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "%s was saved by a newer xl: its flags are %#x", path,
                         head.mandatory_flags);
    }
    if (head.mandatory_flags != (FLAG_JSON | FLAG_STREAM_2)) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "%s was saved by an xl before 4.6; restore it there",
                         path);
    }
    if (head.more_bytes < sizeof(uint32_t) + 2 ||
        head.more_bytes > CONFIG_BYTES_MAX) {
        return fault_set(fault, EXIT_USAGE,
                         "%s is damaged: its configuration would be %u bytes",
                         path, head.more_bytes);
    }
    *ret_bytes = head.more_bytes;
    return 0;
}

char *saveimage_config(const uint8_t *data, size_t bytes, const char *path,
                       struct fault *fault)
{
    uint32_t len;
    char *json;

    if (bytes >= sizeof(len)) {
        memcpy(&len, data, sizeof(len));
        /* Others may write more behind it; it is of no concern here. */
        if (len > 1 && len <= bytes - sizeof(len) &&
            data[sizeof(len) + len - 1] == '\0') {
            json = xmalloc(len);
            memcpy(json, data + sizeof(len), len);
            return json;
        }
    }
    fault_set(fault, EXIT_USAGE, "%s is damaged: it holds no configuration",
              path);
    return NULL;
}

static int read_exactly(int fd, void *data, size_t bytes, const char *path,
                        struct fault *fault)
{
    char *at = data;

    while (bytes) {
        ssize_t got = read(fd, at, bytes);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fault_errno(fault, errno, "cannot read %s", path);
        }
        if (got == 0) {
            return fault_set(fault, EXIT_USAGE,
                             "%s ends too early to be a saved guest", path);
        }
        at += got;
        bytes -= (size_t)got;
    }
    return 0;
}

int saveimage_open(const char *path, char **ret_json, struct fault *fault)
{
    uint8_t head[SAVEIMAGE_HEAD_BYTES];
    struct stat about;
    uint8_t *more = NULL;
    char *json = NULL;
    uint32_t bytes;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return fault_errno(fault, errno, "cannot open %s", path);
    }
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
        close(fd);
        return fault_set(fault, EXIT_USAGE, "%s is no regular file", path);
    }
    if (read_exactly(fd, head, sizeof(head), path, fault) == 0 &&
        saveimage_check(head, path, &bytes, fault) == 0) {
        more = xmalloc(bytes);
        if (read_exactly(fd, more, bytes, path, fault) == 0) {
            json = saveimage_config(more, bytes, path, fault);
        }
    }
    free(more);
    if (!json) {
        close(fd);
        return -1;
    }
    *ret_json = json;
    return fd;
}
