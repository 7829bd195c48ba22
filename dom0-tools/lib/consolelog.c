/* SPDX-License-Identifier: MIT */
/* lib/consolelog.c - what a guest has printed. */
#include "lib/consolelog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/guests.h"
#include "lib/outfile.h"
#include "lib/place.h"

/* The path, or NULL where the name cannot be part of one. */
static char *log_path(const char *name)
{
    char *dir;
    char *path;

    if (!name[0] || strchr(name, '/')) {
        return NULL;
    }
    dir = place(PLACE_CONSOLE);
    path = xasprintf("%s/guest-%s.log", dir, name);
    free(dir);
    return path;
}

int64_t console_log_bytes(const char *name)
{
    char *path = log_path(name);
    struct stat about;
    int64_t bytes = 0;

    if (path && lstat(path, &about) == 0 && S_ISREG(about.st_mode)) {
        bytes = about.st_size;
    }
    free(path);
    return bytes;
}

char *console_log_read(const char *name, int64_t start, size_t max,
                       size_t *ret_len)
{
    int64_t bytes = console_log_bytes(name);
    char *path = log_path(name);
    char *text = NULL;

    if (start > 0 && start <= bytes && (uint64_t)(bytes - start) < max) {
        max = (size_t)(bytes - start);
    }
    if (!path || max == 0 ||
        infile_read(AT_FDCWD, path, max, &text, ret_len)) {
        text = NULL;
    }
    if (text && *ret_len == 0) {
        free(text);
        text = NULL;
    }
    free(path);
    return text;
}

char *console_page_of(struct xen *xen, uint32_t domid, const char *uuid,
                      unsigned long mfn, size_t *ret_len)
{
    char *text = console_page_read(domid, mfn, ret_len);

    /* It was mapped as a page of whoever has the number: was that the guest? */
    if (text && !guest_is(xen, domid, uuid)) {
        free(text);
        errno = ESRCH;
        return NULL;
    }
    return text;
}
