/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fire_alarm.c - panic() and assert_failed() on the host.
 */
#include "fire_alarm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/panic.h"

jmp_buf fire_alarm_back;
bool fire_alarm_armed;
unsigned int fire_alarm_count;
char fire_alarm_text[512];

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(fire_alarm_text, sizeof(fire_alarm_text), fmt, args);
    va_end(args);
    if (!fire_alarm_armed) {
        fprintf(stderr, "unexpected panic: %s\n", fire_alarm_text);
        abort();
    }
    fire_alarm_count++;
    longjmp(fire_alarm_back, 1);
}

void assert_failed(const char *what, const char *file, int line)
{
    panic("Assertion '%s' failed at %s:%d", what, file, line);
}
