/* SPDX-License-Identifier: MIT */
/*
 * lib/xz.h - unpack an xz stream in memory.
 *
 * What Linux's build makes: blocks of LZMA2, maybe behind the filter for x86
 * calls and jumps, each protected by a CRC-32.  Plain C without allocation.
 */
#ifndef VIGIL_LIB_XZ_H
#define VIGIL_LIB_XZ_H

#include "lib/compiler.h"
#include "lib/lzma2.h"
#include "lib/types.h"

/**
 * xz_unpack() - decode one xz stream in memory
 * @d:         what the decoder works with; any content
 * @in:        stream; hostile
 * @in_bytes:  its length; what follows the stream is ignored
 * @out:       room for the result
 * @out_bytes: its exact length
 * @ret_why:   one phrase, static, when it fails
 *
 * Context: any; takes time by @out_bytes.
 * Return:  0; -EINVAL bad stream or not @out_bytes long
 */
int xz_unpack(struct lzma2 *d, const void *in, uint64_t in_bytes, void *out,
              uint64_t out_bytes, const char **ret_why) MUST_CHECK;

/**
 * x86_calls_decode() - undo the filter for calls and jumps of x86 code
 * @code:  what the filter made
 * @bytes: how much; it stood at address 0
 *
 * The filter puts the absolute target into each CALL and JMP that looks like
 * one (E8, E9, and a target within 16 MiB either way), so that calls of one
 * function are the same bytes.
 *
 * Context: any.
 * Return:  nothing
 */
void x86_calls_decode(uint8_t *code, uint64_t bytes);

#endif
