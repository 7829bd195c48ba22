/* SPDX-License-Identifier: MIT */
/* lib/cfgscan.c - which keys a guest's configuration file sets. */
#include "lib/cfgscan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fault.h"

struct scanner {
    const char *text;
    size_t len;
    size_t at;
    unsigned int line;
};

static int peek(const struct scanner *scan)
{
    return scan->at < scan->len ? (unsigned char)scan->text[scan->at] : -1;
}

static int next(struct scanner *scan)
{
    int c = peek(scan);

    if (c >= 0) {
        scan->at++;
        if (c == '\n') {
            scan->line++;
        }
    }
    return c;
}

static int is_name(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static void skip_comment(struct scanner *scan)
{
    while (peek(scan) >= 0 && peek(scan) != '\n') {
        next(scan);
    }
}

static void skip_blanks(struct scanner *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\r') {
        next(scan);
    }
}

static void skip_string(struct scanner *scan)
{
    int quote = next(scan);
    int c;

    /* A string ends on its line; libxlutil reports one that does not. */
    while ((c = peek(scan)) >= 0 && c != '\n') {
        next(scan);
        if (c == quote) {
            return;
        }
        if (c == '\\' && peek(scan) >= 0) {
            next(scan);
        }
    }
}

/* Skip a value; 1 if it holds nothing but brackets and quotes. */
static int skip_value(struct scanner *scan)
{
    unsigned int depth = 0;
    int empty = 1;
    int c;

    while ((c = peek(scan)) >= 0) {
        if (c == '"' || c == '\'') {
            size_t from = scan->at;

            skip_string(scan);
            if (scan->at - from > 2) {
                empty = 0;
            }
            continue;
        }
        if (c == '#') {
            skip_comment(scan);
            continue;
        }
        if (depth == 0 && (c == '\n' || c == ';')) {
            break;
        }
        next(scan);
        if (c == '[') {
            depth++;
        } else if (c == ']') {
            depth -= depth ? 1 : 0;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n' &&
                   c != ',') {
            empty = 0;
        }
    }
    return empty;
}

static void key_add(struct cfg_keys *keys, const char *name, size_t len,
                    unsigned int line, int empty)
{
    struct cfg_key *key;

    keys->keys =
        xrealloc(keys->keys, (keys->count + 1) * sizeof(struct cfg_key));
    key = &keys->keys[keys->count++];
    memset(key, 0, sizeof(*key));
    if (len >= sizeof(key->name)) {
        len = sizeof(key->name) - 1;
    }
    memcpy(key->name, name, len);
    key->line = line;
    key->empty = empty;
}

void cfg_scan(const char *text, size_t len, struct cfg_keys *ret_keys)
{
    struct scanner scan = {.text = text, .len = len, .line = 1};
    int c;

    memset(ret_keys, 0, sizeof(*ret_keys));
    while ((c = peek(&scan)) >= 0) {
        size_t from = scan.at;
        unsigned int line = scan.line;
        size_t name_len;

        if (c == '#') {
            skip_comment(&scan);
            continue;
        }
        if (!is_name(c)) {
            next(&scan);
            continue;
        }
        while (is_name(peek(&scan))) {
            next(&scan);
        }
        name_len = scan.at - from;
        skip_blanks(&scan);
        if (peek(&scan) == '+') {
            next(&scan);
        }
        if (peek(&scan) == '=') {
            next(&scan);
            key_add(ret_keys, text + from, name_len, line, 0);
            ret_keys->keys[ret_keys->count - 1].empty = skip_value(&scan);
        } else {
            skip_value(&scan); /* not an assignment: libxlutil complains */
        }
    }
}

void cfg_keys_free(struct cfg_keys *keys)
{
    free(keys->keys);
    memset(keys, 0, sizeof(*keys));
}
