/* SPDX-License-Identifier: MIT */
/*
 * lib/string against libc: every length and offset around the word size.
 */
#include "tests/unit/unit.h"

/* Prototypes of ours, under their names on the host. */
void *hv_memcpy(void *dst, const void *src, size_t len);
void *hv_memmove(void *dst, const void *src, size_t len);
void *hv_memset(void *dst, int value, size_t len);
int hv_memcmp(const void *a, const void *b, size_t len);
void *hv_memchr(const void *block, int value, size_t len);
size_t hv_strlen(const char *s);
size_t hv_strnlen(const char *s, size_t max);
int hv_strcmp(const char *a, const char *b);
int hv_strncmp(const char *a, const char *b, size_t max);
char *hv_strchr(const char *s, int c);
size_t hv_strlcpy(char *dst, const char *src, size_t size);

#define SIZE 160

static unsigned char source[SIZE], mine[SIZE], theirs[SIZE];

static void fill(void)
{
    for (unsigned int i = 0; i < SIZE; i++) {
        source[i] = (unsigned char)(i * 37 + 11);
        mine[i] = theirs[i] = (unsigned char)(200 - i);
    }
}

static void copies_like_libc(void **state)
{
    (void)state;
    for (size_t from = 0; from < 9; from++) {
        for (size_t to = 0; to < 9; to++) {
            for (size_t len = 0; len <= 100; len++) {
                fill();
                assert_ptr_equal(hv_memcpy(mine + to, source + from, len),
                                 mine + to);
                memcpy(theirs + to, source + from, len);
                assert_memory_equal(mine, theirs, SIZE);
            }
        }
    }
}

static void moves_over_itself(void **state)
{
    (void)state;
    for (size_t from = 0; from < 40; from++) {
        for (size_t to = 0; to < 40; to++) {
            for (size_t len = 0; len <= 100; len += 7) {
                fill();
                hv_memmove(mine + to, mine + from, len);
                memmove(theirs + to, theirs + from, len);
                assert_memory_equal(mine, theirs, SIZE);
            }
        }
    }
}

static void sets_like_libc(void **state)
{
    (void)state;
    for (size_t to = 0; to < 9; to++) {
        for (size_t len = 0; len <= 100; len++) {
            fill();
            hv_memset(mine + to, 0x1a5, len);
            memset(theirs + to, 0xa5, len);
            assert_memory_equal(mine, theirs, SIZE);
        }
    }
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void compares_unsigned(void **state)
{
    (void)state;
    assert_int_equal(sign(hv_memcmp("\x80", "\x7f", 1)), 1);
    assert_int_equal(hv_memcmp("abc", "abd", 2), 0);
    assert_int_equal(sign(hv_memcmp("abc", "abd", 3)), -1);
    assert_int_equal(hv_memcmp("a", "b", 0), 0);
    assert_int_equal(sign(hv_strcmp("\x80", "a")), 1);
    assert_int_equal(sign(hv_strcmp("ab", "abc")), -1);
    assert_int_equal(hv_strcmp("", ""), 0);
    assert_int_equal(hv_strncmp("abc", "abd", 2), 0);
    assert_int_equal(sign(hv_strncmp("abc", "abd", 9)), -1);
    assert_int_equal(hv_strncmp("ab\0x", "ab\0y", 4), 0);
}

static void finds(void **state)
{
    const char *s = "hello";

    (void)state;
    assert_ptr_equal(hv_memchr(s, 'l', 5), s + 2);
    assert_null(hv_memchr(s, 'o', 4));
    assert_null(hv_memchr(s, 'h', 0));
    assert_ptr_equal(hv_strchr(s, 'o'), s + 4);
    assert_ptr_equal(hv_strchr(s, 0), s + 5);
    assert_null(hv_strchr(s, 'z'));
    assert_int_equal(hv_strlen(s), 5);
    assert_int_equal(hv_strlen(""), 0);
    assert_int_equal(hv_strnlen(s, 3), 3);
    assert_int_equal(hv_strnlen(s, 9), 5);
}

static void strlcpy_terminates(void **state)
{
    char buf[4] = "xxx";

    (void)state;
    assert_int_equal(hv_strlcpy(buf, "abcdef", sizeof(buf)), 6);
    assert_string_equal(buf, "abc");
    assert_int_equal(hv_strlcpy(buf, "z", 0), 1);
    assert_string_equal(buf, "abc");
    assert_int_equal(hv_strlcpy(buf, "", 1), 0);
    assert_string_equal(buf, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_like_libc),
        cmocka_unit_test(moves_over_itself),
        cmocka_unit_test(sets_like_libc),
        cmocka_unit_test(compares_unsigned),
        cmocka_unit_test(finds),
        cmocka_unit_test(strlcpy_terminates),
    };

    return UNIT_RUN(tests);
}
