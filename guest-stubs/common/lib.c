/* SPDX-License-Identifier: MIT */
/*
 * lib.c - strings, formatting, command line.
 */
#include "stub.h"

void *memcpy(void *dst, const void *src, size_t len)
{
    return memmove(dst, src, len);
}

void *memmove(void *dst, const void *src, size_t len)
{
    char *d = dst;
    const char *s = src;

    if (d <= s) {
        while (len--) {
            *d++ = *s++;
        }
    } else {
        while (len--) {
            d[len] = s[len];
        }
    }
    return dst;
}

void *memset(void *dst, int value, size_t len)
{
    char *d = dst;

    while (len--) {
        *d++ = (char)value;
    }
    return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;

    for (; len; len--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t len = 0;

    while (s[len]) {
        len++;
    }
    return len;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (; len; len--, a++, b++) {
        if (*a != *b || !*a) {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

struct out {
    char *buf;
    size_t size, len;
};

static void put(struct out *out, char c)
{
    if (out->len + 1 < out->size) {
        out->buf[out->len++] = c;
    }
}

static void put_text(struct out *out, const char *s, size_t width, bool left)
{
    size_t len = strlen(s), pad = width > len ? width - len : 0;

    for (; pad && !left; pad--) {
        put(out, ' ');
    }
    while (*s) {
        put(out, *s++);
    }
    for (; pad; pad--) {
        put(out, ' ');
    }
}

static void put_number(struct out *out, uint64_t value, bool negative,
                       unsigned int base, size_t width, bool zeros)
{
    char digits[24];
    size_t n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative) {
        if (zeros) {
            put(out, '-');
            width = width ? width - 1 : 0;
        } else {
            digits[n++] = '-';
        }
    }
    for (; width > n; width--) {
        put(out, zeros ? '0' : ' ');
    }
    while (n) {
        put(out, digits[--n]);
    }
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out out = {.buf = buf, .size = size};

    for (; *fmt; fmt++) {
        bool left = false, zeros = false, is_long = false;
        size_t width = 0;
        char letter[2] = "";
        long number;

        if (*fmt != '%') {
            put(&out, *fmt);
            continue;
        }
        for (fmt++; *fmt == '-' || *fmt == '0'; fmt++) {
            left |= *fmt == '-';
            zeros |= *fmt == '0';
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
            width = width * 10 + (size_t)(*fmt - '0');
        }
        for (; *fmt == 'l' || *fmt == 'z'; fmt++) {
            is_long = true;
        }
        switch (*fmt) {
        case '\0':
            fmt--; /* a lone % at the end */
            break;
        case 's':
            put_text(&out, va_arg(args, const char *), width, left);
            break;
        case 'c':
            letter[0] = (char)va_arg(args, int);
            put_text(&out, letter, width, left);
            break;
        case 'd':
        case 'i':
            number = is_long ? va_arg(args, long) : va_arg(args, int);
            put_number(&out,
                       number < 0 ? 0 - (uint64_t)number : (uint64_t)number,
                       number < 0, 10, width, zeros);
            break;
        case 'u':
        case 'x':
            put_number(&out,
                       is_long ? va_arg(args, unsigned long)
                               : va_arg(args, unsigned int),
                       false, *fmt == 'u' ? 10 : 16, width, zeros);
            break;
        case 'p':
            put_number(&out, (uint64_t)va_arg(args, void *), false, 16, 16,
                       true);
            break;
        default:
            put(&out, *fmt);
            break;
        }
    }
    buf[out.len] = '\0';
    return out.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = vformat(buf, size, fmt, args);
    va_end(args);
    return len;
}

void print(const char *fmt, ...)
{
    char line[512];
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = vformat(line, sizeof(line), fmt, args);
    va_end(args);
    console_write(line, len);
}

/* Next word at or after @p: its start, length in *len; NULL at the end. */
static const char *next_word(const char *p, size_t *len)
{
    while (*p == ' ') {
        p++;
    }
    for (*len = 0; p[*len] && p[*len] != ' '; (*len)++) {
    }
    return *len ? p : NULL;
}

bool cmdline_has(const char *word)
{
    const char *p = (const char *)start_info->cmd_line;
    size_t len, want = strlen(word);

    for (; (p = next_word(p, &len)) != NULL; p += len) {
        if (len == want && !strncmp(p, word, len)) {
            return true;
        }
    }
    return false;
}

static int digit_of(char c)
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
    return 16;
}

unsigned long cmdline_number(const char *key, unsigned long fallback)
{
    const char *p = (const char *)start_info->cmd_line;
    size_t len, key_len = strlen(key);

    for (; (p = next_word(p, &len)) != NULL; p += len) {
        const char *digits = p + key_len + 1;
        unsigned long value = 0, base = 10;

        if (len <= key_len + 1 || strncmp(p, key, key_len) ||
            p[key_len] != '=') {
            continue;
        }
        if (len > key_len + 3 && !strncmp(digits, "0x", 2)) {
            base = 16;
            digits += 2;
        }
        if ((unsigned long)digit_of(*digits) >= base) {
            return fallback;
        }
        for (; (unsigned long)digit_of(*digits) < base; digits++) {
            value = value * base + (unsigned long)digit_of(*digits);
        }
        return value;
    }
    return fallback;
}
