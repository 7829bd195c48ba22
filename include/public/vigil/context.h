/* SPDX-License-Identifier: MIT */
/*
 * vigil/context.h - what a processor is in the middle of, as one word.
 *
 * Four bits for each interruption, the outermost lowest; an NMI in an interrupt
 * in a guest is
 *
 *   31      28                            7     4 3     0
 *   +---------+------------ ... ---------+-------+-------+
 *   | 1 0 0 0 |           0              |  NMI  |  IRQ  |
 *   +---------+------------ ... ---------+-------+-------+
 *
 * Bit 31 says that the outermost interrupted a guest, and not the hypervisor
 * at work for one, or idle.  0: nothing was interrupted.
 */
#ifndef VIGIL_PUBLIC_CONTEXT_H
#define VIGIL_PUBLIC_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#define VIGIL_CTX_IRQ   1
#define VIGIL_CTX_NMI   2
#define VIGIL_CTX_MCE   4
#define VIGIL_CTX_CRASH 8 /* it is dying */

#define VIGIL_CTX_LEVELS 7 /* more than there can be (docs/adr/0037) */
#define VIGIL_CTX_BITS   4
#define VIGIL_CTX_OF_GUEST 0x80000000U

/* Room for the longest words there are. */
#define VIGIL_CTX_TEXT_BYTES 80

static inline __attribute__((always_inline)) const char *
vigil_context_kind(uint32_t kind)
{
    return kind == VIGIL_CTX_IRQ     ? "irq in "
           : kind == VIGIL_CTX_NMI   ? "nmi in "
           : kind == VIGIL_CTX_MCE   ? "mce in "
           : kind == VIGIL_CTX_CRASH ? "crash in "
                                     : "? in ";
}

static inline __attribute__((always_inline)) void
vigil_context_put(char *buf, size_t size, size_t *at, const char *text)
{
    for (; *text != '\0' && *at + 1 < size; text++) {
        buf[(*at)++] = *text;
    }
    buf[*at] = '\0';
}

/**
 * vigil_context_words() - say it: "nmi in irq in guest"
 * @word: any value
 * @buf:  for the words; they end in NUL
 * @size: its bytes, not 0; VIGIL_CTX_TEXT_BYTES is enough
 *
 * Context: any, NMI included; pure.
 */
static inline __attribute__((always_inline)) void
vigil_context_words(uint32_t word, char *buf, size_t size)
{
    size_t at = 0;

    buf[0] = '\0';
    for (int level = VIGIL_CTX_LEVELS - 1; level >= 0; level--) {
        uint32_t kind = word >> VIGIL_CTX_BITS * level & 0xf;

        if (kind != 0) {
            vigil_context_put(buf, size, &at, vigil_context_kind(kind));
        }
    }
    vigil_context_put(buf, size, &at,
                      (word & VIGIL_CTX_OF_GUEST) != 0 ? "guest"
                                                       : "hypervisor");
}

#endif
