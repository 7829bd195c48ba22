/* SPDX-License-Identifier: MIT */
/*
 * lib/knownfile.h - what vigild remembers about the domains of this boot.
 *
 * /run/vigil/known.json, written by vigild (vigild/remember.c) only.
 */
#ifndef VIGIL_TOOLS_KNOWNFILE_H
#define VIGIL_TOOLS_KNOWNFILE_H

#include <stdint.h>

#include <json-c/json.h>

#define KNOWN_FILE   "known.json"
#define KNOWN_SCHEMA "vigil.known/1"

/**
 * knownfile_read() - the whole file
 *
 * Context: any.
 * Return:  object, released by the caller; NULL: there is none that can be
 *          read
 */
struct json_object *knownfile_read(void);

/**
 * remembered_console_start() - where a guest's words begin in its log
 * @uuid:  text of its UUID
 * @domid: its number
 *
 * Context: any.
 * Return:  offset, or CONSOLE_START_UNKNOWN (lib/consolelog.h)
 */
int64_t remembered_console_start(const char *uuid, uint32_t domid);

#endif
