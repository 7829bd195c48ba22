/* SPDX-License-Identifier: MIT */
/*
 * lib/format.c - bounded printf-style formatting.
 *
 * One pass over the format.  Each conversion is parsed into a struct spec,
 * turned into digits in a small stack buffer, and put out with padding.  The
 * output position counts on past the end of the buffer, so the length the
 * text would have had comes out by itself and nothing is stored beyond it.
 *
 * Conditions are if-chains rather than switches: a jump table would be an
 * indirect branch in NMI-safe code, which the lint (rightly) cannot follow.
 */
#include "lib/format.h"

#include "lib/string.h"

#define DIGITS_MAX 24 /* 64 bits in octal: 22 digits */

/* A width or precision larger than any buffer is a mistake; clamp it. */
#define FIELD_MAX 4096

struct out {
    char *buf;
    size_t size;
    size_t at; /* position, may run past size */
};

struct spec {
    bool left, zero, plus, space, alt;
    bool has_precision;
    int width;
    int precision;
    char length; /* 'H' for hh, 'h', 'l', 'q' for ll, 'z', or 0 */
    char conversion;
};

NMI_SAFE static void put(struct out *o, char c)
{
    if (o->at < o->size) {
        o->buf[o->at] = c;
    }
    o->at++;
}

NMI_SAFE static void put_repeated(struct out *o, char c, int count)
{
    for (; count > 0; count--) {
        put(o, c);
    }
}

/* Few bytes: digits, prefixes. */
NMI_SAFE static void put_bytes(struct out *o, const char *s, size_t len)
{
    for (; len > 0; len--) {
        put(o, *s++);
    }
}

/* What stands before the next conversion; returns where that is, or the end. */
NMI_SAFE static const char *put_literal(struct out *o, const char *fmt)
{
    char *const buf = o->buf;
    const size_t size = o->size;
    size_t at = o->at;

    for (; *fmt != '%' && *fmt != '\0'; fmt++, at++) {
        if (at < size) {
            buf[at] = *fmt;
        }
    }
    o->at = at;
    return fmt;
}

/* Long enough, mostly, for a copy by words. */
NMI_SAFE static void put_text(struct out *o, const char *s)
{
    size_t len = strlen(s);

    if (o->at < o->size) {
        memcpy(o->buf + o->at, s, MIN(len, o->size - o->at));
    }
    o->at += len;
}

NMI_SAFE static int clamp_field(int v)
{
    return v > FIELD_MAX ? FIELD_MAX : v;
}

/* Parse decimal digits at *@fmt; moves it behind them. */
NMI_SAFE static int parse_number(const char **fmt)
{
    int v = 0;

    while (**fmt >= '0' && **fmt <= '9') {
        if (v < FIELD_MAX) {
            v = v * 10 + (**fmt - '0');
        }
        (*fmt)++;
    }
    return clamp_field(v);
}

NMI_SAFE static const char *parse_flags(struct spec *sp, const char *fmt)
{
    for (;; fmt++) {
        if (*fmt == '-') {
            sp->left = true;
        } else if (*fmt == '0') {
            sp->zero = true;
        } else if (*fmt == '+') {
            sp->plus = true;
        } else if (*fmt == ' ') {
            sp->space = true;
        } else if (*fmt == '#') {
            sp->alt = true;
        } else {
            return fmt;
        }
    }
}

NMI_SAFE static const char *parse_length(struct spec *sp, const char *fmt)
{
    if (*fmt == 'h') {
        fmt++;
        sp->length = 'h';
        if (*fmt == 'h') {
            fmt++;
            sp->length = 'H';
        }
    } else if (*fmt == 'l') {
        fmt++;
        sp->length = 'l';
        if (*fmt == 'l') {
            fmt++;
        }
    } else if (*fmt == 'z' || *fmt == 't' || *fmt == 'j') {
        fmt++;
        sp->length = 'l'; /* all of these are 64 bits wide here */
    }
    return fmt;
}

/*
 * Write @v backwards, ending before @end; the first digit is returned.  A loop
 * for each base: a shift or a multiplication then, where a division by a variable
 * would cost more than all else.
 */
NMI_SAFE static char *digits_of(char *end, uint64_t v, unsigned int base,
                                bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    if (base == 16) {
        do {
            *--end = digits[v & 15];
            v >>= 4;
        } while (v != 0);
    } else if (base == 8) {
        do {
            *--end = digits[v & 7];
            v >>= 3;
        } while (v != 0);
    } else {
        do {
            *--end = (char)('0' + v % 10);
            v /= 10;
        } while (v != 0);
    }
    return end;
}

