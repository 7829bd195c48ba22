/* SPDX-License-Identifier: MIT */
/*
 * logger - lines without end, for who takes the machine's power away.
 *
 * Claim: every line written is in the log.  Plan: lines of every length, each
 * with its number, a few in a millisecond, so that the ring is filled again and
 * again; the log is looked at from outside.  With `forever` there is no end.
 * With `load` another plan, see load.c.
 */
#include "load.h"
#include "stub.h"

const char stub_name[] = "logger";

#define LINES    2000UL
#define AT_ONCE  4UL
#define WIDTH    200U

static void write_line(unsigned long number)
{
    static char line[WIDTH + 32];
    size_t at = 0, len = 8 + number * 7 % WIDTH;

    for (unsigned long left = number; at == 0 || left != 0; left /= 10) {
        line[at++] = (char)('0' + left % 10);
    }
    while (at < len) {
        line[at] = (char)('a' + (number + at) % 26);
        at++;
    }
    line[at++] = '\n';
    console_debug_write(line, at);
}

void stub_main(void)
{
    bool forever = cmdline_has("forever");

    if (cmdline_has("load")) {
        load_run();
        return;
    }
    print("logger: begins\n");
    for (unsigned long i = 0; forever || i < LINES; i++) {
        write_line(i);
        if (i % AT_ONCE == 0) {
            time_sleep_ns(NS_PER_MS);
        }
    }
    report(VERDICT_SUCCESS, "%lu lines", LINES);
}
