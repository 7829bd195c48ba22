/* SPDX-License-Identifier: MIT */
/* tests/unit/tools/tree.h - a directory that a test fills and removes. */
#ifndef VIGIL_TESTS_TOOLS_TREE_H
#define VIGIL_TESTS_TOOLS_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the running test; ends with a NUL. */
static char tree[64];

static inline int tree_new(void)
{
    strcpy(tree, "/tmp/vigil-unit-XXXXXX");
    return mkdtemp(tree) ? 0 : -1;
}

static inline int tree_remove_one(const char *path, const struct stat *about,
                                  int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int tree_remove(void)
{
    return nftw(tree, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
