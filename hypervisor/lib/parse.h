/* SPDX-License-Identifier: MIT */
/*
 * lib/parse.h - the values of command-line options, as Xen writes them.
 *
 * Every function takes the whole text of a value and refuses what it does not
 * understand to the last character; nothing is set then.  The text comes from
 * a boot loader: it is NUL-terminated but otherwise anything.
 */
#ifndef VIGIL_LIB_PARSE_H
#define VIGIL_LIB_PARSE_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * parse_u64() - an unsigned number: decimal, 0x hexadecimal, 0 octal
 * @text:      the whole value
 * @ret_value: set on success
 *
 * Context: any.
 * Return:  0; -EINVAL: not a number; -ERANGE: does not fit 64 bits
 */
int parse_u64(const char *text, uint64_t *ret_value) MUST_CHECK;

/**
 * parse_uint() - an unsigned number not above a limit
 * @text:      the whole value
 * @max:       largest value accepted
 * @ret_value: set on success
 *
 * Context: any.
 * Return:  0; -EINVAL: not a number; -ERANGE: above @max
 */
int parse_uint(const char *text, unsigned int max, unsigned int *ret_value)
    MUST_CHECK;

/**
 * parse_size() - an amount of memory: number with K, M, G, T or B
 * @text:      the whole value; without a letter it is KiB, as in Xen
 * @ret_bytes: set on success
 *
 * Context: any.
 * Return:  0; -EINVAL: not a size; -ERANGE: does not fit 64 bits
 */
int parse_size(const char *text, uint64_t *ret_bytes) MUST_CHECK;

/**
 * parse_bool() - on/off, yes/no, true/false, enable/disable, 1/0
 * @text:      the whole value; empty (the option alone) means true
 * @ret_value: set on success
 *
 * Context: any.
 * Return:  0; -EINVAL: none of these words
 */
int parse_bool(const char *text, bool *ret_value) MUST_CHECK;

/**
 * parse_next() - cut the next item off a list like "a,key=value,b"
 * @cursor:    *cursor points at the rest of the list; moved on
 * @separator: character between items
 * @item:      buffer for the item, NUL-terminated; too long an item is cut
 * @size:      bytes in @item, not 0
 *
 * Context: any.
 * Return:  true: an item was stored (it may be empty); false: the list ended
 */
bool parse_next(const char **cursor, char separator, char *item, size_t size)
    MUST_CHECK;

/**
 * parse_key() - does an item have the form "key=value" (or "key:value")?
 * @item: text
 * @key:  name to look for
 *
 * Context: any.
 * Return:  text after the = or :; the empty string for the key alone; NULL:
 *          another key
 */
const char *parse_key(const char *item, const char *key);

#endif
