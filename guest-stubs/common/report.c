/* SPDX-License-Identifier: MIT */
/*
 * report.c - four verdicts, worst kept, silence is an error.
 */
#include "stub.h"

static bool something_reported;
static enum verdict worst = VERDICT_SUCCESS;
static char text[160];
static unsigned int checks;

static const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_SUCCESS:
        return "SUCCESS";
    case VERDICT_SKIP:
        return "SKIP";
    case VERDICT_ERROR:
        return "ERROR";
    case VERDICT_FAILURE:
        return "FAILURE";
    }
    return "ERROR";
}

static void keep(enum verdict verdict, const char *why)
{
    /* Of equals the first is the cause; of successes the last is the sum. */
    if (!something_reported || verdict > worst || verdict == VERDICT_SUCCESS) {
        if (verdict >= worst) {
            format(text, sizeof(text), "%s", why);
        }
    }
    if (verdict > worst) {
        worst = verdict;
    }
    something_reported = true;
}

void report(enum verdict verdict, const char *fmt, ...)
{
    char line[sizeof(text)];
    va_list args;

    va_start(args, fmt);
    vformat(line, sizeof(line), fmt, args);
    va_end(args);
    if (verdict != VERDICT_SUCCESS) {
        print("%s: %s: %s\n", stub_name, verdict_name(verdict), line);
    }
    keep(verdict, line);
}

bool report_check(bool holds, const char *fmt, ...)
{
    char line[sizeof(text)];
    va_list args;

    checks++;
    if (!holds) {
        va_start(args, fmt);
        vformat(line, sizeof(line), fmt, args);
        va_end(args);
        print("%s: FAILURE: %s\n", stub_name, line);
        keep(VERDICT_FAILURE, line);
    }
    return holds;
}

enum verdict report_last_line(void)
{
    if (!something_reported) {
        keep(VERDICT_ERROR, "nothing was reported");
    }
    if (checks) {
        print("%s: %u checks\n", stub_name, checks);
    }
    print("STUB %s: %s %s\n", stub_name, verdict_name(worst), text);
    return worst;
}
