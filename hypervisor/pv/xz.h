/* SPDX-License-Identifier: MIT */
/*
 * pv/xz.h - unpack an xz stream with the build machine's liblzma.a.
 *
 * liblzma is ordinary user code: it uses SSE registers, the red zone and a
 * stack-protector word at fs:0x28.  xz_unpack() makes a place where that is
 * harmless: before any guest runs (no FPU state to lose), interrupts off (no
 * one else on this stack), FS pointing at a page of its own.
 */
#ifndef VIGIL_PV_XZ_H
#define VIGIL_PV_XZ_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * xz_unpack() - decode one xz stream in memory
 * @in:        stream; hostile
 * @in_bytes:  its length; what follows the stream is ignored
 * @out:       room for the result
 * @out_bytes: its exact length
 * @ret_why:   one phrase, static, when it fails
 *
 * Needs up to 64 MiB of scratch from the page allocator, given back.
 * Context: boot, before the first guest; interrupts are off meanwhile.
 * Return:  0; -EINVAL bad stream or not @out_bytes long; -ENOMEM
 */
int xz_unpack(const void *in, uint64_t in_bytes, void *out, uint64_t out_bytes,
              const char **ret_why) MUST_CHECK;

#endif
