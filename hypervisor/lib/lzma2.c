/* SPDX-License-Identifier: MIT */
/*
 * lib/lzma2.c - decode LZMA2, the compression inside xz.
 *
 * An LZMA stream is a sequence of binary decisions, each coded by a range coder
 * with a probability of its own: literal or match, the bits of a literal, of a
 * length, of a distance.  LZMA2 cuts it into chunks of at most 2 MiB decoded
 * and 64 KiB coded, or stores bytes as they are.
 *
 * A decision costs about a dozen instructions and Dom0's kernel has a quarter
 * of a billion of them, which is most of Vigil's boot: hence the macros (the
 * coder's state must stay in registers) and the unrolled trees.
 *
 * Source: the LZMA specification of the LZMA SDK (public domain), and
 * xz-file-format.txt 5.3.1.
 */
#include "lib/lzma2.h"

#include "lib/errno.h"
#include "lib/string.h"

#define PROB_BITS 11
#define PROB_INIT (1 << (PROB_BITS - 1))
#define MOVE_BITS 5
#define PROB_MAX  ((1 << PROB_BITS) - (1 << MOVE_BITS) + 1)
#define TOP       (1U << 24)

#define LEN_MIN        2
#define FIRST_MATCH    7  /* states from here on: a match came before */
#define SLOTS_DIRECT   4  /* a distance slot below it is the distance */
#define SLOTS_MODELLED 14 /* below it all further bits are modelled */
#define ALIGN_BITS     4
#define CODER_BYTES    5 /* what the range coder begins with */
#define PROPERTIES_MAX (9 * 5 * 5)
#define WORD           sizeof(uint64_t)

/* Control bytes of a chunk. */
#define CHUNK_END          0x00
#define CHUNK_STORED_RESET 0x01
#define CHUNK_STORED       0x02
#define CHUNK_LZMA         0x80
#define CHUNK_LZMA_STATE   0xa0 /* from here on: state reset */
#define CHUNK_LZMA_PROPS   0xc0 /*               and new properties */
#define CHUNK_LZMA_DICT    0xe0 /*               and dictionary reset */

typedef uint64_t word_t __attribute__((aligned(1), may_alias));

/* What is decoded into, and where its dictionary begins. */
struct output {
    uint8_t *at;
    uint8_t *end;
    const uint8_t *dictionary;
};

/*
 * One decision of probability *(p): do `zero` or `one`.  The variables are the
 * function's, for decisions stand within each other.
 */
#define DECIDE(p, zero, one)                                                   \
    do {                                                                       \
        prob = (p);                                                            \
        value = *prob;                                                         \
        if (range < TOP) {                                                     \
            range <<= 8;                                                       \
            code = code << 8 | *in++;                                          \
        }                                                                      \
        bound = (range >> PROB_BITS) * value;                                  \
        if (code < bound) {                                                    \
            range = bound;                                                     \
            /* += (2^11 - value) >> 5, in one instruction less */              \
            value -= (uint32_t)((int32_t)(value - PROB_MAX) >> MOVE_BITS);     \
            *prob = (uint16_t)value;                                           \
            zero;                                                              \
        } else {                                                               \
            range -= bound;                                                    \
            code -= bound;                                                     \
            *prob = (uint16_t)(value - (value >> MOVE_BITS));                  \
            one;                                                               \
        }                                                                      \
    } while (0)

/* A step down a tree of decisions: `node` doubles, plus the bit. */
#define STEP(tree) DECIDE((tree) + node, node = node * 2, node = node * 2 + 1)
#define TREE_3(tree)                                                           \
    do {                                                                       \
        node = 1;                                                              \
        STEP(tree);                                                            \
        STEP(tree);                                                            \
        STEP(tree);                                                            \
    } while (0)
#define TREE_6(tree)                                                           \
    do {                                                                       \
        TREE_3(tree);                                                          \
        STEP(tree);                                                            \
        STEP(tree);                                                            \
        STEP(tree);                                                            \
    } while (0)
#define TREE_8(tree)                                                           \
    do {                                                                       \
        TREE_6(tree);                                                          \
        STEP(tree);                                                            \
        STEP(tree);                                                            \
    } while (0)

/* A step of a literal after a match, which `other`, the byte there, predicts. */
#define MATCHED_STEP(tree)                                                     \
    do {                                                                       \
        other <<= 1;                                                           \
        guess = other & offset;                                                \
        DECIDE((tree) + offset + guess + node,                                 \
               (node = node * 2, offset ^= guess),                             \
               (node = node * 2 + 1, offset = guess));                         \
    } while (0)

