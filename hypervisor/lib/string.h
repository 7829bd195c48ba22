/* SPDX-License-Identifier: MIT */
/*
 * lib/string.h - memory blocks and NUL-terminated strings.
 *
 * Used everywhere, NMI and #MC context included: every function here is
 * NMI_SAFE, takes no lock and touches only what its arguments name.  The
 * compiler itself emits calls to memcpy, memmove, memset and memcmp, so those
 * four keep the names and the meaning ISO C gives them.
 *
 * None of them may be given a guest's pointer; pv/guest_access.h is for that.
 */
#ifndef VIGIL_LIB_STRING_H
#define VIGIL_LIB_STRING_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * memcpy() - copy bytes between blocks that do not overlap
 * @dst: first byte of the destination
 * @src: first byte of the source
 * @len: bytes to copy, may be 0
 *
 * Context: any.
 * Return:  @dst
 */
void *memcpy(void *dst, const void *src, size_t len);

/**
 * memmove() - copy bytes between blocks that may overlap
 * @dst: first byte of the destination
 * @src: first byte of the source
 * @len: bytes to copy, may be 0
 *
 * Context: any.
 * Return:  @dst
 */
void *memmove(void *dst, const void *src, size_t len);

/**
 * memset() - fill a block with one byte value
 * @dst:   first byte
 * @value: converted to unsigned char
 * @len:   bytes to fill, may be 0
 *
 * Context: any.
 * Return:  @dst
 */
void *memset(void *dst, int value, size_t len);

/**
 * memcmp() - compare two blocks as unsigned bytes
 * @a:   first block
 * @b:   second block
 * @len: bytes to compare, may be 0
 *
 * Not constant in time; nothing here compares secrets.
 *
 * Context: any.
 * Return:  negative, 0, positive: @a less than, equal to, greater than @b
 */
int memcmp(const void *a, const void *b, size_t len);

/**
 * memchr() - find the first byte of a value in a block
 * @block: where to look
 * @value: converted to unsigned char
 * @len:   bytes to look at
 *
 * Context: any.
 * Return:  address of the byte; NULL: not there
 */
void *memchr(const void *block, int value, size_t len);

/**
 * strlen() - length of a string
 * @s: NUL-terminated
 *
 * Context: any.  Never for text from outside: use strnlen().
 * Return:  bytes before the NUL
 */
size_t strlen(const char *s);

/**
 * strnlen() - length of a string of bounded size
 * @s:   string, perhaps without a NUL in its first @max bytes
 * @max: bytes that may be looked at
 *
 * Context: any.
 * Return:  bytes before the NUL, at most @max
 */
size_t strnlen(const char *s, size_t max);

/**
 * strcmp() - compare two strings as unsigned bytes
 * @a: NUL-terminated
 * @b: NUL-terminated
 *
 * Context: any.
 * Return:  negative, 0, positive, as memcmp()
 */
int strcmp(const char *a, const char *b);

/**
 * strncmp() - compare the beginnings of two strings
 * @a:   string
 * @b:   string
 * @max: bytes to compare at most
 *
 * Context: any.
 * Return:  negative, 0, positive, as memcmp()
 */
int strncmp(const char *a, const char *b, size_t max);

/**
 * strchr() - find the first occurrence of a byte in a string
 * @s: NUL-terminated
 * @c: converted to char; 0 finds the NUL itself
 *
 * Context: any.
 * Return:  address of the byte; NULL: not there
 */
char *strchr(const char *s, int c);

/**
 * strlcpy() - copy a string into a buffer of known size
 * @dst:  buffer; NUL-terminated afterwards unless @size is 0
 * @src:  NUL-terminated
 * @size: bytes in @dst
 *
 * Context: any.
 * Return:  strlen(@src); a value >= @size says that the copy was cut
 */
size_t strlcpy(char *dst, const char *src, size_t size);

#endif
