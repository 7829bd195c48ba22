/* SPDX-License-Identifier: MIT */
/* Amounts of memory, sets of CPUs, and when progress is shown. */
#include "tests/unit/unit.h"

#include "lib/amount.h"
#include "lib/progress.h"

static void test_amounts(void **state)
{
    static const struct {
        const char *text;
        uint64_t kib;
    } good[] = {
        {"1", 1024},    {"64", 65536},         {"64m", 65536},
        {"64M", 65536}, {"1g", 1048576},       {"2048k", 2048},
        {"4096b", 4},   {"1t", 1073741824ULL}, {"16T", AMOUNT_KIB_MAX},
        {"007", 7168},
    };
    static const char *const bad[] = {
        "",
        "m",
        "-1",
        "+1",
        " 1",
        "1 m",
        "1mb",
        "1x",
        "0",
        "17t",
        "1.5",
        "0x10",
        "10b",
        "99999999999999999999999",
        "18446744073709551615m",
    };
    uint64_t kib = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(amount_parse_kib(good[i].text, &kib), 0);
        assert_int_equal(kib, good[i].kib);
    }
    kib = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (amount_parse_kib(bad[i], &kib) != -1) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_int_equal(kib, 7);
}

/* Node 1 has CPUs 4 and 5; there is no node 3. */
static int play_node(void *context, unsigned long node, int take_away,
                     uint8_t *map, size_t bytes)
{
    (void)context;
    assert_int_equal(bytes, 2);
    if (node > 2) {
        return -1;
    }
    if (node == 1) {
        map[0] = (uint8_t)(take_away ? map[0] & ~0x30 : map[0] | 0x30);
    }
    return 0;
}

static void test_cpus(void **state)
{
    static const struct {
        const char *text;
        unsigned int map;
    } good[] = {
        {"0", 0x0001},
        {"0-3", 0x000f},
        {"0-3,^1", 0x000d},
        {"all", 0xffff},
        {"all,^0,^15", 0x7ffe},
        {"^1,0-3", 0x000f},
        {" 0 - 2 , 9", 0x0207},
        {"7-8", 0x0180},
        {"15-40", 0x8000},
        {"16", 0},
        {"node:1", 0x0030},
        {"nodes:0-2", 0x0030},
        {"all,^nodes:1", 0xffcf},
        {"1,2,3,^2-3", 0x0002},
    };
    static const char *const bad[] = {
        "",
        ",",
        "0,",
        "a",
        "-1",
        "3-1",
        "0-",
        "^",
        "^all",
        "0x1",
        "node:",
        "node:3",
        "1..2",
        "nodes:0-9",
        "70000",
        "0-70000",
        "1,,2",
        "99999999999999999999999",
        "all,0000000000000000000000000000000000000000000000000000000000000000001",
    };
    uint8_t map[2];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        memset(map, 0xa5, sizeof(map));
        assert_int_equal(
            cpus_parse(good[i].text, play_node, NULL, map, sizeof(map)), 0);
        if ((map[0] | map[1] << 8) != (int)good[i].map) {
            fail_msg("'%s' gives %02x%02x", good[i].text, map[1], map[0]);
        }
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (cpus_parse(bad[i], play_node, NULL, map, sizeof(map)) != -1) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_int_equal(cpus_parse("node:1", NULL, NULL, map, sizeof(map)), -1);
}

static void test_progress_mode(void **state)
{
    enum progress_mode mode;

    (void)state;
    assert_int_equal(progress_mode_parse(NULL, 1, &mode), 0);
    assert_int_equal(mode, PROGRESS_BAR);
    assert_int_equal(progress_mode_parse("auto", 0, &mode), 0);
    assert_int_equal(mode, PROGRESS_PLAIN);
    assert_int_equal(progress_mode_parse("bar", 0, &mode), 0);
    assert_int_equal(mode, PROGRESS_BAR);
    assert_int_equal(progress_mode_parse("plain", 1, &mode), 0);
    assert_int_equal(mode, PROGRESS_PLAIN);
    assert_int_equal(progress_mode_parse("none", 1, &mode), 0);
    assert_int_equal(mode, PROGRESS_NONE);
    assert_int_equal(progress_mode_parse("fast", 1, &mode), -1);
}

static void test_progress_due(void **state)
{
    struct progress progress = {.mode = PROGRESS_BAR, .shown_ms = 1000};

    (void)state;
    assert_false(progress_due(&progress, 50, 1099));
    assert_true(progress_due(&progress, 1, 1100));
    assert_true(progress_due(&progress, 100, 1001));
    progress.shown_at = 100;
    assert_false(progress_due(&progress, 100, 1001));

    progress = (struct progress){.mode = PROGRESS_PLAIN, .shown_ms = 1000};
    assert_false(progress_due(&progress, 9, 15999));
    assert_true(progress_due(&progress, 10, 1000));
    assert_true(progress_due(&progress, 1, 16000));
    progress.shown_at = 19;
    assert_false(progress_due(&progress, 12, 1000));
    assert_true(progress_due(&progress, 20, 1000));

    progress.mode = PROGRESS_NONE;
    assert_false(progress_due(&progress, 100, 99999));
}

static void test_progress_text(void **state)
{
    struct progress progress;
    char text[400];
    size_t len;

    (void)state;
    progress_begin(&progress, PROGRESS_PLAIN, "save web1", 4096);
    progress.out = tmpfile();
    assert_non_null(progress.out);
    for (uint64_t done = 0; done <= 4096; done += 64) {
        progress_show(&progress, done, 4096);
    }
    progress_show(&progress, 1, 0); /* a total that is not known */
    progress_end(&progress);
    rewind(progress.out);
    len = fread(text, 1, sizeof(text) - 1, progress.out);
    text[len] = '\0';
    fclose(progress.out);
    assert_non_null(strstr(text, "save web1:  10% 1/16 MiB\n"));
    assert_non_null(strstr(text, "save web1: 100% 16/16 MiB\n"));
    for (len = 0; *strchrnul(text, '\n'); len++) {
        *strchr(text, '\n') = ' ';
    }
    assert_int_equal(len, 10); /* one line for each tenth */
}

/* A wait: steps are seconds. */
static void test_progress_seconds(void **state)
{
    struct progress progress;
    char text[100];
    size_t len;

    (void)state;
    progress_begin(&progress, PROGRESS_PLAIN, "shutdown web1", 0);
    progress.out = tmpfile();
    assert_non_null(progress.out);
    progress_show(&progress, 3, 60);
    progress_show(&progress, 12, 60);
    progress_end(&progress);
    rewind(progress.out);
    len = fread(text, 1, sizeof(text) - 1, progress.out);
    text[len] = '\0';
    fclose(progress.out);
    assert_string_equal(text, "shutdown web1:  20% 12/60 s\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_progress_mode),
        cmocka_unit_test(test_progress_due),
        cmocka_unit_test(test_progress_text),
        cmocka_unit_test(test_progress_seconds),
    };

    return UNIT_RUN(tests);
}
