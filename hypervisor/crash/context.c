/* SPDX-License-Identifier: MIT */
/*
 * crash/context.c - what a CPU is in the middle of, in words.
 */
#include "crash/context.h"

#include "x86/percpu.h"

NMI_SAFE const char *context_words(uint32_t word, char *buf, size_t size)
{
    vigil_context_words(word, buf, size);
    return buf;
}

NMI_SAFE uint32_t context_interrupted(uint32_t word)
{
    for (int at = VIGIL_CTX_BITS * (VIGIL_CTX_LEVELS - 1); at >= 0;
         at -= VIGIL_CTX_BITS) {
        uint32_t kind = word >> at & 0xf;

        if (kind != 0) {
            return kind == CTX_NMI ? word & ~((uint32_t)CTX_NMI << at) : word;
        }
    }
    return word;
}