#define LENGTH(model)                                                          \
    do {                                                                       \
        DECIDE(&(model).above_low, length = 0, length = 1);                    \
        if (length == 0) {                                                     \
            TREE_3((model).low[position]);                                     \
            length = node - 8 + LEN_MIN;                                       \
        } else {                                                               \
            DECIDE(&(model).above_mid, length = 0, length = 1);                \
            if (length == 0) {                                                 \
                TREE_3((model).mid[position]);                                 \
                length = node - 8 + LEN_MIN + 8;                               \
            } else {                                                           \
                TREE_8((model).high);                                          \
                length = node - 256 + LEN_MIN + 16;                            \
            }                                                                  \
        }                                                                      \
    } while (0)

static void model_reset(struct lzma2 *d)
{
    uint16_t *p = (uint16_t *)&d->model;
    unsigned int i;

    for (i = 0; i < sizeof(d->model) / sizeof(*p); i++) {
        p[i] = PROB_INIT;
    }
    d->state = 0;
    for (i = 0; i < 4; i++) {
        d->distance[i] = 1;
    }
}

/* lc + 9 * (lp + 5 * pb); LZMA2 allows 4 literal context bits in all. */
static int properties_set(struct lzma2 *d, unsigned int byte)
{
    if (byte >= PROPERTIES_MAX) {
        return -EINVAL;
    }
    d->lc = byte % 9;
    d->lp = byte / 9 % 5;
    d->pb = byte / 45;
    return d->lc + d->lp <= 4 ? 0 : -EINVAL;
}

/*
 * Copy @length bytes from @distance before @out; they may overlap, and then
 * repeat.  By words where up to 7 bytes more may be written: those are
 * decoded later.
 */
static inline void copy_match(uint8_t *out, uint32_t distance, uint32_t length,
                              const uint8_t *out_end)
{
    /* The least multiple of a short distance that is a word or more. */
    static const uint8_t stride[WORD] = {0, 8, 8, 9, 8, 10, 12, 14};
    uint8_t *stop = out + length;

    if (length + WORD > (uint64_t)(out_end - out)) {
        for (; out < stop; out++) {
            *out = *(out - distance);
        }
        return;
    }
    if (distance < WORD) {
        uint8_t *whole = out + WORD;

        for (; out < whole; out++) {
            *out = *(out - distance);
        }
        distance = stride[distance];
    }
    for (; out < stop; out += WORD) {
        *(word_t *)out = *(const word_t *)(out - distance);
    }
}

/*
 * Decode one chunk of exactly @in_bytes into exactly @bytes.
 *
 * The input is tested once a symbol, not once a byte.  A symbol has at most 22
 * modelled decisions and 26 plain bits; a decision takes at most 6.1 bits off
 * the range (no probability leaves 31..2017 of 2048), so it reads at most
 * (22 * 6.1 + 26 + 8) / 8 < LZMA2_READ_AHEAD bytes: lzma2_decode() sees to it
 * that so many are there.
 */
static int chunk_decode(struct lzma2 *d, const uint8_t *in, uint64_t in_bytes,
                        struct output *o, uint64_t bytes)
{
    const uint8_t *in_end = in + in_bytes;
    const uint8_t *dictionary = o->dictionary;
    uint8_t *out = o->at, *stop = o->at + bytes;
    const uint32_t position_mask = (1U << d->pb) - 1;
    const uint32_t literal_mask = (1U << d->lp) - 1;
    const unsigned int lc = d->lc;
    struct lzma_model *m = &d->model;
    uint32_t range = 0xffffffff, code, state = d->state, node;
    uint32_t distance = d->distance[0], value, bound;
    uint16_t *prob;

    if (in_bytes < CODER_BYTES || in[0] != 0) {
        return -EINVAL;
    }
    code = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 |
           (uint32_t)in[3] << 8 | in[4];
    in += CODER_BYTES;

