/* SPDX-License-Identifier: MIT */
/*
 * lib/lzma2.h - decode LZMA2, the compression inside xz.
 *
 * The output buffer is the dictionary: everything decoded so far lies in it, so
 * matches are copied from where they stand and nothing is moved twice.
 */
#ifndef VIGIL_LIB_LZMA2_H
#define VIGIL_LIB_LZMA2_H

#include "lib/compiler.h"
#include "lib/types.h"

/* States of the finite automaton; positions modulo 2^pb; literal contexts. */
#define LZMA_STATES      12
#define LZMA_POSITIONS   16
#define LZMA_LITERALS    16 /* LZMA2: lc + lp is at most 4 */
#define LZMA_LITERAL     0x300
#define LZMA_SLOT_BITS   6
#define LZMA_LEN_CLASSES 4

/* Bytes behind the compressed data that may be read, not used. */
#define LZMA2_READ_AHEAD 24

/* Probabilities of a length: 2 to 9, 10 to 17, 18 to 273. */
struct lzma_length {
    uint16_t above_low, above_mid;
    uint16_t low[LZMA_POSITIONS][8];
    uint16_t mid[LZMA_POSITIONS][8];
    uint16_t high[256];
};

/* What the probabilities of each decision are now: 11-bit, 16 bits wide. */
struct lzma_model {
    uint16_t is_match[LZMA_STATES][LZMA_POSITIONS];
    uint16_t is_rep[LZMA_STATES];
    uint16_t not_rep0[LZMA_STATES];
    uint16_t not_rep1[LZMA_STATES];
    uint16_t not_rep2[LZMA_STATES];
    uint16_t long_rep0[LZMA_STATES][LZMA_POSITIONS];
    uint16_t slot[LZMA_LEN_CLASSES][1 << LZMA_SLOT_BITS];
    uint16_t special[128];
    uint16_t align[16];
    struct lzma_length match, rep;
    uint16_t literal[LZMA_LITERALS][LZMA_LITERAL];
};

/* All a decoder needs to remember, 28 KiB; the caller brings it. */
struct lzma2 {
    struct lzma_model model;
    uint32_t distance[4]; /* of the last matches, newest first; 1: the last
                             byte */
    unsigned int state;
    unsigned int lc, lp, pb;
};

/**
 * lzma2_decode() - decode a sequence of LZMA2 chunks up to its end mark
 * @d:         any content
 * @in:        first chunk; hostile
 * @in_bytes:  all that may be read; LZMA2_READ_AHEAD of it must stand behind
 *             the end mark, else the data counts as cut off
 * @out:       room for the result
 * @out_bytes: how much
 * @ret_in:    bytes of @in used, the end mark with them; set on success
 * @ret_out:   bytes decoded; set on success
 *
 * Context: any; takes time by @out_bytes.
 * Return:  0; -EINVAL the data is corrupt, cut off, or more than @out_bytes
 */
int lzma2_decode(struct lzma2 *d, const uint8_t *in, uint64_t in_bytes,
                 uint8_t *out, uint64_t out_bytes, uint64_t *ret_in,
                 uint64_t *ret_out) MUST_CHECK;

#endif
