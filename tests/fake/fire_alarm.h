/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fire_alarm.h - panic() and assert_failed() on the host.
 *
 * A panic nobody expects prints its text and aborts the test program.  One
 * that is expected comes back:
 *
 *     EXPECT_PANIC(frame_put(f));
 *     assert_non_null(strstr(fire_alarm_text, "count"));
 *
 * Objects on the way are simply abandoned, as in a real panic.
 */
#ifndef VIGIL_FAKE_FIRE_ALARM_H
#define VIGIL_FAKE_FIRE_ALARM_H

#include <setjmp.h>
#include <stdbool.h>

extern jmp_buf fire_alarm_back;
extern bool fire_alarm_armed;
extern unsigned int fire_alarm_count;
extern char fire_alarm_text[512];

#define EXPECT_PANIC(statement)                                                \
    do {                                                                       \
        unsigned int fire_alarm_before = fire_alarm_count;                     \
        fire_alarm_armed = true;                                               \
        if (setjmp(fire_alarm_back) == 0) {                                    \
            statement;                                                         \
        }                                                                      \
        fire_alarm_armed = false;                                              \
        if (fire_alarm_count == fire_alarm_before) {                           \
            fail_msg("no panic from %s", #statement);                          \
        }                                                                      \
    } while (0)

#endif
