/* SPDX-License-Identifier: MIT */
/*
 * crash/notes.c - run the table of note writers, each of them once.
 */
#include "crash/notes.h"

#include "lib/format.h"
#include "log/printk.h"
#include "crash/blackbox.h"

/* Only the dying CPU touches it; it survives a writer's fault on purpose. */
static unsigned int next_note;

void crash_note(const char *fmt, ...)
{
    char line[160];
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = vscnprintf(line, sizeof(line) - 1, fmt, args);
    va_end(args);
    printk(LOG_PANIC, "%s", line);
    line[len] = '\n';
    blackbox_text_append(VIGIL_BOX_SECT_NOTES, line, len + 1);
}

bool crash_notes_left(void)
{
    return __crash_notes_start + next_note < __crash_notes_end;
}

void crash_notes_write(void)
{
    while (crash_notes_left()) {
        /* Count it before it runs: if it faults, it has had its turn. */
        const struct crash_note *note = &__crash_notes_start[next_note++];

        note->write();
    }
}