NMI_SAFE static void put_number(struct out *o, const struct spec *sp,
                                uint64_t v, bool negative)
{
    char digits[DIGITS_MAX] UNINITIALISED;
    char *end = digits + DIGITS_MAX;
    char *first = end;
    char prefix[3];
    int prefix_len = 0, digit_len, zeros = 0, pad;
    unsigned int base = 10;
    bool upper = sp->conversion == 'X';

    if (sp->conversion == 'x' || upper) {
        base = 16;
    } else if (sp->conversion == 'o') {
        base = 8;
    }

    /* ISO C: the value 0 with precision 0 has no digits. */
    if (v != 0 || !sp->has_precision || sp->precision != 0) {
        first = digits_of(end, v, base, upper);
    }
    digit_len = (int)(end - first);

    if (negative) {
        prefix[prefix_len++] = '-';
    } else if (sp->conversion == 'd' && sp->plus) {
        prefix[prefix_len++] = '+';
    } else if (sp->conversion == 'd' && sp->space) {
        prefix[prefix_len++] = ' ';
    }
    if (sp->alt && base == 16 && v != 0) {
        prefix[prefix_len++] = '0';
        prefix[prefix_len++] = upper ? 'X' : 'x';
    }

    if (sp->has_precision) {
        zeros = sp->precision - digit_len;
    } else if (sp->zero && !sp->left) {
        zeros = sp->width - prefix_len - digit_len;
    }
    if (sp->alt && base == 8 && zeros <= 0 && (first == end || *first != '0')) {
        zeros = 1;
    }
    if (zeros < 0) {
        zeros = 0;
    }

    pad = sp->width - prefix_len - zeros - digit_len;
    if (!sp->left) {
        put_repeated(o, ' ', pad);
    }
    put_bytes(o, prefix, (size_t)prefix_len);
    put_repeated(o, '0', zeros);
    put_bytes(o, first, (size_t)digit_len);
    if (sp->left) {
        put_repeated(o, ' ', pad);
    }
}

NMI_SAFE static void put_string(struct out *o, const struct spec *sp,
                                const char *s)
{
    size_t len;
    int pad;

    if (s == NULL) {
        s = "(null)";
    }
    /* With a precision the text need not end in NUL: never look further. */
    len = sp->has_precision ? strnlen(s, (size_t)sp->precision) : strlen(s);
    pad = len < FIELD_MAX ? sp->width - (int)len : 0;
    if (!sp->left) {
        put_repeated(o, ' ', pad);
    }
    put_bytes(o, s, len);
    if (sp->left) {
        put_repeated(o, ' ', pad);
    }
}

NMI_SAFE static void put_char(struct out *o, const struct spec *sp, char c)
{
    if (!sp->left) {
        put_repeated(o, ' ', sp->width - 1);
    }
    put(o, c);
    if (sp->left) {
        put_repeated(o, ' ', sp->width - 1);
    }
}

NMI_SAFE static uint64_t narrow_unsigned(uint64_t v, char length)
{
    if (length == 'l') {
        return v;
    }
    if (length == 'h') {
        return (uint16_t)v;
    }
    if (length == 'H') {
        return (uint8_t)v;
    }
    return (uint32_t)v;
}

NMI_SAFE static int64_t narrow_signed(int64_t v, char length)
{
    if (length == 'l') {
        return v;
    }
    if (length == 'h') {
        return (int16_t)v;
    }
    if (length == 'H') {
        return (int8_t)v;
    }
    return (int32_t)v;
}

/* A va_list inside a struct can be passed by address portably. */
struct arguments {
    va_list list;
};

