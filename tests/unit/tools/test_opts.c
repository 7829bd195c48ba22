/* SPDX-License-Identifier: MIT */
/* Command lines: options and operands mixed, and what is refused. */
#include "tests/unit/unit.h"

#include "lib/opts.h"

static const struct option_spec options[] = {
    {'c', "console", NULL, ""},    {'p', "paused", NULL, ""},
    {0, "timeout", "SECONDS", ""}, {'n', NULL, "N", ""},
    {'1', NULL, NULL, ""},         {0, NULL, NULL, NULL},
};

static const struct command commands[] = {
    {NULL, "list", "", "", NULL, NULL, 0, 0},
    {"crash", "list", "", "", NULL, NULL, 0, 0},
    {"crash", "show", "", "", NULL, NULL, 0, 1},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0},
};

static struct invocation call;
static struct fault fault;

/* Words are reordered in place, so each line gets its own copy. */
static int parse(const char *line)
{
    static char text[128];
    static char *words[16];
    int count = 0;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    return opts_parse(options, words, count, &call, &fault);
}

static void test_mixed(void **state)
{
    (void)state;
    assert_int_equal(parse("a.cfg -c memory=32 --paused b"), 0);
    assert_int_equal(call.operand_count, 3);
    assert_string_equal(call.operands[0], "a.cfg");
    assert_string_equal(call.operands[1], "memory=32");
    assert_string_equal(call.operands[2], "b");
    assert_non_null(opts_given(&call, 'c', NULL));
    assert_non_null(opts_given(&call, 'p', NULL));
    assert_non_null(opts_given(&call, 0, "console"));
    assert_null(opts_given(&call, 0, "timeout"));
    assert_null(opts_given(&call, 'x', NULL));
}

static void test_values(void **state)
{
    (void)state;
    assert_int_equal(parse("-cp --timeout 5 -n3 -1"), 0);
    assert_string_equal(opts_given(&call, 0, "timeout"), "5");
    assert_string_equal(opts_given(&call, 'n', NULL), "3");
    assert_non_null(opts_given(&call, '1', NULL));
    assert_int_equal(call.operand_count, 0);
    assert_int_equal(parse("--timeout=7 -n 4"), 0);
    assert_string_equal(opts_given(&call, 0, "timeout"), "7");
    assert_string_equal(opts_given(&call, 'n', NULL), "4");
    assert_int_equal(parse("-- -c --paused"), 0);
    assert_int_equal(call.operand_count, 2);
    assert_null(opts_given(&call, 'c', NULL));
    assert_int_equal(parse("-"), 0);
    assert_int_equal(call.operand_count, 1);
}

static void test_refused(void **state)
{
    static const char *const lines[] = {
        "-x",  "--nonsense",    "--timeout", "-n",
        "-cx", "--console=yes", "--consol",  "--consoles",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(lines[i]), -1);
        assert_int_equal(fault.code, EXIT_USAGE);
    }
}

static void test_seconds(void **state)
{
    long seconds = -1;

    (void)state;
    parse("");
    assert_int_equal(opts_seconds(&call, "timeout", 60, &seconds, &fault), 0);
    assert_int_equal(seconds, 60);
    parse("--timeout 0");
    assert_int_equal(opts_seconds(&call, "timeout", 60, &seconds, &fault), 0);
    assert_int_equal(seconds, 0);
    parse("--timeout -1");
    assert_int_equal(opts_seconds(&call, "timeout", 60, &seconds, &fault), -1);
    parse("--timeout 5m");
    assert_int_equal(opts_seconds(&call, "timeout", 60, &seconds, &fault), -1);
    parse("--timeout 99999999999999999999");
    assert_int_equal(opts_seconds(&call, "timeout", 60, &seconds, &fault), -1);
}

static void test_find(void **state)
{
    char list[] = "list";
    char crash[] = "crash";
    char show[] = "show";
    char *plain[] = {list, crash};
    char *grouped[] = {crash, list, show};
    int words;

    (void)state;
    assert_ptr_equal(command_find(commands, plain, 2, &words), &commands[0]);
    assert_int_equal(words, 1);
    assert_ptr_equal(command_find(commands, grouped, 3, &words), &commands[1]);
    assert_int_equal(words, 2);
    assert_null(command_find(commands, grouped, 1, &words));
    assert_null(command_find(commands, grouped + 2, 1, &words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_find),
    };

    return UNIT_RUN(tests);
}
