/* SPDX-License-Identifier: MIT */
/*
 * lib/cfgread.h - values of a configuration file, with the line they are on.
 *
 * libxlutil parses the file; what it cannot tell is where a key stood.
 */
#ifndef VIGIL_TOOLS_CFGREAD_H
#define VIGIL_TOOLS_CFGREAD_H

#include <stdio.h>

#include <libxlutil.h>

#include "lib/cfgscan.h"
#include "lib/fault.h"

struct cfg_reader {
    XLU_Config *xlu;
    const char *path;
    struct cfg_keys keys;
    unsigned int file_lines; /* keys behind them: of the command line  */
    FILE *report;            /* libxlutil's complaints go to...        */
    char *complaint;         /* ...here                                */
    size_t complaint_len;
    size_t complaint_seen; /* so much of it was told already         */
    libxl_ctx *ctx;        /* NULL: what the machine has is not known   */
    struct fault *fault;
};

/**
 * cfg_open() - parse a text
 * @reader: filled in; release with cfg_close() in any case
 * @path:   what to call the text in messages
 * @text:   contents of the file, then lines of the command line
 * @lines:  lines of @text that are the file's
 * @ctx:    context of libxl, or NULL
 * @fault:  says why on failure, also for all calls that follow
 *
 * Context: any.
 * Return:  0, or -1
 */
int cfg_open(struct cfg_reader *reader, const char *path, const char *text,
             unsigned int lines, libxl_ctx *ctx, struct fault *fault);

/**
 * cfg_close() - release what cfg_open() allocated
 * @reader: as filled in
 *
 * Context: any.
 */
void cfg_close(struct cfg_reader *reader);

/**
 * cfg_place() - where a key was set last
 * @reader: open
 * @key:    key
 *
 * Context: any.
 * Return:  "FILE:LINE" or "the command line", freed by the caller
 */
char *cfg_place(const struct cfg_reader *reader, const char *key);

/**
 * cfg_refuse() - describe what is wrong with a key
 * @reader: open; its fault is filled in
 * @key:    key, whose place begins the sentence
 * @code:   exit code
 * @fmt:    printf format of the rest
 *
 * Context: any.
 * Return:  -1
 */
int cfg_refuse(struct cfg_reader *reader, const char *key, enum exit_code code,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * cfg_complaint() - what libxlutil has said since it was last asked
 * @reader: open
 *
 * Context: any.
 * Return:  the first line of it, valid until the next call that reads
 */
const char *cfg_complaint(struct cfg_reader *reader);

/**
 * cfg_text() - a value that is a string
 * @reader:   open
 * @key:      key
 * @ret_text: copy, freed by the caller; left alone if the key is not set
 *
 * Context: any.
 * Return:  1, 0 if the key is not set, -1 if it is a list
 */
int cfg_text(struct cfg_reader *reader, const char *key, char **ret_text);

/**
 * cfg_number() - a value that is a number
 * @reader:     open
 * @key:        key
 * @lowest:     smallest that is allowed
 * @highest:    largest that is allowed
 * @ret_number: left alone if the key is not set
 *
 * Context: any.
 * Return:  1, 0 if the key is not set, -1 if it is no such number
 */
int cfg_number(struct cfg_reader *reader, const char *key, long lowest,
               long highest, long *ret_number);

/**
 * cfg_list() - a value that is a list
 * @reader:    open
 * @key:       key
 * @ret_list:  left alone if the key is not set
 * @ret_count: its items; 0 if the key is not set
 *
 * Context: any.
 * Return:  1, 0 if the key is not set, -1 if it is no list
 */
int cfg_list(struct cfg_reader *reader, const char *key,
             XLU_ConfigList **ret_list, int *ret_count);

/**
 * cfg_item() - an item of a list
 * @reader: open
 * @key:    key of the list
 * @list:   list
 * @at:     number of the item, below the count of the list
 *
 * Context: any.
 * Return:  text, valid until cfg_close(); NULL after a fault: it is a list
 */
const char *cfg_item(struct cfg_reader *reader, const char *key,
                     const XLU_ConfigList *list, int at);

#endif
