/* SPDX-License-Identifier: MIT */
/*
 * crash/notes.h - each floor's last words.
 *
 * A floor above this one registers a writer at link time:
 *
 *     static void frame_note(void) { crash_note("%lu free", ...); }
 *     CRASH_NOTE(frames, frame_note);
 *
 * The panic path calls every writer once.  A writer must tolerate torn state:
 * it takes no lock, allocates nothing, loops at most a few hundred times, and
 * may fault - then it is abandoned and the next one runs.
 */
#ifndef VIGIL_CRASH_NOTES_H
#define VIGIL_CRASH_NOTES_H

#include "lib/compiler.h"
#include "lib/types.h"

struct crash_note {
    const char *name;
    void (*write)(void);
};

#define CRASH_NOTE(note_name, writer)                                          \
    static const struct crash_note crash_note_##note_name USED ALIGNED(8)      \
        SECTION(".crash_notes") = {#note_name, writer}

/* Bounds of the table, from the link script: .crash_notes. */
extern const struct crash_note __crash_notes_start[];
extern const struct crash_note __crash_notes_end[];

/**
 * crash_note() - say something, from within a note writer
 * @fmt: printf format of one line without newline
 *
 * The line is printed and stored in the black box.
 *
 * Context: dying.
 * Return:  nothing.
 */
void crash_note(const char *fmt, ...) PRINTF_LIKE(1, 2);

/**
 * crash_notes_left() - are there writers that have not been called?
 *
 * Context: dying.
 * Return:  true: yes
 */
bool crash_notes_left(void);

/**
 * crash_notes_write() - call the writers that have not been called yet
 *
 * Keeps its place in a static variable: called again after a writer faulted,
 * it goes on with the next one.
 *
 * Context: dying.
 * Return:  nothing.
 */
void crash_notes_write(void);

#endif
