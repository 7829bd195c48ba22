/* SPDX-License-Identifier: MIT */
/*
 * lib/xz, lib/lzma2, lib/x86_calls: streams made by xz itself, whole, cut off
 * and with every single bit wrong.  Each buffer is exactly as long as it may
 * be, so that AddressSanitizer sees a read or write beyond it.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/errno.h"
#include "lib/xz.h"
#include "tests/unit/lib/xz_streams.h"

#define PLAIN_MAX 5000U

static struct lzma2 scratch;
static unsigned char plain[PLAIN_MAX];
static uint32_t seed;

static unsigned int number(void)
{
    seed = seed * 1103515245U + 12345U;
    return seed >> 16;
}

static void make_text(unsigned int bytes)
{
    static const char *const words[] = {"frame ", "page ", "domain ", "vcpu ",
                                        "event "};
    unsigned int at = 0;

    seed = 2;
    while (at < bytes) {
        const char *word = words[number() % 5];

        while (*word && at < bytes) {
            plain[at++] = (unsigned char)*word++;
        }
    }
}

/* Many bytes that look like calls, close to each other. */
static void make_code(unsigned int bytes)
{
    static const unsigned char pick[] = {0xe8, 0xe9, 0x00, 0xff,
                                         0x01, 0xe8, 0xfe, 0x55};

    seed = 1;
    for (unsigned int i = 0; i < bytes; i++) {
        plain[i] = pick[number() & 7];
    }
}

static void make_noise(unsigned int bytes)
{
    seed = 3;
    for (unsigned int i = 0; i < bytes; i++) {
        plain[i] = (unsigned char)number();
    }
}

static void make_zeros(unsigned int bytes)
{
    memset(plain, 0, bytes);
}

#define STREAM(name, maker, bytes)                                             \
    {                                                                          \
        xz_##name, sizeof(xz_##name), maker, bytes                             \
    }
static const struct stream {
    const unsigned char *data;
    size_t bytes;
    void (*make)(unsigned int bytes);
    unsigned int plain_bytes;
} streams[] = {
    STREAM(text, make_text, 700),    STREAM(text_other_context, make_text, 300),
    STREAM(code, make_code, 600),    STREAM(noise, make_noise, 200),
    STREAM(zeros, make_zeros, 5000), STREAM(nothing, make_zeros, 0),
    STREAM(blocks, make_text, 600),
};
#define STREAMS (sizeof(streams) / sizeof(streams[0]))

/* Unpack from and to memory of exactly these sizes. */
static int unpack(const unsigned char *data, size_t bytes, size_t out_bytes,
                  unsigned char **ret_out)
{
    unsigned char *in = malloc(bytes + !bytes);
    unsigned char *out = malloc(out_bytes + !out_bytes);
    const char *why = NULL;
    int rc;

    assert_non_null(in);
    assert_non_null(out);
    memcpy(in, data, bytes);
    memset(&scratch, 0x5a, sizeof(scratch));
    rc = xz_unpack(&scratch, in, bytes, out, out_bytes, &why);
    assert_true(rc == 0 || rc == -EINVAL);
    assert_true((rc == 0) == (why == NULL));
    free(in);
    if (rc == 0 && ret_out != NULL) {
        *ret_out = out;
    } else {
        free(out);
    }
    return rc;
}

static void whole(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < STREAMS; i++) {
        const struct stream *s = &streams[i];
        unsigned char *out = NULL;

        s->make(s->plain_bytes);
        assert_int_equal(unpack(s->data, s->bytes, s->plain_bytes, &out), 0);
        assert_memory_equal(out, plain, s->plain_bytes);
        free(out);
    }
}

static void what_follows_is_ignored(void **state)
{
    unsigned char more[sizeof(xz_text) + 7];

    (void)state;
    memset(more, 0xa5, sizeof(more));
    memcpy(more, xz_text, sizeof(xz_text));
    assert_int_equal(unpack(more, sizeof(more), 700, NULL), 0);
}

static void size_is_exact(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < STREAMS; i++) {
        const struct stream *s = &streams[i];

        assert_int_equal(unpack(s->data, s->bytes, s->plain_bytes + 1, NULL),
                         -EINVAL);
        if (s->plain_bytes != 0) {
            assert_int_equal(
                unpack(s->data, s->bytes, s->plain_bytes - 1, NULL), -EINVAL);
        }
    }
}

static void cut_off(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < STREAMS; i++) {
        const struct stream *s = &streams[i];

        for (size_t bytes = 0; bytes < s->bytes; bytes++) {
            assert_int_equal(unpack(s->data, bytes, s->plain_bytes, NULL),
                             -EINVAL);
        }
    }
}

