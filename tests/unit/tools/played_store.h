/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/tools/played_store.h - the collector with a store of its own, on
 * a disk that a test may fill.
 */
#ifndef VIGIL_TESTS_TOOLS_PLAYED_STORE_H
#define VIGIL_TESTS_TOOLS_PLAYED_STORE_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/place.h"
#include "tests/unit/tools/tree.h"
#include "vigild/collector.h"

static struct collector collector;
static struct fault fault;
static struct file_ops ops;
static int fail_writes;

static inline ssize_t failing_write(int fd, const void *data, size_t bytes)
{
    if (fail_writes) {
        errno = ENOSPC;
        return -1;
    }
    return file_ops_system.write(fd, data, bytes);
}

/* Begin a test with an empty store. */
static inline int played_store_new(void)
{
    char *path;
    int rc;

    memset(&collector, 0, sizeof(collector));
    strcpy(collector.boot_id, "boot-now");
    fail_writes = 0;
    ops = file_ops_system;
    ops.write = failing_write;
    if (tree_new()) {
        return -1;
    }
    place_set_root(tree);
    path = place(PLACE_CRASHES);
    rc = store_open(&collector.store, path, &ops, &fault);
    free(path);
    return rc;
}

static inline int played_store_remove(void)
{
    store_close(&collector.store);
    return tree_remove();
}

/* Of a crash in the store; to be freed. */
static inline char *read_file(const struct crash *crash, const char *file)
{
    char *path = xasprintf("%s/%s", crash->name, file);
    char *text;
    size_t len;

    assert_int_equal(
        infile_read(collector.store.dirfd, path, 100000, &text, &len), 0);
    free(path);
    return text;
}

#endif
