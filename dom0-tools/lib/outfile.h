/* SPDX-License-Identifier: MIT */
/*
 * lib/outfile.h - files that appear whole or not at all, and reading them.
 *
 * Every result is checked: write, fsync, close, rename.  The system calls go
 * through a table so that the tests can make each of them fail.
 */
#ifndef VIGIL_TOOLS_OUTFILE_H
#define VIGIL_TOOLS_OUTFILE_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/fault.h"

struct file_ops {
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*fsync)(int fd);
    int (*renameat)(int from_dir, const char *from, int to_dir, const char *to);
};

/* The system's own calls. */
extern const struct file_ops file_ops_system;

/**
 * outfile_create() - write a new file and sync it
 * @ops:   system calls
 * @dirfd: open directory
 * @name:  name in it; must not exist
 * @data:  contents
 * @bytes: size of @data
 * @fault: says why on failure
 *
 * The file gets mode 0600.  On failure it is removed again.
 *
 * Context: any.
 * Return:  0, or -1
 */
int outfile_create(const struct file_ops *ops, int dirfd, const char *name,
                   const void *data, size_t bytes, struct fault *fault);

/**
 * outfile_replace() - write a file whole, over an older one if there is one
 * @ops:   system calls
 * @dirfd: open directory
 * @name:  name in it
 * @data:  contents
 * @bytes: size of @data
 * @fault: says why on failure; an older file is then untouched
 *
 * Context: any.
 * Return:  0, or -1
 */
int outfile_replace(const struct file_ops *ops, int dirfd, const char *name,
                    const void *data, size_t bytes, struct fault *fault);

/* A file that is being written piece by piece, by whomever. */
struct outfile_stream {
    int fd; /* write here                                      */
    int dirfd;
    char *name;
    char *temporary; /* where it is until it is whole                   */
};

/**
 * outfile_begin() - begin a file that will be written to a descriptor
 * @path:       where it will be; an older file stays until outfile_commit()
 * @ret_stream: filled in on success; ends by one of the next two
 * @fault:      says why on failure
 *
 * The file gets mode 0600.
 *
 * Context: any.
 * Return:  0, or -1
 */
int outfile_begin(const char *path, struct outfile_stream *ret_stream,
                  struct fault *fault);

/**
 * outfile_commit() - sync a file and put it in place
 * @ops:    system calls
 * @stream: as begun; released
 * @fault:  says why on failure; then an older file is untouched
 *
 * Context: any.
 * Return:  0, or -1
 */
int outfile_commit(const struct file_ops *ops, struct outfile_stream *stream,
                   struct fault *fault);

/**
 * outfile_abandon() - leave nothing of a file that was begun
 * @stream: as begun; released
 *
 * Context: any.
 */
void outfile_abandon(struct outfile_stream *stream);

/**
 * outfile_write() - write all of something to a descriptor
 * @ops:   system calls
 * @fd:    open file
 * @data:  bytes
 * @bytes: size of @data
 *
 * Context: any.
 * Return:  0, or -1 with errno
 */
int outfile_write(const struct file_ops *ops, int fd, const void *data,
                  size_t bytes);

/**
 * outfile_append() - append one record to a log file
 * @path:  file; created with mode 0640 if missing
 * @data:  record
 * @bytes: size of @data
 * @fault: says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int outfile_append(const char *path, const void *data, size_t bytes,
                   struct fault *fault);

/**
 * outfile_make_dirs() - make a directory and those above it
 * @path:  absolute or relative path
 * @mode:  mode of those that are made
 * @fault: says why on failure
 *
 * Context: any.
 * Return:  0 if it exists now, or -1
 */
int outfile_make_dirs(const char *path, mode_t mode, struct fault *fault);

/**
 * outfile_remove_tree() - remove a directory and the files in it
 * @parent: open directory
 * @name:   directory in it, one level deep
 *
 * Context: any.
 * Return:  0, or -1 with errno
 */
int outfile_remove_tree(int parent, const char *name);

/**
 * infile_read() - read a file, or its end if it is long
 * @dirfd:    open directory, or AT_FDCWD
 * @name:     file in it; a symbolic link is refused
 * @max:      largest number of bytes wanted
 * @ret_data: NUL-terminated contents, freed by the caller; success only
 * @ret_len:  length without the NUL
 *
 * Context: any.
 * Return:  0, or -1 with errno
 */
int infile_read(int dirfd, const char *name, size_t max, char **ret_data,
                size_t *ret_len);

#endif
