/* SPDX-License-Identifier: MIT */
/*
 * Manual pages: what a command's table entry says is in its page, and nothing
 * in it is taken for a request of roff.
 */
#include "tests/unit/unit.h"

#include "lib/opts.h"
#include "vigil/manual.h"

static int run_nothing(const struct invocation *call)
{
    (void)call;
    return 0;
}

static const struct option_spec options[] = {
    {'f', "follow", NULL, "go on"},
    {0, "since-when", "TIME", ".SH not a heading \\ here"},
    {'n', NULL, "N", "'tis not a request"},
    {0, NULL, NULL, NULL},
};

static const struct command table[] = {
    {"crash", "show", "ID | -1", "Show xl.cfg of it; and more. Yes.",
     run_nothing, options, 0, 1},
    {NULL, "mem-set", "GUEST", "NMI here.", run_nothing, NULL, 1, 1},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0},
};

static const struct manual_example examples[] = {
    {"vigil crash show -1 'x' | y", ".B not bold"},
    {NULL, NULL},
};

static const struct manual_text texts[] = {
    {NULL, "show", "not this one: it has no group", NULL},
    {"crash", "show", "First.\n\n.Second `x` ^y.", examples},
    {NULL, NULL, NULL, NULL},
};

static char *page_of(const struct command *command)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    if (command) {
        manual_page(out, texts, command);
    } else {
        manual_overview(out, table);
    }
    fclose(out);
    return text;
}

static void assert_has(const char *text, const char *words)
{
    if (!strstr(text, words)) {
        fail_msg("no '%s' in:\n%s", words, text);
    }
}

/* Each line that begins with a dot is one of our own requests. */
static void assert_requests(const char *text)
{
    static const char *const ours[] = {
        ".\\\" ", ".TH ", ".SH ", ".TP", ".PP", ".BR ", ".B ", ".nf", ".fi",
        ".nh", ".ad ",
    };

    while (text && *text) {
        int known = *text != '.' && *text != '\'';

        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
            known |= strncmp(text, ours[i], strlen(ours[i])) == 0;
        }
        if (!known) {
            fail_msg("a request that is none: %.40s", text);
        }
        text = strchr(text, '\n');
        text += text != NULL;
    }
}

static void test_page(void **state)
{
    char *page = page_of(&table[0]);

    (void)state;
    assert_requests(page);
    assert_has(page, ".TH vigil\\-crash\\-show 1 \"1970-01-02\"");
    assert_has(page, "\nvigil\\-crash\\-show \\- show xl.cfg of it\n");
    assert_has(page, "\\fBvigil crash show\\fR ID | \\-1\n");
    assert_has(page, "First.\n.PP\n\\&.Second \\(gax\\(ga \\(hay.\n");
    assert_has(page, "\\fB\\-f\\fR, \\fB\\-\\-follow\\fR\ngo on\n");
    assert_has(page, "\\fB\\-\\-since\\-when\\fR \\fITIME\\fR\n"
                     "\\&.SH not a heading \\e here\n");
    assert_has(page, "\\fB\\-n\\fR \\fIN\\fR\n\\&\\(aqtis not");
    assert_has(page, "\\fBvigil crash show \\-1 \\(aqx\\(aq | y\n");
    assert_has(page, "\\&.B not bold");
    for (int code = 0; code <= EXIT_PARTIAL; code++) {
        char line[32];

        snprintf(line, sizeof(line), ".B %d\n", code);
        assert_has(page, line);
    }
    assert_null(strstr(page, "not this one"));
    free(page);
}

/* No options, no text, no example: still a page. */
static void test_bare_page(void **state)
{
    char *page = page_of(&table[1]);

    (void)state;
    assert_requests(page);
    assert_has(page, "\nvigil\\-mem\\-set \\- NMI here\n");
    assert_has(page, "\\fB\\-\\-help\\fR");
    assert_null(strstr(page, "EXAMPLES"));
    free(page);
}

static void test_overview(void **state)
{
    char *page = page_of(NULL);

    (void)state;
    assert_requests(page);
    assert_has(page, "\\fBcrash show\\fR ID | \\-1\n");
    assert_has(page, ".BR vigil\\-crash\\-show (1).");
    assert_has(page, ".BR vigil\\-mem\\-set (1).");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_bare_page),
        cmocka_unit_test(test_overview),
    };

    return UNIT_RUN(tests);
}
