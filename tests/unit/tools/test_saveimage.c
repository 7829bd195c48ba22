/* SPDX-License-Identifier: MIT */
/* The head of a saved guest: ours, xl's, and what was damaged. */
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "lib/saveimage.h"

static struct fault fault;

/* As `xl save` of Debian 12 began a file, with its configuration cut short. */
static const char from_xl[] = "Xen saved domain, xl format\n \0 \r"
                              "\x04\x03\x02\x01\x03\0\0\0\0\0\0\0\x07\0\0\0"
                              "\x03\0\0\0{}\0LIBXLFMT";

static void test_as_xl(void **state)
{
    size_t bytes;
    char *head = saveimage_head("{}", &bytes);

    (void)state;
    assert_int_equal(bytes, SAVEIMAGE_HEAD_BYTES + 7);
    assert_memory_equal(head, from_xl, bytes);
    free(head);
}

static void test_round_trip(void **state)
{
    const char *json = "{\"c_info\":{\"name\":\"web1\"}}";
    uint32_t more;
    size_t bytes;
    uint8_t *head = saveimage_head(json, &bytes);
    char *back;

    (void)state;
    assert_int_equal(saveimage_check(head, "f", &more, &fault), 0);
    assert_int_equal(more + SAVEIMAGE_HEAD_BYTES, bytes);
    back = saveimage_config(head + SAVEIMAGE_HEAD_BYTES, more, "f", &fault);
    assert_string_equal(back, json);
    free(back);
    free(head);
}

/* One byte changed somewhere in the head. */
static enum exit_code changed(size_t at, char value)
{
    uint8_t head[SAVEIMAGE_HEAD_BYTES];
    uint32_t more = 77;

    memcpy(head, from_xl, sizeof(head));
    head[at] = (uint8_t)value;
    assert_int_equal(saveimage_check(head, "f", &more, &fault), -1);
    assert_int_equal(more, 77);
    return fault.code;
}

static void test_bad_heads(void **state)
{
    (void)state;
    assert_int_equal(changed(0, 'x'), EXIT_USAGE);
    assert_int_equal(changed(29, 'x'), EXIT_USAGE);
    assert_int_equal(changed(31, 'x'), EXIT_USAGE);
    assert_int_equal(changed(32, 5), EXIT_UNSUPPORTED); /* byte order     */
    assert_int_equal(changed(36, 7), EXIT_UNSUPPORTED); /* a newer flag   */
    assert_non_null(strstr(fault.text, "newer xl"));
    assert_int_equal(changed(36, 1), EXIT_UNSUPPORTED); /* an old stream  */
    assert_int_equal(changed(36, 2), EXIT_UNSUPPORTED); /* no JSON        */
    assert_int_equal(changed(44, 3), EXIT_USAGE);       /* too short      */
    assert_int_equal(changed(47, 1), EXIT_USAGE);       /* 16 MiB         */
}

static void test_other_byte_order(void **state)
{
    uint8_t head[SAVEIMAGE_HEAD_BYTES];
    uint32_t more;

    (void)state;
    memcpy(head, from_xl, sizeof(head));
    memcpy(head + 32, "\1\2\3\4", 4);
    assert_int_equal(saveimage_check(head, "f", &more, &fault), -1);
    assert_non_null(strstr(fault.text, "other byte order"));
}

static void expect_config(const char *data, size_t bytes, const char *wanted)
{
    char *json = saveimage_config((const uint8_t *)data, bytes, "f", &fault);

    if (wanted) {
        assert_non_null(json);
        assert_string_equal(json, wanted);
    } else {
        assert_null(json);
        assert_int_equal(fault.code, EXIT_USAGE);
    }
    free(json);
}

static void test_bad_configs(void **state)
{
    (void)state;
    expect_config("\3\0\0\0{}\0", 7, "{}");
    expect_config("\3\0\0\0{}\0more", 11, "{}");
    expect_config("\2\0\0\0{}\0", 7, NULL); /* not ended       */
    expect_config("\4\0\0\0{}\0", 7, NULL); /* longer than all */
    expect_config("\1\0\0\0\0", 5, NULL);   /* empty           */
    expect_config("\0\0\0\0", 4, NULL);
    expect_config("\xff\xff\xff\xff{}\0", 7, NULL);
    expect_config("\3\0", 2, NULL);
    expect_config("", 0, NULL);
}

/* A file with @bytes of @data; -1 or where its stream begins. */
static off_t open_file(const void *data, size_t bytes)
{
    char path[] = "/tmp/test_saveimage.XXXXXX";
    int fd = mkstemp(path);
    char *json = NULL;
    off_t at = -1;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), (ssize_t)bytes);
    close(fd);
    fd = saveimage_open(path, &json, &fault);
    if (fd >= 0) {
        at = lseek(fd, 0, SEEK_CUR);
        assert_string_equal(json, "{}");
        free(json);
        close(fd);
    }
    unlink(path);
    return at;
}

static void test_files(void **state)
{
    char *json;

    (void)state;
    assert_int_equal(open_file(from_xl, sizeof(from_xl) - 1), 55);
    for (size_t bytes = 0; bytes < 55; bytes++) {
        assert_int_equal(open_file(from_xl, bytes), -1);
    }
    assert_int_equal(saveimage_open("/tmp", &json, &fault), -1);
    assert_int_equal(saveimage_open("/dev/null", &json, &fault), -1);
    assert_int_equal(saveimage_open("/nowhere/f", &json, &fault), -1);
    assert_int_equal(fault.code, EXIT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_xl),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad_heads),
        cmocka_unit_test(test_other_byte_order),
        cmocka_unit_test(test_bad_configs),
        cmocka_unit_test(test_files),
    };

    return UNIT_RUN(tests);
}
