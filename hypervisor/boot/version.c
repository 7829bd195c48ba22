/* SPDX-License-Identifier: MIT */
/*
 * boot/version.c - version and build-id (the linker's note).
 */
#include "boot/version.h"

#include "lib/format.h"
#include "lib/types.h"

/* ELF note: name size, descriptor size, type, "GNU\0", the id. */
#define NOTE_HEADER_BYTES 16
#define ID_SHOWN_BYTES 8

extern const uint8_t __build_id_start[], __build_id_end[];

const char *version_text(void)
{
    static char text[64];
    const uint8_t *id = __build_id_start + NOTE_HEADER_BYTES;
    unsigned int i;
    int n;

    if (text[0] != '\0') {
        return text;
    }
    n = snprintf(text, sizeof(text), "Vigil 4.17.0-vigil build-id ");
    for (i = 0; i < ID_SHOWN_BYTES && id + i < __build_id_end; i++) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", id[i]);
    }
    return text;
}
