/* SPDX-License-Identifier: MIT */
/* lib/escape.c - make text from strangers harmless. */
#include "lib/escape.h"

#include <string.h>

#include "lib/fault.h"

#define ESCAPED_MAX 4 /* \xNN */

/* Write the form of one byte to @form, return its length. */
static size_t escape_byte(char form[ESCAPED_MAX + 1], unsigned char byte,
                          unsigned int flags)
{
    static const char digits[] = "0123456789abcdef";

    if ((byte >= 0x20 && byte < 0x7f) ||
        ((flags & ESCAPE_KEEP_LINES) && (byte == '\n' || byte == '\t'))) {
        form[0] = (char)byte;
        form[1] = '\0';
        return 1;
    }
    form[0] = '\\';
    form[1] = 'x';
    form[2] = digits[byte >> 4];
    form[3] = digits[byte & 15];
    form[4] = '\0';
    return ESCAPED_MAX;
}

/* A carriage return before a newline is how consoles end lines: no noise. */
static int is_line_end(const char *src, size_t len, size_t at,
                       unsigned int flags)
{
    return (flags & ESCAPE_KEEP_LINES) && src[at] == '\r' && at + 1 < len &&
           (src[at + 1] == '\n' || src[at + 1] == '\r');
}

size_t escape_text(char *dst, size_t cap, const char *src, size_t len,
                   unsigned int flags)
{
    char form[ESCAPED_MAX + 1];
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        size_t bytes;

        if (is_line_end(src, len, i, flags)) {
            continue;
        }
        bytes = escape_byte(form, (unsigned char)src[i], flags);
        if (used + bytes >= cap) {
            break;
        }
        memcpy(dst + used, form, bytes);
        used += bytes;
    }
    dst[used] = '\0';
    return used;
}

char *escape_dup(const char *src, size_t len, unsigned int flags)
{
    size_t cap = len * ESCAPED_MAX + 1;
    char *text = xmalloc(cap);

    escape_text(text, cap, src, len, flags);
    return text;
}

void escape_print(FILE *out, const char *src, size_t len, unsigned int flags)
{
    char form[ESCAPED_MAX + 1];

    for (size_t i = 0; i < len; i++) {
        if (!is_line_end(src, len, i, flags)) {
            escape_byte(form, (unsigned char)src[i], flags);
            fputs(form, out);
        }
    }
}

void escape_file_name(char *dst, size_t cap, const char *src)
{
    size_t used = 0;

    for (; *src && used + 1 < cap; src++) {
        char c = *src;
        int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';

        if (c == '.' && used == 0) {
            plain = 0;
        }
        dst[used++] = plain ? c : '_';
    }
    dst[used] = '\0';
    if (used == 0) {
        memcpy(dst, "unnamed", sizeof("unnamed"));
    }
}
