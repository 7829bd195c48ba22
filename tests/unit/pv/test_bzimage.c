/* SPDX-License-Identifier: MIT */
/*
 * test_bzimage - the payload of good and spoiled kernel files.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "pv/bzimage.h"

#define FILE_BYTES    8192
#define PAYLOAD_AT    (2 * 512 + 0x40)
#define PAYLOAD_BYTES 1000

static uint8_t file[FILE_BYTES];

static void put(size_t at, uint32_t v, size_t bytes)
{
    memcpy(file + at, &v, bytes);
}

static int good_file(void **state)
{
    (void)state;
    memset(file, 0, sizeof(file));
    file[0x1f1] = 1;
    put(0x1fe, 0xaa55, 2);
    memcpy(file + 0x202, "HdrS", 4);
    put(0x206, 0x20f, 2);
    put(0x248, 0x40, 4);
    put(0x24c, PAYLOAD_BYTES, 4);
    memcpy(file + PAYLOAD_AT, "\3757zXZ\0", 6);
    put(PAYLOAD_AT + PAYLOAD_BYTES - 4, 123456, 4);
    return 0;
}

static int find(uint64_t bytes, struct kernel_payload *payload)
{
    const char *why = NULL;
    int rc = bzimage_find(file, bytes, payload, &why);

    assert_true(rc == 0 || why != NULL);
    return rc;
}

static void test_xz(void **state)
{
    struct kernel_payload p;

    (void)state;
    assert_int_equal(find(FILE_BYTES, &p), 0);
    assert_true(p.is_xz);
    assert_ptr_equal(p.data, file + PAYLOAD_AT);
    assert_int_equal(p.bytes, PAYLOAD_BYTES - 4);
    assert_int_equal(p.unpacked_bytes, 123456);
    /* 0 setup sectors means 4 */
    file[0x1f1] = 0;
    memcpy(file + 5 * 512 + 0x40, file + PAYLOAD_AT, PAYLOAD_BYTES);
    assert_int_equal(find(FILE_BYTES, &p), 0);
    assert_ptr_equal(p.data, file + 5 * 512 + 0x40);
}

static void test_plain_elf(void **state)
{
    struct kernel_payload p;

    (void)state;
    memcpy(file + PAYLOAD_AT, "\177ELF", 4);
    assert_int_equal(find(FILE_BYTES, &p), 0);
    assert_false(p.is_xz);
    assert_int_equal(p.bytes, PAYLOAD_BYTES);
    memcpy(file, "\177ELF", 4);
    assert_int_equal(find(FILE_BYTES, &p), 0);
    assert_ptr_equal(p.data, file);
    assert_int_equal(p.bytes, FILE_BYTES);
}

static void test_spoiled(void **state)
{
    static const struct {
        size_t at, bytes;
        uint32_t v;
    } spoil[] = {
        {0x1fe, 2, 0},                          /* boot flag */
        {0x202, 4, 0},                          /* no header */
        {0x206, 2, 0x207},                      /* protocol too old */
        {0x24c, 4, 0},                          /* no payload */
        {0x24c, 4, FILE_BYTES},                 /* payload beyond the end */
        {0x24c, 4, 0xffffffff},                 /* far beyond */
        {0x248, 4, 0xffffffff},                 /* begins beyond the end */
        {0x24c, 4, 20},                         /* shorter than any stream */
        {PAYLOAD_AT, 4, 0x8b1f},                /* gzip */
        {PAYLOAD_AT + PAYLOAD_BYTES - 4, 4, 0}, /* empty  */
        {PAYLOAD_AT + PAYLOAD_BYTES - 4, 4, 0x80000000}, /* 2 GiB */
    };
    struct kernel_payload p;

    (void)state;
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        good_file(NULL);
        put(spoil[i].at, spoil[i].v, spoil[i].bytes);
        if (find(FILE_BYTES, &p) != -EINVAL) {
            fail_msg("row %zu was accepted", i);
        }
    }
    for (uint64_t bytes = 0; bytes < PAYLOAD_AT + PAYLOAD_BYTES; bytes += 7) {
        good_file(NULL);
        assert_int_equal(find(bytes, &p), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_xz, good_file),
        cmocka_unit_test_setup(test_plain_elf, good_file),
        cmocka_unit_test_setup(test_spoiled, good_file),
    };

    return UNIT_RUN(tests);
}
