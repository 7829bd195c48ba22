/* SPDX-License-Identifier: MIT */
/* lib/outfile.c - files that appear whole or not at all, and reading them. */
#include "lib/outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct file_ops file_ops_system = {
    .write = write,
    .fsync = fsync,
    .renameat = renameat,
};

/* A medium that takes no byte this often in a row is broken. */
#define EMPTY_WRITES_MAX 8

int outfile_write(const struct file_ops *ops, int fd, const void *data,
                  size_t bytes)
{
    const char *at = data;
    int empty = 0;

    while (bytes) {
        ssize_t done = ops->write(fd, at, bytes);

        if (done < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        if (done == 0 && ++empty == EMPTY_WRITES_MAX) {
            errno = EIO;
            return -1;
        }
        at += done;
        bytes -= (size_t)done;
    }
    return 0;
}

int outfile_create(const struct file_ops *ops, int dirfd, const char *name,
                   const void *data, size_t bytes, struct fault *fault)
{
    int fd = openat(dirfd, name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    const char *step = "write";
    int err;

    if (fd < 0) {
        return fault_errno(fault, errno, "cannot create %s", name);
    }
    if (outfile_write(ops, fd, data, bytes)) {
        goto out_remove;
    }
    step = "sync";
    if (ops->fsync(fd)) {
        goto out_remove;
    }
    /* NFS and quotas report late: an error here means the data is not safe. */
    if (close(fd)) {
        err = errno;
        unlinkat(dirfd, name, 0);
        return fault_errno(fault, err, "cannot close %s", name);
    }
    return 0;

out_remove:
    err = errno;
    close(fd);
    unlinkat(dirfd, name, 0);
    return fault_errno(fault, err, "cannot %s %s (%zu bytes)", step, name,
                       bytes);
}

int outfile_replace(const struct file_ops *ops, int dirfd, const char *name,
                    const void *data, size_t bytes, struct fault *fault)
{
    char *temporary = xasprintf(".%s.new", name);
    int ret = -1;

    unlinkat(dirfd, temporary, 0);
    if (outfile_create(ops, dirfd, temporary, data, bytes, fault)) {
        goto out_free;
    }
    if (ops->renameat(dirfd, temporary, dirfd, name) || ops->fsync(dirfd)) {
        fault_errno(fault, errno, "cannot put %s in place", name);
        unlinkat(dirfd, temporary, 0);
        goto out_free;
    }
    ret = 0;
out_free:
    free(temporary);
    return ret;
}

/* The directory that @path lies in, open; -1 after a fault. */
static int open_parent(const char *path, char **ret_name, struct fault *fault)
{
    const char *slash = strrchr(path, '/');
    char *dir =
        slash ? xasprintf("%.*s/", (int)(slash - path), path) : xstrdup(".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *ret_name = xstrdup(slash ? slash + 1 : path);
    if (fd < 0) {
        fault_errno(fault, errno, "cannot open the directory of %s", path);
    } else if ((*ret_name)[0] == '\0') {
        close(fd);
        fd = fault_set(fault, EXIT_USAGE, "%s is no name of a file", path);
    }
    free(dir);
    return fd;
}

static void stream_free(struct outfile_stream *stream)
{
    close(stream->dirfd);
    free(stream->name);
    free(stream->temporary);
    memset(stream, 0, sizeof(*stream));
}

int outfile_begin(const char *path, struct outfile_stream *ret_stream,
                  struct fault *fault)
{
    struct outfile_stream stream = {.temporary = NULL};
    struct stat about;

    stream.dirfd = open_parent(path, &stream.name, fault);
    if (stream.dirfd < 0) {
        free(stream.name);
        return -1;
    }
    if (fstatat(stream.dirfd, stream.name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISREG(about.st_mode)) {
        fault_set(fault, EXIT_REFUSED,
                  "%s exists and is no regular file; it is not replaced", path);
        goto out_free;
    }
    stream.temporary = xasprintf(".%s.%d.new", stream.name, (int)getpid());
    unlinkat(stream.dirfd, stream.temporary, 0);
    stream.fd =
        openat(stream.dirfd, stream.temporary,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (stream.fd < 0) {
        fault_errno(fault, errno, "cannot create a file beside %s", path);
        goto out_free;
    }
    *ret_stream = stream;
    return 0;

out_free:
    stream_free(&stream);
    return -1;
}

int outfile_commit(const struct file_ops *ops, struct outfile_stream *stream,
                   struct fault *fault)
{
    const char *step = "sync";
    int err = ops->fsync(stream->fd) ? errno : 0;

    if (close(stream->fd) && !err) {
        step = "close";
        err = errno;
    }
    if (!err && (ops->renameat(stream->dirfd, stream->temporary, stream->dirfd,
                               stream->name) ||
                 ops->fsync(stream->dirfd))) {
        step = "put in place";
        err = errno;
    }
    if (err) {
        fault_errno(fault, err, "cannot %s %s", step, stream->name);
        unlinkat(stream->dirfd, stream->temporary, 0);
    }
    stream_free(stream);
    return err ? -1 : 0;
}

void outfile_abandon(struct outfile_stream *stream)
{
    close(stream->fd);
    unlinkat(stream->dirfd, stream->temporary, 0);
    stream_free(stream);
}

int outfile_append(const char *path, const void *data, size_t bytes,
                   struct fault *fault)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    off_t before;
    char last;
    int err = 0;

    if (fd < 0) {
        return fault_errno(fault, errno, "cannot open %s", path);
    }
    before = lseek(fd, 0, SEEK_END);
    /* A writer that was killed left half a line: let it be one of its own. */
    if (before > 0 && pread(fd, &last, 1, before - 1) == 1 && last != '\n' &&
        outfile_write(&file_ops_system, fd, "\n", 1)) {
        err = errno;
    } else if (outfile_write(&file_ops_system, fd, data, bytes)) {
        err = errno;
    }
    /* Half a record would spoil the next one too. */
    if (err && before >= 0 && ftruncate(fd, before)) {
        fault_set(fault, EXIT_STORAGE, "half a line is left in %s", path);
    }
    if (close(fd) && !err) {
        err = errno;
    }
    return err ? fault_errno(fault, err, "cannot append to %s", path) : 0;
}

int outfile_make_dirs(const char *path, mode_t mode, struct fault *fault)
{
    char *part = xstrdup(path);
    int ret = 0;

    for (char *at = part + 1; ret == 0; at++) {
        char here = *at;

        if (here != '/' && here != '\0') {
            continue;
        }
        *at = '\0';
        if (mkdir(part, mode) && errno != EEXIST) {
            ret = fault_errno(fault, errno, "cannot make directory %s", part);
        }
        *at = here;
        if (here == '\0') {
            break;
        }
    }
    free(part);
    return ret;
}

int outfile_remove_tree(int parent, const char *name)
{
    int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct dirent *item;
    DIR *dir;

    if (fd < 0) {
        return -1;
    }
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -1;
    }
    while ((item = readdir(dir)) != NULL) {
        if (strcmp(item->d_name, ".") && strcmp(item->d_name, "..")) {
            unlinkat(dirfd(dir), item->d_name, 0);
        }
    }
    closedir(dir);
    return unlinkat(parent, name, AT_REMOVEDIR);
}

int infile_read(int dirfd, const char *name, size_t max, char **ret_data,
                size_t *ret_len)
{
    int fd =
        openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat about;
    size_t len = 0;
    char *data;
    int err;

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &about)) {
        goto out_close;
    }
    if (!S_ISREG(about.st_mode)) {
        errno = EINVAL;
        goto out_close;
    }
    if ((size_t)about.st_size > max &&
        lseek(fd, about.st_size - (off_t)max, SEEK_SET) < 0) {
        goto out_close;
    }
    if ((size_t)about.st_size < max) {
        max = (size_t)about.st_size;
    }
    data = xmalloc(max + 1);
    while (len < max) {
        ssize_t got = read(fd, data + len, max - len);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            free(data);
            goto out_close;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    close(fd);
    data[len] = '\0';
    *ret_data = data;
    *ret_len = len;
    return 0;

out_close:
    err = errno;
    close(fd);
    errno = err;
    return -1;
}
