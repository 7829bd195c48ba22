/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/ras_fakes.c - what the floors below ras/ do, for its tests.
 */
#include "tests/unit/ras/ras_fakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/clock.h"
#include "cpu/features.h"
#include "crash/blackbox.h"
#include "crash/notes.h"
#include "crash/panic.h"
#include "crash/stop.h"
#include "lib/panic.h"

struct cpu_features cpu_features;
bool fake_stop_requested, fake_stop_began;
bool fake_dying;
unsigned int fake_parked;
uint64_t fake_now_ns;

bool crash_stop_requested(void)
{
    return fake_stop_requested;
}

bool crash_stop_began(void)
{
    return fake_stop_began;
}

bool crash_in_progress(void)
{
    return fake_dying;
}

void crash_stop_park(const struct cpu_regs *regs)
{
    (void)regs;
    fake_parked++;
    panic("parked");
}

uint64_t clock_now_ns(void)
{
    return fake_now_ns;
}

void panic_regs(const struct cpu_regs *regs, const char *fmt, ...)
{
    char text[512];
    va_list args;

    (void)regs;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    panic("%s", text);
}

/* Nothing dies here, unless crash/notes.c is linked. */
WEAK void crash_note(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

struct vigil_mce_record fake_box[FAKE_BOX_RECORDS];
bool fake_box_is_there = true;
unsigned int fake_box_written;

struct vigil_mce_record *blackbox_mce_slot(unsigned int index)
{
    return fake_box_is_there && index < FAKE_BOX_RECORDS ? &fake_box[index]
                                                         : NULL;
}

void blackbox_mce_written(unsigned int index)
{
    if (blackbox_mce_slot(index) == NULL || fake_box[index].seq == 0) {
        abort();
    }
    fake_box_written++;
}
