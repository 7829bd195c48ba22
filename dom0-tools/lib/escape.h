/* SPDX-License-Identifier: MIT */
/*
 * lib/escape.h - make text from strangers harmless.
 *
 * Guests choose their names, console output and crash messages.  Sent raw to
 * a terminal these could move the cursor, retitle the window or type keys.
 * Everything outside printable ASCII becomes \xNN.
 */
#ifndef VIGIL_TOOLS_ESCAPE_H
#define VIGIL_TOOLS_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* Let newline and tab through (for text of several lines). */
#define ESCAPE_KEEP_LINES 0x1U

/**
 * escape_text() - escape into memory
 * @dst:   NUL-terminated result; cut, never overrun
 * @cap:   bytes at @dst, at least 1
 * @src:   bytes, may contain anything
 * @len:   bytes at @src
 * @flags: ESCAPE_KEEP_LINES or 0
 *
 * Context: any.
 * Return:  length of the result, without the NUL
 */
size_t escape_text(char *dst, size_t cap, const char *src, size_t len,
                   unsigned int flags);

/**
 * escape_dup() - escape into new memory
 * @src:   bytes
 * @len:   bytes at @src
 * @flags: ESCAPE_KEEP_LINES or 0
 *
 * Context: any.
 * Return:  text, never NULL; freed with free()
 */
char *escape_dup(const char *src, size_t len, unsigned int flags);

/**
 * escape_print() - escape to a stream
 * @out:   stream
 * @src:   bytes
 * @len:   bytes at @src
 * @flags: ESCAPE_KEEP_LINES or 0
 *
 * Context: any.
 */
void escape_print(FILE *out, const char *src, size_t len, unsigned int flags);

/**
 * escape_file_name() - turn a guest's name into part of a file name
 * @dst: NUL-terminated result: letters, digits, dot, underscore, hyphen; no
 *       leading dot; "unnamed" when nothing is left
 * @cap: bytes at @dst, at least 9
 * @src: NUL-terminated
 *
 * Context: any.
 */
void escape_file_name(char *dst, size_t cap, const char *src);

#endif
