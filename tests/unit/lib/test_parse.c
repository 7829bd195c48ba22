/* SPDX-License-Identifier: MIT */
/*
 * lib/parse: values as rows; what is refused leaves the result alone.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/parse.h"

static void numbers(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } rows[] = {
        {"0", 0, 0},
        {"10", 0, 10},
        {"0x10", 0, 16},
        {"0XfF", 0, 255},
        {"010", 0, 8},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"0x10000000000000000", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"0x", -EINVAL, 0},
        {"09", -EINVAL, 0},
        {"12a", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t v = 77;

        assert_int_equal(parse_u64(rows[i].text, &v), rows[i].rc);
        assert_int_equal(v, rows[i].rc == 0 ? rows[i].value : 77);
    }
}

static void limited_numbers(void **state)
{
    unsigned int v = 77;

    (void)state;
    assert_int_equal(parse_uint("64", 63, &v), -ERANGE);
    assert_int_equal(v, 77);
    assert_int_equal(parse_uint("63", 63, &v), 0);
    assert_int_equal(v, 63);
    assert_int_equal(parse_uint("x", 63, &v), -EINVAL);
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } rows[] = {
        {"512M", 0, 512ULL << 20},
        {"512m", 0, 512ULL << 20},
        {"1G", 0, 1ULL << 30},
        {"2T", 0, 2ULL << 40},
        {"4k", 0, 4096},
        {"100B", 0, 100},
        {"1048576", 0, 1ULL << 30},
        {"0x10M", 0, 16ULL << 20},
        {"16777216T", -ERANGE, 0},
        {"512MB", -EINVAL, 0},
        {"M", -EINVAL, 0},
        {"5q", -EINVAL, 0},
        {"", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t v = 77;

        assert_int_equal(parse_size(rows[i].text, &v), rows[i].rc);
        assert_int_equal(v, rows[i].rc == 0 ? rows[i].value : 77);
    }
}

static void booleans(void **state)
{
    static const char *const yes[] = {"", "1", "on", "yes", "true", "enable"};
    static const char *const no[] = {"0", "off", "no", "false", "disable"};
    bool v;

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
        v = false;
        assert_int_equal(parse_bool(yes[i], &v), 0);
        assert_true(v);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
        v = true;
        assert_int_equal(parse_bool(no[i], &v), 0);
        assert_false(v);
    }
    assert_int_equal(parse_bool("maybe", &v), -EINVAL);
    assert_int_equal(parse_bool("on ", &v), -EINVAL);
}

static void lists(void **state)
{
    const char *cursor = "min:512M,,longer-than-the-buffer,last";
    char item[9];

    (void)state;
    assert_true(parse_next(&cursor, ',', item, sizeof(item)));
    assert_string_equal(item, "min:512M");
    assert_string_equal(parse_key(item, "min"), "512M");
    assert_null(parse_key(item, "max"));
    assert_null(parse_key(item, "mi"));
    assert_true(parse_next(&cursor, ',', item, sizeof(item)));
    assert_string_equal(item, "");
    assert_true(parse_next(&cursor, ',', item, sizeof(item)));
    assert_string_equal(item, "longer-t");
    assert_true(parse_next(&cursor, ',', item, sizeof(item)));
    assert_string_equal(item, "last");
    assert_string_equal(parse_key(item, "last"), "");
    assert_false(parse_next(&cursor, ',', item, sizeof(item)));
    assert_false(parse_next(&cursor, ',', item, sizeof(item)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(limited_numbers),
        cmocka_unit_test(sizes),   cmocka_unit_test(booleans),
        cmocka_unit_test(lists),
    };

    return UNIT_RUN(tests);
}
