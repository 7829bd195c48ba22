/* SPDX-License-Identifier: MIT */
/*
 * lib.h - strings, formatting and the command line of a stub.
 *
 * Part of stub.h; no state but the command line the builder gave us.
 */
#ifndef VIGIL_STUBS_LIB_H
#define VIGIL_STUBS_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)          (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define barrier()        __asm__ volatile("" ::: "memory")
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/**
 * draw() - the next of a row of numbers
 * @seed:  where in the row
 * @below: limit
 *
 * Context: any.
 * Return:  0 to @below - 1
 */
static inline uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
    return (*seed >> 33) % below;
}

/**
 * memcpy() - copy bytes between buffers that do not overlap
 * @dst: destination
 * @src: source
 * @len: bytes
 *
 * Context: any.
 * Return:  @dst
 */
void *memcpy(void *dst, const void *src, size_t len);

/**
 * memmove() - copy bytes between buffers that may overlap
 * @dst: destination
 * @src: source
 * @len: bytes
 *
 * Context: any.
 * Return:  @dst
 */
void *memmove(void *dst, const void *src, size_t len);

/**
 * memset() - fill bytes
 * @dst:   destination
 * @value: byte, low 8 bits
 * @len:   bytes
 *
 * Context: any.
 * Return:  @dst
 */
void *memset(void *dst, int value, size_t len);

/**
 * memcmp() - compare bytes
 * @a:   one buffer
 * @b:   the other
 * @len: bytes
 *
 * Context: any.
 * Return:  negative, 0, positive as the first difference
 */
int memcmp(const void *a, const void *b, size_t len);

/**
 * strlen() - length of a terminated string
 * @s: string
 *
 * Context: any.
 * Return:  bytes before the terminator
 */
size_t strlen(const char *s);

/**
 * strncmp() - compare at most @len bytes of two strings
 * @a:   one string
 * @b:   the other
 * @len: most bytes to look at
 *
 * Context: any.
 * Return:  negative, 0, positive as the first difference
 */
int strncmp(const char *a, const char *b, size_t len);

/**
 * vformat() - format into a buffer
 * @buf:  room; terminated always
 * @size: bytes of room, not 0
 * @fmt:  %s %c %d %i %u %x %p %%, with l, z, width, 0 and - for strings
 * @args: arguments
 *
 * Context: any.
 * Return:  bytes written, without the terminator; never more than @size - 1
 */
PRINTF_LIKE(3, 0)
size_t vformat(char *buf, size_t size, const char *fmt, va_list args);

/**
 * format() - format into a buffer
 * @buf:  room; terminated always
 * @size: bytes of room, not 0
 * @fmt:  as for vformat()
 *
 * Context: any.
 * Return:  bytes written, without the terminator
 */
PRINTF_LIKE(3, 4)
size_t format(char *buf, size_t size, const char *fmt, ...);

/**
 * print() - format one message to the console
 * @fmt: as for vformat(); at most 511 bytes come out
 *
 * Context: any but handlers.
 * Return:  nothing
 */
PRINTF_LIKE(1, 2)
void print(const char *fmt, ...);

/**
 * cmdline_has() - is a word on the command line?
 * @word: whole word, without spaces
 *
 * Context: any.
 * Return:  true if a word is exactly @word
 */
bool cmdline_has(const char *word);

/**
 * cmdline_number() - value of `key=N` on the command line
 * @key:      the key, without '='
 * @fallback: what to answer when the key is absent or no number follows
 *
 * Context: any.
 * Return:  N (decimal, or hexadecimal after 0x)
 */
unsigned long cmdline_number(const char *key, unsigned long fallback);

#endif /* VIGIL_STUBS_LIB_H */
