/* SPDX-License-Identifier: MIT */
/* What is kept of libxl's messages. */
#include <errno.h>
#include <stdarg.h>

#include "tests/unit/unit.h"

#include "lib/lxlog.h"

static struct lx_log log_;

__attribute__((format(printf, 3, 4))) static void
message(xentoollog_level level, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_.logger.vmessage(&log_.logger, level, err, "libxl", format, args);
    va_end(args);
}

static void test_essence(void **state)
{
    static const struct {
        const char *text;
        const char *essence;
    } rows[] = {
        {"libxl_create.c:710:libxl__domain_make: domain creation fail",
         "domain creation fail"},
        {"libxl_dm.c:12:start:Domain 3:no model", "Domain 3:no model"},
        {"no place: at all", "no place: at all"},
        {"a file x.c:12:f: inside", "a file x.c:12:f: inside"},
        {"x.c:", "x.c:"},
        {"x.c:12", "x.c:12"},
        {"x.c:12:", "x.c:12:"},
        {"x.c:twelve:f: y", "x.c:twelve:f: y"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(lx_log_essence(rows[i].text), rows[i].essence);
    }
}

static void test_first_error(void **state)
{
    (void)state;
    lx_log_init(&log_, 0);
    message(XTL_WARN, -1, "libxl.c:1:f: a warning");
    assert_string_equal(log_.first, "");
    message(XTL_ERROR, ENOSPC, "libxl.c:%d:f: no room\nfor more", 2);
    message(XTL_ERROR, -1, "libxl.c:3:f: so it failed");
    assert_string_equal(log_.first, "no room: No space left on device");
}

static void test_long_error(void **state)
{
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    lx_log_init(&log_, 0);
    message(XTL_ERROR, EIO, "%s", text);
    assert_true(strlen(log_.first) < LX_LOG_BYTES);
    assert_non_null(strstr(log_.first, "Input/output error"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_essence),
        cmocka_unit_test(test_first_error),
        cmocka_unit_test(test_long_error),
    };

    return UNIT_RUN(tests);
}
