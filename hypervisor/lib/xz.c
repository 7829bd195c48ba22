/* SPDX-License-Identifier: MIT */
/*
 * lib/xz.c - the container: stream header, blocks, index, footer.
 *
 * Everything in it is checked: each header by its CRC-32, each block by its
 * sizes and the CRC-32 of what it held, and the index against the blocks.
 *
 * Source: "The .xz File Format" 1.0.4; numbers of its sections below.
 */
#include "lib/xz.h"

#include "lib/crc32.h"
#include "lib/errno.h"
#include "lib/string.h"

#define STREAM_HEADER 12
#define STREAM_FOOTER 12
#define MAGIC         "\3757zXZ"
#define MAGIC_BYTES   6
#define CHECK_CRC32   1
#define CHECK_BYTES   4

#define FILTERS_MASK    0x03
#define HAS_PACKED_SIZE 0x40
#define HAS_PLAIN_SIZE  0x80
#define FLAGS_RESERVED  0x3c
#define FILTER_X86      0x04
#define FILTER_LZMA2    0x21
#define DICTIONARY_MAX  40
#define NUMBER_MAX      9 /* bytes of a coded number: 63 bits */

/* A part of the stream that is read byte by byte. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* read past the end, or a number that is none */
};

/* What is known of a block. */
struct block {
    bool has_packed, has_plain;
    uint64_t packed, plain; /* claimed sizes */
    bool x86;
};

/* The blocks that were decoded, to be compared with the index. */
struct tally {
    uint64_t count;
    uint32_t crc; /* of all pairs of sizes */
};

static uint32_t get_le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static unsigned int read_byte(struct cursor *c)
{
    if (c->at >= c->end) {
        c->bad = true;
        return 0;
    }
    return *c->at++;
}

/* 1.2: seven bits a byte, the lowest first; no needless zero at the end. */
static uint64_t read_number(struct cursor *c)
{
    uint64_t number = 0;

    for (unsigned int i = 0; i < NUMBER_MAX; i++) {
        unsigned int byte = read_byte(c);

        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            c->bad |= byte == 0 && i > 0;
            return number;
        }
    }
    c->bad = true;
    return 0;
}

/* Zeros up to the end. */
static bool rest_is_zero(struct cursor *c)
{
    while (c->at < c->end) {
        if (*c->at++ != 0) {
            return false;
        }
    }
    return true;
}

/* 2.1.1: magic, flags, CRC of the flags. */
static const char *stream_header(const uint8_t *p, uint64_t bytes)
{
    if (bytes < STREAM_HEADER || memcmp(p, MAGIC, MAGIC_BYTES) != 0) {
        return "the kernel's payload is not an xz stream";
    }
    if (crc32(0, p + 6, 2) != get_le32(p + 8)) {
        return "the kernel's xz stream is corrupt (header)";
    }
    if (p[6] != 0 || p[7] != CHECK_CRC32) {
        return "the kernel's xz stream is not protected by CRC-32";
    }
    return NULL;
}

/* 3.1: sizes and filters; @c spans the header without its CRC. */
static const char *block_header(struct cursor *c, struct block *b)
{
    unsigned int flags;

    (void)read_byte(c); /* its own size */
    flags = read_byte(c);
    b->has_packed = (flags & HAS_PACKED_SIZE) != 0;
    b->has_plain = (flags & HAS_PLAIN_SIZE) != 0;
    b->packed = b->has_packed ? read_number(c) : 0;
    b->plain = b->has_plain ? read_number(c) : 0;
    b->x86 = (flags & FILTERS_MASK) == 1;
    if ((flags & FLAGS_RESERVED) || (flags & FILTERS_MASK) > 1) {
        return "the kernel's xz stream uses unknown options";
    }
    /* A filter: what it is, how many bytes of properties, these. */
    if (b->x86 && (read_number(c) != FILTER_X86 || read_number(c) != 0)) {
        return "the kernel's xz stream uses unknown options";
    }
    if (read_number(c) != FILTER_LZMA2 || read_number(c) != 1 ||
        read_byte(c) > DICTIONARY_MAX) {
        return "the kernel's xz stream uses unknown options";
    }
    return c->bad || !rest_is_zero(c)
               ? "the kernel's xz stream is corrupt (block header)"
               : NULL;
}

