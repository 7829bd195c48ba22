/* SPDX-License-Identifier: MIT */
/*
 * lib/cfgscan.h - which keys a guest's configuration file sets.
 *
 * libxlutil reads the values, but cannot list the keys, so a misspelt key
 * would go unnoticed.  This scanner finds every `key =` and says whether
 * Vigil uses it, knows of it, or has never heard of it.
 */
#ifndef VIGIL_TOOLS_CFGSCAN_H
#define VIGIL_TOOLS_CFGSCAN_H

#include <stddef.h>

#define CFG_KEY_BYTES 64

enum cfg_support {
    CFG_USED,    /* Vigil acts on it                            */
    CFG_IGNORED, /* xl.cfg knows it and it changes nothing here */
    CFG_KNOWN,   /* xl.cfg knows it, Vigil does not offer it    */
    CFG_UNKNOWN,
};

struct cfg_key {
    char name[CFG_KEY_BYTES]; /* cut if longer                         */
    unsigned int line;        /* from 1                                */
    int empty;                /* 1: its value is [] or "" : no request */
};

struct cfg_keys {
    struct cfg_key *keys; /* in order of the file */
    size_t count;
};

/**
 * cfg_scan() - find all keys
 * @text:     contents of a file
 * @len:      length of @text
 * @ret_keys: filled in; release with cfg_keys_free()
 *
 * Context: any; pure but for memory.
 */
void cfg_scan(const char *text, size_t len, struct cfg_keys *ret_keys);

/**
 * cfg_keys_free() - release what cfg_scan() allocated
 * @keys: as filled in
 *
 * Context: any.
 */
void cfg_keys_free(struct cfg_keys *keys);

/**
 * cfg_key_support() - what Vigil does with a key
 * @name: key
 *
 * Context: any; pure.
 * Return:  one of enum cfg_support
 */
enum cfg_support cfg_key_support(const char *name);

/**
 * cfg_key_reason() - why Vigil does not offer a key
 * @name: key of CFG_KNOWN
 *
 * Context: any; pure.
 * Return:  constant text, the end of a sentence
 */
const char *cfg_key_reason(const char *name);

/**
 * cfg_key_nearest() - the key that was probably meant
 * @name: misspelt key
 *
 * Context: any; pure.
 * Return:  constant text, or NULL if nothing is near
 */
const char *cfg_key_nearest(const char *name);

#endif
