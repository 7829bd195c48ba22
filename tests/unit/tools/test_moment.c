/* SPDX-License-Identifier: MIT */
/* Times, ULIDs and UUIDs: their texts sort and read back. */
#include "tests/unit/unit.h"

#include "lib/moment.h"

#define SOME_NS 1785831323104511789ULL /* 2026-08-04T08:15:23.104511789Z */

static void test_texts(void **state)
{
    char text[40];

    (void)state;
    moment_rfc3339(text, sizeof(text), SOME_NS);
    assert_string_equal(text, "2026-08-04T08:15:23.104511Z");
    moment_compact(text, sizeof(text), SOME_NS);
    assert_string_equal(text, "20260804T081523Z");
    moment_rfc3339(text, sizeof(text), 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
    setenv("TZ", "UTC-2", 1);
    moment_local(text, sizeof(text), SOME_NS);
    assert_string_equal(text, "Tue 2026-08-04 10:15:23");
}

static void test_ulid(void **state)
{
    static const uint8_t zeroes[10];
    static const uint8_t ones[10] = {255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255};
    static const uint8_t counting[10] = {0x01, 0x23, 0x45, 0x67, 0x89,
                                         0xab, 0xcd, 0xef, 0x01, 0x23};
    char earlier[ULID_CHARS + 1];
    char later[ULID_CHARS + 1];

    (void)state;
    ulid_make(earlier, 0, zeroes);
    assert_string_equal(earlier, "00000000000000000000000000");
    ulid_make(earlier, 1469918176385000000ULL, ones);
    assert_string_equal(earlier, "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
    ulid_make(earlier, 0, counting);
    assert_string_equal(earlier + 10, "04HMASW9NF6YY093");

    ulid_make(earlier, SOME_NS, ones);
    ulid_make(later, SOME_NS + 1000000, zeroes);
    assert_true(strcmp(earlier, later) < 0);
}

static void test_uuid(void **state)
{
    static const char text[] = "01234567-89ab-cdef-0123-456789abcdef";
    static const char *const wrong[] = {
        "",
        "0",
        "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdef0",
        "0123456789ab-cdef-0123-456789abcdef0",
        "g1234567-89ab-cdef-0123-456789abcdef",
        "01234567_89ab-cdef-0123-456789abcdef",
        "01234567-89ab-cdef-0123-456789abcd f",
    };
    char again[UUID_CHARS + 1];
    uint8_t uuid[16];

    (void)state;
    assert_int_equal(uuid_parse(text, uuid), 0);
    assert_int_equal(uuid[0], 0x01);
    assert_int_equal(uuid[15], 0xef);
    uuid_text(again, uuid);
    assert_string_equal(again, text);
    assert_int_equal(uuid_parse("01234567-89AB-CDEF-0123-456789ABCDEF", uuid),
                     0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(uuid_parse(wrong[i], uuid), -1);
    }
    uuid_random(uuid);
    uuid_text(again, uuid);
    assert_int_equal(again[14], '4');
}

static void test_parse(void **state)
{
    static const char *const wrong[] = {
        "",       "now",     "10",     "10x",       "10mm",
        "-10m",   "2026",    "2026-13-01", "2026-08-04T08:15:23",
        "2026-08-04T08:15:23.1+02:00", "2026-08-04 10:15 Z", "99999999999999d",
        "9999-01-01T00:00:00Z",
    };
    const uint64_t hour = 3600ULL * 1000000000ULL;
    uint64_t ns = 0;
    char stamp[40];

    (void)state;
    setenv("TZ", "Etc/GMT-2", 1); /* two hours before UTC */
    assert_int_equal(moment_parse("2026-08-04T08:15:23.104511Z", 0, &ns), 0);
    moment_rfc3339(stamp, sizeof(stamp), ns);
    assert_string_equal(stamp, "2026-08-04T08:15:23.104511Z");
    assert_int_equal(moment_parse("2026-08-04T08:15:23Z", 0, &ns), 0);
    moment_rfc3339(stamp, sizeof(stamp), ns);
    assert_string_equal(stamp, "2026-08-04T08:15:23.000000Z");
    assert_int_equal(moment_parse("2026-08-04 10:15", 0, &ns), 0);
    moment_rfc3339(stamp, sizeof(stamp), ns);
    assert_string_equal(stamp, "2026-08-04T08:15:00.000000Z");
    assert_int_equal(moment_parse("2026-08-04", 0, &ns), 0);
    moment_rfc3339(stamp, sizeof(stamp), ns);
    assert_string_equal(stamp, "2026-08-03T22:00:00.000000Z");
    assert_int_equal(moment_parse("2h", 50 * hour, &ns), 0);
    assert_int_equal(ns, 48 * hour);
    assert_int_equal(moment_parse("2d", 50 * hour, &ns), 0);
    assert_int_equal(ns, 2 * hour);
    assert_int_equal(moment_parse("90s", hour, &ns), 0);
    assert_int_equal(moment_parse("3d", 50 * hour, &ns), -1);
    assert_int_equal(moment_parse("10m", 0, &ns), -1); /* before what? */
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(moment_parse(wrong[i], 50 * hour, &ns), -1);
    }
    unsetenv("TZ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_ulid),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_parse),
    };

    return UNIT_RUN(tests);
}
