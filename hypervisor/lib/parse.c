/* SPDX-License-Identifier: MIT */
/*
 * lib/parse.c - the values of command-line options.
 */
#include "lib/parse.h"

#include "lib/errno.h"
#include "lib/string.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Read digits at *@text; moves it behind them. */
static int read_number(const char **text, uint64_t *ret_value)
{
    const char *p = *text;
    unsigned int base = 10;
    uint64_t v = 0;
    int d;

    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    } else if (p[0] == '0') {
        base = 8;
    }
    d = digit_value(*p);
    if (d < 0 || (unsigned int)d >= base) {
        return -EINVAL;
    }
    for (; d >= 0 && (unsigned int)d < base; d = digit_value(*++p)) {
        if (v > (UINT64_MAX - (unsigned int)d) / base) {
            return -ERANGE;
        }
        v = v * base + (unsigned int)d;
    }
    *text = p;
    *ret_value = v;
    return 0;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
    uint64_t v;
    int rc = read_number(&text, &v);

    if (rc != 0) {
        return rc;
    }
    if (*text != '\0') {
        return -EINVAL;
    }
    *ret_value = v;
    return 0;
}

int parse_uint(const char *text, unsigned int max, unsigned int *ret_value)
{
    uint64_t v;
    int rc = parse_u64(text, &v);

    if (rc != 0) {
        return rc;
    }
    if (v > max) {
        return -ERANGE;
    }
    *ret_value = (unsigned int)v;
    return 0;
}

/* The power of two a size letter stands for; -1: not one. */
static int size_shift(char letter)
{
    static const struct {
        char letter;
        signed char shift;
    } units[] = {{'b', 0},  {'B', 0},  {'k', 10}, {'K', 10}, {'m', 20},
                 {'M', 20}, {'g', 30}, {'G', 30}, {'t', 40}, {'T', 40}};

    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (units[i].letter == letter) {
            return units[i].shift;
        }
    }
    return -1;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
    uint64_t v;
    int shift = 10;
    int rc = read_number(&text, &v);

    if (rc != 0) {
        return rc;
    }
    if (*text != '\0') {
        shift = size_shift(*text++);
        if (shift < 0 || *text != '\0') {
            return -EINVAL;
        }
    }
    if (v > UINT64_MAX >> shift) {
        return -ERANGE;
    }
    *ret_bytes = v << shift;
    return 0;
}

int parse_bool(const char *text, bool *ret_value)
{
    static const char *const yes[] = {"", "1", "on", "yes", "true", "enable"};
    static const char *const no[] = {"0", "off", "no", "false", "disable"};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (strcmp(text, yes[i]) == 0) {
            *ret_value = true;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
        if (strcmp(text, no[i]) == 0) {
            *ret_value = false;
            return 0;
        }
    }
    return -EINVAL;
}

bool parse_next(const char **cursor, char separator, char *item, size_t size)
{
    const char *begin = *cursor;
    const char *end;
    size_t n;

    if (begin == NULL || *begin == '\0') {
        return false;
    }
    end = strchr(begin, separator);
    if (end == NULL) {
        end = begin + strlen(begin);
        *cursor = end;
    } else {
        *cursor = end + 1;
    }
    n = MIN((size_t)(end - begin), size - 1);
    memcpy(item, begin, n);
    item[n] = '\0';
    return true;
}

const char *parse_key(const char *item, const char *key)
{
    size_t len = strlen(key);

    if (strncmp(item, key, len) != 0) {
        return NULL;
    }
    if (item[len] == '\0') {
        return item + len;
    }
    return item[len] == '=' || item[len] == ':' ? item + len + 1 : NULL;
}