NMI_SAFE static void put_integer(struct out *o, struct spec *sp,
                                 struct arguments *args)
{
    if (sp->conversion == 'i') {
        sp->conversion = 'd';
    }
    if (sp->conversion == 'd') {
        int64_t v = sp->length == 'l' ? va_arg(args->list, int64_t)
                                      : va_arg(args->list, int);

        v = narrow_signed(v, sp->length);
        put_number(o, sp, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
    } else {
        uint64_t v = sp->length == 'l' ? va_arg(args->list, uint64_t)
                                       : va_arg(args->list, unsigned int);

        put_number(o, sp, narrow_unsigned(v, sp->length), false);
    }
}

/* Width and precision at @fmt. */
NMI_SAFE static const char *parse_sizes(struct spec *sp, const char *fmt,
                                        struct arguments *args)
{
    if (*fmt == '*') {
        fmt++;
        sp->width = va_arg(args->list, int);
        if (sp->width < 0) {
            sp->left = true;
            sp->width = sp->width < -FIELD_MAX ? FIELD_MAX : -sp->width;
        }
        sp->width = clamp_field(sp->width);
    } else {
        sp->width = parse_number(&fmt);
    }
    if (*fmt == '.') {
        fmt++;
        sp->has_precision = true;
        if (*fmt == '*') {
            fmt++;
            sp->precision = va_arg(args->list, int);
            if (sp->precision < 0) {
                sp->has_precision = false; /* ISO C: as if not given */
                sp->precision = 0;
            }
            sp->precision = clamp_field(sp->precision);
        } else {
            sp->precision = parse_number(&fmt);
        }
    }
    return fmt;
}

/* Without signs and spaces: the digits, and zeros before them up to a width. */
NMI_SAFE static void put_digits(struct out *o, uint64_t v, unsigned int base,
                                int width)
{
    char digits[DIGITS_MAX] UNINITIALISED;
    char *const end = digits + DIGITS_MAX;
    char *first = digits_of(end, v, base, false);

    while (end - first < width) {
        *--first = '0';
    }
    put_bytes(o, first, (size_t)(end - first));
}

/* The same in base 16, written where it stays if there is room. */
NMI_SAFE static void put_hex(struct out *o, uint64_t v, int width)
{
    int n = v != 0 ? (67 - __builtin_clzl(v)) / 4 : 1;
    char *first;

    n = MAX(n, width);
    if (o->size < o->at + (size_t)n) {
        put_digits(o, v, 16, width);
        return;
    }
    first = o->buf + o->at;
    o->at += (size_t)n;
    while (n > 0) {
        first[--n] = "0123456789abcdef"[v & 15];
        v >>= 4;
    }
}

/*
 * %s, %x, %lx, %u, %lu and these with a width like 016: nearly all there are, for
 * a third of the instructions.  @fmt is behind the %.  Returns what follows it,
 * NULL: it is none of these.
 */
NMI_SAFE static const char *put_plain(struct out *o, const char *fmt,
                                      struct arguments *args)
{
    uint64_t v;
    int width = 0;
    bool is_long;

    if (*fmt == 's') {
        const char *s = va_arg(args->list, const char *);

        s = s != NULL ? s : "(null)";
        put_text(o, s);
        return fmt + 1;
    }
    if (*fmt == '0') {
        width = parse_number(&fmt);
    }
    is_long = *fmt == 'l';
    fmt += is_long;
    if ((*fmt != 'x' && *fmt != 'u') || width > DIGITS_MAX) {
        return NULL;
    }
    v = is_long ? va_arg(args->list, uint64_t)
                : va_arg(args->list, unsigned int);
    if (*fmt == 'x') {
        put_hex(o, v, width);
    } else {
        put_digits(o, v, 10, width);
    }
    return fmt + 1;
}

/* One conversion; @fmt is behind the %.  Returns what follows it. */
NMI_SAFE static const char *put_conversion(struct out *o, const char *fmt,
                                           struct arguments *args)
{
    const char *begin = fmt - 1;
    const char *next = put_plain(o, fmt, args);
    struct spec sp = {0};
    char c;

    if (next != NULL) {
        return next;
    }
    fmt = parse_flags(&sp, fmt);
    fmt = parse_sizes(&sp, fmt, args);
    fmt = parse_length(&sp, fmt);
    c = sp.conversion = *fmt;

    if (c == 'd' || c == 'i' || c == 'u' || c == 'x' || c == 'X' || c == 'o') {
        put_integer(o, &sp, args);
    } else if (c == 's') {
        put_string(o, &sp, va_arg(args->list, const char *));
    } else if (c == 'c') {
        put_char(o, &sp, (char)va_arg(args->list, int));
    } else if (c == 'p') {
        sp.conversion = 'x';
        sp.has_precision = true;
        sp.precision = 16;
        put_bytes(o, "0x", 2);
        put_number(o, &sp, (uintptr_t)va_arg(args->list, void *), false);
    } else if (c == '%') {
        put(o, '%');
    } else {
        /* Unknown, or the format ended: show what stands there. */
        put_bytes(o, begin, (size_t)(fmt - begin));
        return fmt;
    }
    return fmt + 1;
}

NMI_SAFE int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = {.buf = buf, .size = size, .at = 0};
    struct arguments a;

    va_copy(a.list, args);
    while (*fmt != '\0') {
        fmt = put_literal(&o, fmt);
        if (*fmt == '%') {
            fmt = put_conversion(&o, fmt + 1, &a);
        }
    }
    va_end(a.list);

    if (size > 0) {
        buf[MIN(o.at, size - 1)] = '\0';
    }
    return o.at > INT32_MAX ? INT32_MAX : (int)o.at;
}

NMI_SAFE int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return n;
}

NMI_SAFE size_t vscnprintf(char *buf, size_t size, const char *fmt,
                           va_list args)
{
    size_t n = (size_t)vsnprintf(buf, size, fmt, args);

    if (n < size) {
        return n;
    }
    return size == 0 ? 0 : size - 1;
}

NMI_SAFE size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    size_t n;

    va_start(args, fmt);
    n = vscnprintf(buf, size, fmt, args);
    va_end(args);
    return n;
}