/* 3: header, data, padding, check.  Sets what was used of @in and @out. */
static const char *block_decode(struct lzma2 *d, const uint8_t *in,
                                uint64_t in_bytes, uint8_t *out,
                                uint64_t out_bytes, struct tally *tally,
                                uint64_t *ret_in, uint64_t *ret_out)
{
    uint64_t header = (in[0] + 1UL) * 4, packed, plain, used, sizes[2];
    struct cursor c = {in, in + header - 4, false};
    struct block b;
    const char *why;

    if (header > in_bytes || crc32(0, in, header - 4) != get_le32(c.end)) {
        return "the kernel's xz stream is corrupt (block header)";
    }
    why = block_header(&c, &b);
    if (why != NULL) {
        return why;
    }
    if (lzma2_decode(d, in + header, in_bytes - header, out, out_bytes, &packed,
                     &plain) != 0 ||
        (b.has_packed && b.packed != packed) ||
        (b.has_plain && b.plain != plain)) {
        return "the kernel's xz stream is corrupt or longer than it claims";
    }
    if (b.x86) {
        x86_calls_decode(out, plain);
    }
    /* lzma2_decode() saw more than enough bytes behind its data. */
    sizes[0] = header + packed + CHECK_BYTES;
    sizes[1] = plain;
    for (used = header + packed; used % 4 != 0; used++) {
        if (in[used] != 0) {
            return "the kernel's xz stream is corrupt (padding)";
        }
    }
    if (crc32(0, out, plain) != get_le32(in + used)) {
        return "the kernel's xz stream is corrupt (CRC-32)";
    }
    tally->crc = crc32(tally->crc, sizes, sizeof(sizes));
    tally->count++;
    *ret_in = used + CHECK_BYTES;
    *ret_out = plain;
    return NULL;
}

/* 4 and 2.1.2: the index tells of the same blocks; the footer of the index. */
static const char *index_check(const uint8_t *in, uint64_t in_bytes,
                               const struct tally *tally)
{
    struct cursor c = {in + 1, in + in_bytes, false};
    uint64_t count = read_number(&c), length;
    uint32_t crc = 0;

    for (uint64_t i = 0; i < count && !c.bad; i++) {
        uint64_t sizes[2];

        sizes[0] = read_number(&c);
        sizes[1] = read_number(&c);
        crc = crc32(crc, sizes, sizeof(sizes));
    }
    while ((c.at - in) % 4 != 0 && !c.bad) {
        c.bad = read_byte(&c) != 0 || c.bad;
    }
    length = (uint64_t)(c.at - in);
    if (c.bad || count != tally->count || crc != tally->crc ||
        in_bytes - length < 4 + STREAM_FOOTER ||
        crc32(0, in, length) != get_le32(c.at)) {
        return "the kernel's xz stream is corrupt (index)";
    }
    length += 4;
    in += length;
    if (crc32(0, in + 4, 6) != get_le32(in) ||
        (get_le32(in + 4) + 1UL) * 4 != length || in[8] != 0 ||
        in[9] != CHECK_CRC32 || in[10] != 'Y' || in[11] != 'Z') {
        return "the kernel's xz stream is corrupt (footer)";
    }
    return NULL;
}

int xz_unpack(struct lzma2 *d, const void *in, uint64_t in_bytes, void *out,
              uint64_t out_bytes, const char **ret_why)
{
    const uint8_t *p = in;
    uint8_t *to = out;
    uint64_t used = STREAM_HEADER, done = 0;
    struct tally tally = {0, 0};

    *ret_why = stream_header(p, in_bytes);
    while (*ret_why == NULL) {
        uint64_t packed, plain;

        if (used >= in_bytes) {
            *ret_why = "the kernel's xz stream is corrupt (cut off)";
        } else if (p[used] == 0) {
            *ret_why = index_check(p + used, in_bytes - used, &tally);
            break;
        } else {
            *ret_why = block_decode(d, p + used, in_bytes - used, to + done,
                                    out_bytes - done, &tally, &packed, &plain);
            if (*ret_why == NULL) {
                used += packed;
                done += plain;
            }
        }
    }
    if (*ret_why == NULL && done != out_bytes) {
        *ret_why = "the kernel's xz stream is shorter than it claims";
    }
    return *ret_why == NULL ? 0 : -EINVAL;
}
