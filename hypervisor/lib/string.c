/* SPDX-License-Identifier: MIT */
/*
 * lib/string.c - memory blocks and strings, in plain C.
 *
 * Blocks are moved by 8-byte words, eight at a time.  The words are accessed
 * through volatile: otherwise the compiler recognises the loop and replaces
 * it by a call to the function it is in.  Fast string instructions would be
 * shorter, but this floor has no assembly, and an emulated processor runs
 * them one iteration at a time.
 */
#include "lib/string.h"

/* A word at any address, of any type. */
typedef uint64_t word_t __attribute__((aligned(1), may_alias));

#define WORD  sizeof(word_t)
#define BLOCK 8 /* words copied without a look at the length */
#define ONES 0x0101010101010101ULL

typedef uint32_t half_t __attribute__((aligned(1), may_alias));
typedef uint16_t quarter_t __attribute__((aligned(1), may_alias));

/*
 * Up to 16 bytes without a loop: a pair of the largest pieces that fit, the
 * second ending with the block; they may overlap.  Most copies are this short,
 * those of the xz decoder above all.
 */
NMI_SAFE static void copy_short(unsigned char *d, const unsigned char *s,
                                size_t len)
{
    if (len >= WORD) {
        uint64_t first = *(const word_t *)s;
        uint64_t last = *(const word_t *)(s + len - WORD);

        *(word_t *)d = first;
        *(word_t *)(d + len - WORD) = last;
    } else if (len >= 4) {
        uint32_t first = *(const half_t *)s;
        uint32_t last = *(const half_t *)(s + len - 4);

        *(half_t *)d = first;
        *(half_t *)(d + len - 4) = last;
    } else if (len >= 2) {
        uint16_t first = *(const quarter_t *)s;
        uint16_t last = *(const quarter_t *)(s + len - 2);

        *(quarter_t *)d = first;
        *(quarter_t *)(d + len - 2) = last;
    } else if (len != 0) {
        *d = *s;
    }
}

NMI_SAFE void *memcpy(void *dst, const void *src, size_t len)
{
    volatile unsigned char *d = dst;
    const volatile unsigned char *s = src;

    if (len <= 2 * WORD) {
        copy_short(dst, src, len);
        return dst;
    }
    for (; len >= BLOCK * WORD; len -= BLOCK * WORD) {
#pragma GCC unroll 8
        for (unsigned int i = 0; i < BLOCK; i++) {
            ((volatile word_t *)d)[i] = ((const volatile word_t *)s)[i];
        }
        s += BLOCK * WORD;
        d += BLOCK * WORD;
    }
    for (; len >= WORD; len -= WORD) {
        *(volatile word_t *)d = *(const volatile word_t *)s;
        s += WORD;
        d += WORD;
    }
    if (len != 0) {
        /* The last word of the block; the block is longer than two. */
        s += len;
        d += len;
        ((volatile word_t *)d)[-1] = ((const volatile word_t *)s)[-1];
    }
    return dst;
}

/* Copy from the end towards the beginning. */
NMI_SAFE static void copy_backward(void *dst, const void *src, size_t len)
{
    volatile unsigned char *d = (volatile unsigned char *)dst + len;
    const volatile unsigned char *s = (const volatile unsigned char *)src + len;

    for (; len >= WORD; len -= WORD) {
        s -= WORD;
        d -= WORD;
        *(volatile word_t *)d = *(const volatile word_t *)s;
    }
    for (; len > 0; len--) {
        *--d = *--s;
    }
}

NMI_SAFE void *memmove(void *dst, const void *src, size_t len)
{
    /* Unsigned difference: dst before src gives a huge number. */
    if ((uintptr_t)dst - (uintptr_t)src >= len) {
        const volatile unsigned char *s = src;
        volatile unsigned char *d = dst;

        /*
         * Not memcpy(): it loads four words before it stores one, which is
         * right for overlap too, but nobody may rely on that.
         */
        for (; len >= WORD; len -= WORD) {
            *(volatile word_t *)d = *(const volatile word_t *)s;
            s += WORD;
            d += WORD;
        }
        for (; len > 0; len--) {
            *d++ = *s++;
        }
    } else {
        copy_backward(dst, src, len);
    }
    return dst;
}

NMI_SAFE void *memset(void *dst, int value, size_t len)
{
    volatile unsigned char *d = dst;
    uint64_t word = (unsigned char)value * ONES;

    /* Whole pages are cleared by this: see mm/scrub.c. */
    for (; len >= 16 * WORD; len -= 16 * WORD) {
        volatile word_t *w = (volatile word_t *)d;

        w[0] = word;
        w[1] = word;
        w[2] = word;
        w[3] = word;
        w[4] = word;
        w[5] = word;
        w[6] = word;
        w[7] = word;
        w[8] = word;
        w[9] = word;
        w[10] = word;
        w[11] = word;
        w[12] = word;
        w[13] = word;
        w[14] = word;
        w[15] = word;
        d += 16 * WORD;
    }
    for (; len >= WORD; len -= WORD) {
        *(volatile word_t *)d = word;
        d += WORD;
    }
    for (; len > 0; len--) {
        *d++ = (unsigned char)value;
    }
    return dst;
}

NMI_SAFE int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; len > 0; len--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

NMI_SAFE void *memchr(const void *block, int value, size_t len)
{
    const unsigned char *p = block;

    for (; len > 0; len--, p++) {
        if (*p == (unsigned char)value) {
            /* ISO C takes the const away; so must this. */
            return (void *)(uintptr_t)p;
        }
    }
    return NULL;
}

NMI_SAFE size_t strlen(const char *s)
{
    const volatile char *p = s;

    while (*p != '\0') {
        p++;
    }
    return (size_t)(p - s);
}

NMI_SAFE size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0') {
        n++;
    }
    return n;
}

NMI_SAFE int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

NMI_SAFE int strncmp(const char *a, const char *b, size_t max)
{
    for (; max > 0; max--, a++, b++) {
        if (*a != *b) {
            return (unsigned char)*a - (unsigned char)*b;
        }
        if (*a == '\0') {
            break;
        }
    }
    return 0;
}

NMI_SAFE char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return (char *)(uintptr_t)s;
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

NMI_SAFE size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t len = strlen(src);

    if (size > 0) {
        size_t n = MIN(len, size - 1);

        memcpy(dst, src, n);
        dst[n] = '\0';
    }
    return len;
}
