/* SPDX-License-Identifier: MIT */
/* lib/knownfile.c - what vigild remembers about the domains of this boot. */
#include "lib/knownfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/consolelog.h"
#include "lib/outfile.h"
#include "lib/place.h"

#define KNOWN_BYTES_MAX (4UL * 1024 * 1024)

struct json_object *knownfile_read(void)
{
    char *path = place(PLACE_RUN "/" KNOWN_FILE);
    struct json_object *top = NULL;
    char *text;
    size_t len;

    if (infile_read(AT_FDCWD, path, KNOWN_BYTES_MAX, &text, &len) == 0) {
        top = json_tokener_parse(text);
        free(text);
    }
    free(path);
    if (!json_object_is_type(top, json_type_object)) {
        json_object_put(top);
        top = NULL;
    }
    return top;
}

static int is_guest(struct json_object *object, const char *uuid,
                    uint32_t domid)
{
    struct json_object *value;

    return json_object_is_type(object, json_type_object) &&
           json_object_object_get_ex(object, "uuid", &value) &&
           json_object_is_type(value, json_type_string) &&
           strcmp(json_object_get_string(value), uuid) == 0 &&
           json_object_object_get_ex(object, "domid", &value) &&
           json_object_get_int64(value) == domid;
}

int64_t remembered_console_start(const char *uuid, uint32_t domid)
{
    int64_t start = CONSOLE_START_UNKNOWN;
    struct json_object *top = knownfile_read();
    struct json_object *guests;
    struct json_object *value;

    if (top && json_object_object_get_ex(top, "guests", &guests) &&
        json_object_is_type(guests, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(guests); i++) {
            struct json_object *guest = json_object_array_get_idx(guests, i);

            if (is_guest(guest, uuid, domid) &&
                json_object_object_get_ex(guest, "console_start", &value)) {
                start = json_object_get_int64(value);
            }
        }
    }
    json_object_put(top);
    return start;
}
