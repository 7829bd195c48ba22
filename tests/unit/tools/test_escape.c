/* SPDX-License-Identifier: MIT */
/* Nothing a guest writes may reach a terminal as a control sequence. */
#include "tests/unit/unit.h"

#include "lib/escape.h"

static void check(const char *src, size_t len, unsigned int flags,
                  const char *wanted)
{
    char *text = escape_dup(src, len, flags);

    assert_string_equal(text, wanted);
    free(text);
}

static void test_control_bytes(void **state)
{
    (void)state;
    check("plain text", 10, 0, "plain text");
    check("\033]0;owned\a", 10, 0, "\\x1b]0;owned\\x07");
    check("a\0b", 3, 0, "a\\x00b");
    check("\302\233", 2, 0, "\\xc2\\x9b"); /* C1 CSI in UTF-8 */
    check("\177", 1, 0, "\\x7f");
    check("a\nb\tc", 5, 0, "a\\x0ab\\x09c");
    check("a\nb\tc", 5, ESCAPE_KEEP_LINES, "a\nb\tc");
}

static void test_every_byte(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char src = (char)byte;
        char *text = escape_dup(&src, 1, ESCAPE_KEEP_LINES);

        for (const char *at = text; *at; at++) {
            assert_true((*at >= 0x20 && *at < 0x7f) || *at == '\n' ||
                        *at == '\t');
        }
        free(text);
    }
}

static void test_line_ends(void **state)
{
    (void)state;
    check("a\r\nb", 4, ESCAPE_KEEP_LINES, "a\nb");
    check("a\r\r\nb", 5, ESCAPE_KEEP_LINES, "a\nb");
    check("a\rb", 3, ESCAPE_KEEP_LINES, "a\\x0db");
    check("a\r", 2, ESCAPE_KEEP_LINES, "a\\x0d");
    check("a\r\nb", 4, 0, "a\\x0d\\x0ab");
}

static void test_bounds(void **state)
{
    char text[8];

    (void)state;
    /* Cut before a form that does not fit, never inside one. */
    assert_int_equal(escape_text(text, sizeof(text), "abc\001\002", 5, 0), 7);
    assert_string_equal(text, "abc\\x01");
    assert_int_equal(escape_text(text, 6, "abc\001\002", 5, 0), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(escape_text(text, 1, "abc", 3, 0), 0);
    assert_string_equal(text, "");
}

static void test_file_name(void **state)
{
    char name[12];

    (void)state;
    escape_file_name(name, sizeof(name), "web-1.a_b");
    assert_string_equal(name, "web-1.a_b");
    escape_file_name(name, sizeof(name), "../../etc");
    assert_string_equal(name, "_._.._etc");
    escape_file_name(name, sizeof(name), "");
    assert_string_equal(name, "unnamed");
    escape_file_name(name, sizeof(name), "a b\n\303\244/c");
    assert_string_equal(name, "a_b____c");
    escape_file_name(name, sizeof(name), "abcdefghijklmnop");
    assert_string_equal(name, "abcdefghijk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_bytes), cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_line_ends),     cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_file_name),
    };

    return UNIT_RUN(tests);
}
