/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_bert.c: status blocks, whole and broken.
 */
#include "tests/unit/dev/acpi_machine.h"

#include "dev/acpi_bert.h"

static const uint8_t memory_guid[16] = {0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f,
                                        0xde, 0x4e, 0xb8, 0x63, 0x3e, 0x83,
                                        0xed, 0x7c, 0x83, 0xb1};

/* A block with @n sections of @data bytes each, the first about memory. */
static uint8_t *make_block(unsigned int n, uint32_t data, uint16_t revision,
                           size_t *ret_bytes)
{
    size_t head = revision >= 0x300 ? 72 : 64, one = head + data;
    size_t bytes = 20 + n * one;
    uint8_t *p = calloc(1, bytes);

    put32(p, 1);
    put32(p + 12, (uint32_t)(n * one));
    put32(p + 16, ERROR_FATAL);
    for (unsigned int i = 0; i < n; i++) {
        uint8_t *e = p + 20 + i * one;

        if (i == 0) {
            memcpy(e, memory_guid, 16);
        }
        put32(e + 16, i == 0 ? ERROR_FATAL : 77);
        put16(e + 20, revision);
        put32(e + 24, data);
        if (data >= 24) {
            put64(e + head, 2);
            put64(e + head + 16, 0x12345678000);
        }
    }
    *ret_bytes = bytes;
    return p;
}

static void error_blocks(void **state)
{
    struct error_block r;
    size_t bytes;
    uint8_t *p = make_block(2, 80, 0x300, &bytes);

    (void)state;
    assert_true(error_block_parse(p, bytes, &r));
    assert_int_equal(r.severity, ERROR_FATAL);
    assert_int_equal(r.section_count, 2);
    assert_int_equal(r.dropped, 0);
    assert_string_equal(r.section[0].kind, "memory");
    assert_true(r.section[0].has_address);
    assert_int_equal(r.section[0].address, 0x12345678000);
    assert_string_equal(r.section[1].kind, "unknown");
    assert_int_equal(r.section[1].severity, ERROR_NONE);
    put32(p, 0); /* no error */
    assert_false(error_block_parse(p, bytes, &r));
    free(p);
    /* Memory sections too short for an address, or whose address is none. */
    p = make_block(1, 23, 0x201, &bytes);
    assert_true(error_block_parse(p, bytes, &r));
    assert_false(r.section[0].has_address);
    free(p);
    p = make_block(1, 24, 0x201, &bytes);
    put64(p + 20 + 64 + 16, ~0ULL);
    assert_true(error_block_parse(p, bytes, &r));
    assert_false(r.section[0].has_address);
    free(p);
    p = make_block(ERROR_SECTIONS_MAX + 3, 0, 0x201, &bytes);
    assert_true(error_block_parse(p, bytes, &r));
    assert_int_equal(r.section_count, ERROR_SECTIONS_MAX);
    assert_int_equal(r.dropped, 3);
    free(p);
}

static void error_blocks_broken(void **state)
{
    static const uint32_t lengths[] = {0,          1,          79,        81,
                                       0x7fffffff, 0xffffffb8, 0xffffffff};
    struct error_block r;
    size_t bytes;
    uint8_t *good = make_block(3, 80, 0x300, &bytes);

    (void)state;
    for (size_t n = 0; n <= bytes; n++) {
        uint8_t *p = malloc(n == 0 ? 1 : n);

        memcpy(p, good, n);
        assert_int_equal(error_block_parse(p, n, &r), n >= 20);
        for (unsigned int i = 0; i < 7 && n >= 48; i++) {
            put32(p + 20 + 24, lengths[i]);
            assert_true(error_block_parse(p, n, &r));
            assert_true(r.section_count <= ERROR_SECTIONS_MAX);
        }
        for (unsigned int i = 0; i < 7 && n >= 20; i++) {
            put32(p + 12, lengths[i]);
            assert_true(error_block_parse(p, n, &r));
        }
        free(p);
    }
    free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_blocks),
        cmocka_unit_test(error_blocks_broken),
    };

    return UNIT_RUN(tests);
}
