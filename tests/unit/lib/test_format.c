/* SPDX-License-Identifier: MIT */
/*
 * lib/format against libc's snprintf, with every buffer size.
 */
#include "tests/unit/unit.h"

#include <limits.h>

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-truncation"

int hv_snprintf(char *buf, size_t size, const char *fmt, ...);
size_t scnprintf(char *buf, size_t size, const char *fmt, ...);

/* Same text, same length, nothing past the end, for sizes 0 .. enough. */
#define SAME(...)                                                              \
    do {                                                                       \
        char want[512], got[512];                                              \
        int want_len = snprintf(want, sizeof(want), __VA_ARGS__);              \
        for (size_t size = 0; size <= (size_t)want_len + 2; size++) {          \
            memset(got, 0x55, sizeof(got));                                    \
            memset(want, 0x55, sizeof(want));                                  \
            snprintf(want, size, __VA_ARGS__);                                 \
            assert_int_equal(hv_snprintf(got, size, __VA_ARGS__), want_len);   \
            if (memcmp(got, want, sizeof(got)) != 0) {                         \
                print_message("size %zu: '%s' '%s'\n", size, got, want);       \
            }                                                                  \
            assert_memory_equal(got, want, sizeof(got));                       \
        }                                                                      \
    } while (0)

static const char *const flags[] = {"",   "-",  "0",  "+",  " ",  "#",
                                    "-0", "+0", "#0", "-#", "+-", " 0"};
static const char *const widths[] = {"", "1", "7", "20"};
static const char *const precisions[] = {"", ".", ".0", ".1", ".5", ".25"};

static void integers_like_libc(void **state)
{
    static const long values[] = {0,       1,        -1,       9,
                                  10,      255,      -256,     INT_MAX,
                                  INT_MIN, LONG_MAX, LONG_MIN, 0xdeadbeef};
    static const char *const kinds[] = {"d",  "u",   "x",   "X",   "o",   "ld",
                                        "lu", "lx",  "lX",  "lo",  "hd",  "hu",
                                        "hx", "hhd", "hhu", "hhx", "lld", "llx",
                                        "zu", "zx",  "i",   "li",  "jx"};

    (void)state;
    for (size_t f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
        for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++) {
            for (size_t p = 0; p < sizeof(precisions) / sizeof(*precisions);
                 p++) {
                for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
                    char fmt[64];

                    snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s>", flags[f],
                             widths[w], precisions[p], kinds[k]);
                    for (size_t v = 0; v < sizeof(values) / sizeof(*values);
                         v++) {
                        char want[128], got[128];

                        snprintf(want, sizeof(want), fmt, values[v]);
                        hv_snprintf(got, sizeof(got), fmt, values[v]);
                        if (strcmp(want, got) != 0) {
                            fail_msg("%s of %ld: '%s', libc '%s'", fmt,
                                     values[v], got, want);
                        }
                    }
                }
            }
        }
    }
}

static void strings_and_chars(void **state)
{
    const char not_terminated[3] = {'a', 'b', 'c'};

    (void)state;
    SAME("%s", "");
    SAME("%s and %s", "one", "two");
    SAME("[%10s]", "right");
    SAME("[%-10s]", "left");
    SAME("[%.3s]", "truncate");
    SAME("[%10.2s]", "both");
    SAME("[%.*s]", 3, not_terminated);
    SAME("[%.*s]", -1, "all");
    SAME("[%*s]", -8, "x");
    SAME("[%*d]", 8, 5);
    SAME("[%c%c]", 'a', 'b');
    SAME("[%3c|%-3c]", 'a', 'b');
    SAME("100%%");
    SAME("%s", (char *)NULL);
}

static void buffer_sizes(void **state)
{
    (void)state;
    SAME("%d %s %#lx %5u|%-8d|%08x", -42, "text", 0xffff82d0800UL, 7U, 1,
         0xbeefU);
    SAME("no conversion at all");
}

static void pointers(void **state)
{
    char got[64];

    (void)state;
    hv_snprintf(got, sizeof(got), "%p", (void *)0xffff82d080201234UL);
    assert_string_equal(got, "0xffff82d080201234");
    hv_snprintf(got, sizeof(got), "%p", (void *)0);
    assert_string_equal(got, "0x0000000000000000");
}

static void mistakes_are_visible(void **state)
{
    char got[64];

    (void)state;
    hv_snprintf(got, sizeof(got), "a %q b", 1);
    assert_string_equal(got, "a %q b");
    hv_snprintf(got, sizeof(got), "end %");
    assert_string_equal(got, "end %");
    hv_snprintf(got, sizeof(got), "%5");
    assert_string_equal(got, "%5");
    hv_snprintf(got, sizeof(got), "%n", 1);
    assert_string_equal(got, "%n");
}

static void absurd_sizes_are_bounded(void **state)
{
    char got[16];

    (void)state;
    assert_true(hv_snprintf(got, sizeof(got), "%999999999999d", 1) < 10000);
    assert_true(hv_snprintf(got, sizeof(got), "%.999999999d", 1) < 10000);
    assert_true(hv_snprintf(got, sizeof(got), "%*d", INT_MIN, 1) < 10000);
    assert_true(hv_snprintf(got, sizeof(got), "%*d", INT_MAX, 1) < 10000);
    assert_int_equal(got[15], 0);
}

static void scnprintf_counts_what_it_stored(void **state)
{
    char got[4];

    (void)state;
    assert_int_equal(scnprintf(got, sizeof(got), "%s", "abcdef"), 3);
    assert_int_equal(scnprintf(got, sizeof(got), "%s", "a"), 1);
    assert_int_equal(scnprintf(got, 0, "%s", "a"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_like_libc),
        cmocka_unit_test(strings_and_chars),
        cmocka_unit_test(buffer_sizes),
        cmocka_unit_test(pointers),
        cmocka_unit_test(mistakes_are_visible),
        cmocka_unit_test(absurd_sizes_are_bounded),
        cmocka_unit_test(scnprintf_counts_what_it_stored),
    };

    return UNIT_RUN(tests);
}
