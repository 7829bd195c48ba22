/* SPDX-License-Identifier: MIT */
/* lib/moment.h - points in time: UTC nanoseconds, their texts, and IDs. */
#ifndef VIGIL_TOOLS_MOMENT_H
#define VIGIL_TOOLS_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#define ULID_CHARS 26
#define UUID_CHARS 36

/**
 * moment_now() - the present
 *
 * Context: any.
 * Return:  UTC in nanoseconds
 */
uint64_t moment_now(void);

/**
 * moment_rfc3339() - UTC with microseconds, for programs
 * @dst:     result, e.g. 2026-08-04T08:15:23.104511Z
 * @cap:     bytes at @dst, at least 32
 * @time_ns: UTC in nanoseconds
 *
 * Context: any.
 */
void moment_rfc3339(char *dst, size_t cap, uint64_t time_ns);

/**
 * moment_compact() - UTC as part of a file name
 * @dst:     result, e.g. 20260804T081523Z
 * @cap:     bytes at @dst, at least 24
 * @time_ns: UTC in nanoseconds
 *
 * Context: any.
 */
void moment_compact(char *dst, size_t cap, uint64_t time_ns);

/**
 * moment_local() - local time for people
 * @dst:     result, e.g. Tue 2026-08-04 10:15:23
 * @cap:     bytes at @dst, at least 32
 * @time_ns: UTC in nanoseconds
 *
 * Context: any.
 */
void moment_local(char *dst, size_t cap, uint64_t time_ns);

/**
 * moment_parse() - read a time that a program or a person wrote
 * @text:    2026-08-04T08:15:23.104511Z (UTC), "2026-08-04 10:15[:23]" or
 *           2026-08-04 (local), or 90s, 10m, 2h, 3d: so long before @now_ns
 * @now_ns:  the present; 0: times before it are refused
 * @ret_ns:  UTC in nanoseconds; set on success only
 *
 * Context: any.
 * Return:  0, or -1 if @text is no such time
 */
int moment_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns);

/**
 * ulid_make() - a new identifier that sorts by time
 * @dst:     ULID_CHARS characters and a NUL
 * @time_ns: UTC in nanoseconds
 * @random:  80 bits that nobody else has
 *
 * Context: any; pure.
 */
void ulid_make(char dst[ULID_CHARS + 1], uint64_t time_ns,
               const uint8_t random[10]);

/**
 * uuid_text() - a UUID in its usual form
 * @dst:  UUID_CHARS characters and a NUL, lower case
 * @uuid: 16 bytes
 *
 * Context: any; pure.
 */
void uuid_text(char dst[UUID_CHARS + 1], const uint8_t uuid[16]);

/**
 * uuid_parse() - read a UUID in its usual form
 * @text:     NUL-terminated, either case
 * @ret_uuid: set on success only
 *
 * Context: any; pure.
 * Return:  0, or -1 if @text is not a UUID
 */
int uuid_parse(const char *text, uint8_t ret_uuid[16]);

/**
 * uuid_random() - a new version 4 UUID
 * @ret_uuid: 16 bytes
 *
 * Context: any.
 */
void uuid_random(uint8_t ret_uuid[16]);

/**
 * random_bytes() - bytes nobody can guess, or end the program
 * @dst:   filled in
 * @bytes: at most 256
 *
 * Context: any.
 */
void random_bytes(void *dst, size_t bytes);

#endif