static void every_bit_counts(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < STREAMS; i++) {
        const struct stream *s = &streams[i];
        unsigned char *wrong = malloc(s->bytes), *out = NULL;
        unsigned int harmless = 0;

        s->make(s->plain_bytes);
        assert_non_null(wrong);
        for (size_t bit = 0; bit < s->bytes * 8; bit++) {
            memcpy(wrong, s->data, s->bytes);
            wrong[bit / 8] ^= (unsigned char)(1U << (bit % 8));
            /* A few decide nothing, as those of contexts never met. */
            if (unpack(wrong, s->bytes, s->plain_bytes, &out) == 0) {
                assert_memory_equal(out, plain, s->plain_bytes);
                free(out);
                harmless++;
            }
        }
        assert_true(harmless <= 4);
        free(wrong);
    }
}

static void refused(const unsigned char *data, size_t bytes, const char *wanted)
{
    unsigned char out[20];
    const char *why = NULL;

    assert_int_equal(xz_unpack(&scratch, data, bytes, out, sizeof(out), &why),
                     -EINVAL);
    assert_non_null(strstr(why, wanted));
}

static void other_options(void **state)
{
    (void)state;
    refused(xz_crc64, sizeof(xz_crc64), "CRC-32");
    refused(xz_delta, sizeof(xz_delta), "unknown options");
    refused((const unsigned char *)"\177ELF and so on", 15, "not an xz");
}

/* Without a checksum before it: chunks that anyone can have written. */
static void hostile_chunks(void **state)
{
    /* 12 bytes of stream header, 12 of block header. */
    const size_t chunks = sizeof(xz_code) - 24;

    (void)state;
    seed = 4;
    for (unsigned int round = 0; round < 20000; round++) {
        unsigned char *in = malloc(chunks), *out = malloc(600);
        uint64_t used = 0, made = 0;

        assert_non_null(in);
        assert_non_null(out);
        memcpy(in, xz_code + 24, chunks);
        for (unsigned int i = 0; i <= round % 4; i++) {
            in[number() % (i == 0 ? 12 : chunks)] = (unsigned char)number();
        }
        if (lzma2_decode(&scratch, in, chunks, out, 600, &used, &made) == 0) {
            assert_true(used <= chunks - LZMA2_READ_AHEAD + 1);
            assert_true(made <= 600);
        }
        free(in);
        free(out);
    }
}

/* A stored chunk, one that needs what was not given, and none at all. */
static void chunk_order(void **state)
{
    unsigned char in[LZMA2_READ_AHEAD + 16] = {1, 0, 1, 'h', 'i', 0};
    unsigned char out[4];
    uint64_t used, made;

    (void)state;
    assert_int_equal(
        lzma2_decode(&scratch, in, sizeof(in), out, 2, &used, &made), 0);
    assert_int_equal(used, 6);
    assert_int_equal(made, 2);
    assert_memory_equal(out, "hi", 2);
    /* No dictionary reset first; no properties; an unknown control byte. */
    for (unsigned int i = 0; i < 3; i++) {
        static const unsigned char control[] = {0x02, 0x80, 0x03};

        in[0] = control[i];
        assert_int_equal(
            lzma2_decode(&scratch, in, sizeof(in), out, 2, &used, &made),
            -EINVAL);
    }
    /* Properties of impossible literal contexts. */
    memcpy(in, "\xe0\0\1\0\5\xff", 6);
    assert_int_equal(
        lzma2_decode(&scratch, in, sizeof(in), out, 2, &used, &made), -EINVAL);
}

static void calls(void **state)
{
    unsigned char one[] = {0x90, 0xe8, 0x16, 0x00, 0x00, 0x00, 0x90};
    unsigned char few[] = {0xe8, 0x01, 0x02, 0x00};
    unsigned char far[] = {0xe8, 0x01, 0x02, 0x03, 0x04, 0x05};

    (void)state;
    x86_calls_decode(one, sizeof(one));
    assert_memory_equal(one, "\x90\xe8\x10\0\0\0\x90", 7);
    x86_calls_decode(few, sizeof(few));
    assert_memory_equal(few, "\xe8\1\2\0", 4);
    x86_calls_decode(far, sizeof(far));
    assert_memory_equal(far, "\xe8\1\2\3\4\5", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(what_follows_is_ignored),
        cmocka_unit_test(size_is_exact),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(other_options),
        cmocka_unit_test(hostile_chunks),
        cmocka_unit_test(chunk_order),
        cmocka_unit_test(calls),
    };

    return UNIT_RUN(tests);
}