    while (out < stop && in <= in_end) {
        const uint32_t at = (uint32_t)(out - dictionary);
        const uint32_t position = at & position_mask;
        uint32_t length = 0, slot;
        bool literal = false;

        DECIDE(&m->is_match[state][position], literal = true, );
        if (literal) {
            uint32_t before = out > dictionary ? out[-1] : 0;
            uint16_t *tree =
                m->literal[((at & literal_mask) << lc) + (before >> (8 - lc))];

            if (state < FIRST_MATCH) {
                TREE_8(tree);
                state = state < 4 ? 0 : state - 3;
            } else {
                uint32_t other = *(out - distance), offset = 0x100, guess;

                node = 1;
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                MATCHED_STEP(tree);
                state -= state < 10 ? 3 : 6;
            }
            *out++ = (uint8_t)node;
            continue;
        }

        bool rep = false;

        DECIDE(&m->is_rep[state], , rep = true);
        if (!rep) {
            d->distance[3] = d->distance[2];
            d->distance[2] = d->distance[1];
            d->distance[1] = distance;
            LENGTH(m->match);
            state = state < FIRST_MATCH ? 7 : 10;
            slot = length - LEN_MIN;
            slot = slot < LZMA_LEN_CLASSES ? slot : LZMA_LEN_CLASSES - 1;
            TREE_6(m->slot[slot]);
            slot = node - (1U << LZMA_SLOT_BITS);
            distance = slot;
            if (slot >= SLOTS_DIRECT) {
                uint32_t bits = (slot >> 1) - 1, bit = 1;
                uint16_t *tree;

                distance = 2 | (slot & 1);
                if (slot < SLOTS_MODELLED) {
                    distance <<= bits;
                    tree = m->special + distance - slot;
                } else {
                    for (bits -= ALIGN_BITS; bits > 0; bits--) {
                        uint32_t below;

                        if (range < TOP) {
                            range <<= 8;
                            code = code << 8 | *in++;
                        }
                        range >>= 1;
                        code -= range;
                        below = 0 - (code >> 31); /* all ones: the bit is 0 */
                        code += range & below;
                        distance = distance * 2 + 1 + below;
                    }
                    distance <<= ALIGN_BITS;
                    bits = ALIGN_BITS;
                    tree = m->align;
                }
                /* Lowest bit first. */
                node = 1;
                do {
                    DECIDE(tree + node, node = node * 2,
                           (node = node * 2 + 1, distance += bit));
                    bit <<= 1;
                } while (--bits > 0);
            }
            distance++;
        } else {
            bool other = false;

            DECIDE(&m->not_rep0[state], , other = true);
            if (!other) {
                bool longer = false;

                DECIDE(&m->long_rep0[state][position], , longer = true);
                if (!longer) {
                    if (distance > at) {
                        return -EINVAL;
                    }
                    *out = *(out - distance);
                    out++;
                    state = state < FIRST_MATCH ? 9 : 11;
                    continue;
                }
            } else {
                uint32_t older = 1, wanted;

                DECIDE(&m->not_rep1[state], ,
                       DECIDE(&m->not_rep2[state], older = 2, older = 3));
                wanted = d->distance[older];
                for (; older > 1; older--) {
                    d->distance[older] = d->distance[older - 1];
                }
                d->distance[1] = distance;
                distance = wanted;
            }
            LENGTH(m->rep);
            state = state < FIRST_MATCH ? 8 : 11;
        }
        /* A distance of 2^32 has become 0. */
        if (distance - 1 >= at || length > (uint64_t)(stop - out)) {
            return -EINVAL;
        }
        copy_match(out, distance, length, o->end);
        out += length;
    }
    if (range < TOP) {
        code = code << 8 | *in++;
    }
    d->state = state;
    d->distance[0] = distance;
    o->at = out;
    return out == stop && in == in_end && code == 0 ? 0 : -EINVAL;
}

static uint32_t get_be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

int lzma2_decode(struct lzma2 *d, const uint8_t *in, uint64_t in_bytes,
                 uint8_t *out, uint64_t out_bytes, uint64_t *ret_in,
                 uint64_t *ret_out)
{
    struct output o = {out, out + out_bytes, NULL};
    bool know_properties = false;
    uint64_t used = 0;

    while (in_bytes - used > LZMA2_READ_AHEAD) {
        const uint8_t *p = in + used;
        unsigned int control = p[0];
        uint64_t head = 3, coded, bytes;

        if (control == CHUNK_END) {
            *ret_in = used + 1;
            *ret_out = (uint64_t)(o.at - out);
            return 0;
        }
        if (control >= CHUNK_LZMA_DICT || control == CHUNK_STORED_RESET) {
            o.dictionary = o.at;
            know_properties = false;
        } else if (o.dictionary == NULL) {
            return -EINVAL;
        }
        bytes = get_be16(p + 1) + 1;
        if (control >= CHUNK_LZMA) {
            bytes += (control & 0x1f) << 16;
            coded = get_be16(p + 3) + 1;
            head = 5;
            if (control >= CHUNK_LZMA_PROPS) {
                if (properties_set(d, p[5]) != 0) {
                    return -EINVAL;
                }
                know_properties = true;
                head = 6;
            }
            if (!know_properties) {
                return -EINVAL;
            }
            if (control >= CHUNK_LZMA_STATE) {
                model_reset(d);
            }
        } else if (control <= CHUNK_STORED) {
            coded = bytes;
        } else {
            return -EINVAL;
        }
        if (coded + head + LZMA2_READ_AHEAD > in_bytes - used ||
            bytes > (uint64_t)(o.end - o.at)) {
            return -EINVAL;
        }
        if (control >= CHUNK_LZMA) {
            if (chunk_decode(d, p + head, coded, &o, bytes) != 0) {
                return -EINVAL;
            }
        } else {
            memcpy(o.at, p + head, bytes);
            o.at += bytes;
        }
        used += head + coded;
    }
    return -EINVAL;
}
