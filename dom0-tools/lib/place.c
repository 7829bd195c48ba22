/* SPDX-License-Identifier: MIT */
/* lib/place.c - where things are on disk. */
#include "lib/place.h"

#include <stdlib.h>

#include "lib/fault.h"

static const char *prefix = "";

void place_set_root(const char *root)
{
    if (!root) {
        root = getenv("VIGIL_ROOT");
    }
    prefix = root ? root : "";
}

char *place(const char *path)
{
    return xasprintf("%s%s", prefix, path);
}
