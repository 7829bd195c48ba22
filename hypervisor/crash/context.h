/* SPDX-License-Identifier: MIT */
/*
 * crash/context.h - the context word of a CPU (vigil/context.h), in words.
 */
#ifndef VIGIL_CRASH_CONTEXT_H
#define VIGIL_CRASH_CONTEXT_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * context_words() - say what a word means, e.g. "nmi in irq in guest"
 * @word: any value
 * @buf:  for the words; they end in NUL
 * @size: its bytes, not 0; VIGIL_CTX_TEXT_BYTES is enough
 *
 * Context: any, NMI included; pure.
 * Return:  @buf
 */
const char *context_words(uint32_t word, char *buf, size_t size);

/**
 * context_interrupted() - a word without the NMI that looks at it
 * @word: any value
 *
 * Context: any, NMI included; pure.
 * Return:  @word, and the innermost level taken away if that is an NMI
 */
uint32_t context_interrupted(uint32_t word);

#endif
