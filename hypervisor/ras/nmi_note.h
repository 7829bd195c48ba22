/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi_note.h - what an NMI leaves behind, to be put into words later.
 *
 * To write a line takes ten times as long as all else the NMI handler does,
 * and while it runs no other NMI comes, and Dom0 is not told.  So it leaves a
 * note: binary, in memory of its CPU.  A timer of that CPU writes the line, as
 * of the time of the note; if the machine dies before, the last words have it.
 *
 *   NMI: leave --> WORK_NMI: nmi_notes_soon() --> timer: a line in the log
 *           |                                          |
 *           +-- no room: the line at once              +-- storm: a look each
 *                                                          second, its end
 */
#ifndef VIGIL_RAS_NMI_NOTE_H
#define VIGIL_RAS_NMI_NOTE_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "log/printk.h"
#include "cpu/tenant.h"

struct nmi_note {
    struct log_tag tag; /* when, and on which CPU                    */
    uint64_t rip;       /* interrupted                               */
    struct tenant tenant;
    bool from_guest;
    uint8_t port61;
    uint8_t causes;     /* NMI_CAUSE_*                               */
    bool begins_storm;  /* from here on they are only counted        */
    bool line_is_off;   /* SERR, IOCHK have been disabled            */
    const char *what_follows; /* static: "goes to Dom0"              */
};

/**
 * nmi_note_leave() - keep a note for later
 * @note: it
 *
 * Without room for it, the line is written now.
 * Context: NMI.
 * Return:  nothing.
 */
NMI_SAFE void nmi_note_leave(const struct nmi_note *note);

/**
 * nmi_note_say() - write the line of a note now
 * @note: it
 *
 * Context: any.
 * Return:  nothing.
 */
NMI_SAFE void nmi_note_say(const struct nmi_note *note);

/**
 * nmi_notes_soon() - see to it that this CPU's notes are written
 *
 * Context: exit path, main stack, interrupts on.
 * Return:  nothing.
 */
void nmi_notes_soon(void);

#endif
