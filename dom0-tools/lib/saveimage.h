/* SPDX-License-Identifier: MIT */
/*
 * lib/saveimage.h - the head of a saved guest's file, as xl writes it.
 *
 *   48 bytes   magic, byte order, flags, length of what follows
 *   4 bytes    length of the configuration with its NUL
 *   ...        configuration: JSON of libxl, and a NUL
 *   ...        the stream of libxl, to the end
 *
 * So `xl restore` reads what `vigil save` wrote, and the other way round.
 */
#ifndef VIGIL_TOOLS_SAVEIMAGE_H
#define VIGIL_TOOLS_SAVEIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"

#define SAVEIMAGE_HEAD_BYTES 48

/**
 * saveimage_head() - the head for a configuration
 * @json:      configuration
 * @ret_bytes: size of the head
 *
 * Context: any; pure but for memory.
 * Return:  bytes, freed by the caller
 */
void *saveimage_head(const char *json, size_t *ret_bytes);

/**
 * saveimage_check() - is this the head of a saved guest?
 * @head:      the first SAVEIMAGE_HEAD_BYTES of a file
 * @path:      what to call the file in messages
 * @ret_bytes: how many bytes follow before the stream
 * @fault:     says why not
 *
 * Context: any; pure.
 * Return:  0, or -1
 */
int saveimage_check(const uint8_t head[SAVEIMAGE_HEAD_BYTES], const char *path,
                    uint32_t *ret_bytes, struct fault *fault);

/**
 * saveimage_config() - the configuration in what follows
 * @data:  as many bytes as saveimage_check() said
 * @bytes: size of @data
 * @path:  what to call the file in messages
 * @fault: says what is wrong
 *
 * Context: any; pure but for memory.
 * Return:  JSON, freed by the caller, or NULL
 */
char *saveimage_config(const uint8_t *data, size_t bytes, const char *path,
                       struct fault *fault);

/**
 * saveimage_open() - open a saved guest
 * @path:     file
 * @ret_json: its configuration, freed by the caller; set on success only
 * @fault:    says why not
 *
 * Context: any.
 * Return:  open file, at the stream of libxl, or -1
 */
int saveimage_open(const char *path, char **ret_json, struct fault *fault);

#endif
