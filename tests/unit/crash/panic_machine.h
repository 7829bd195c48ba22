/* SPDX-License-Identifier: MIT */
/*
 * panic_machine.h - what test_panic dies in.
 *
 * A crash happens once per life, so each story runs in a child process that
 * ends in machine_leave(); the parent looks at what it left in shared memory.
 */
#ifndef VIGIL_UNIT_PANIC_MACHINE_H
#define VIGIL_UNIT_PANIC_MACHINE_H

#include "tests/unit/unit.h"

#include "crash/blackbox.h"

#define ZONE_BYTES (256 * 1024)

/* What the child leaves behind. */
struct legacy {
    unsigned char zone[ZONE_BYTES] __attribute__((aligned(64)));
    char console[65536];
    size_t console_len;
    bool left;   /* machine_leave() was reached          */
    bool fell;   /* triple fault                         */
    bool parked; /* another CPU parked itself            */
    bool early;  /* sinks were taken before it           */
    size_t said_before;
    uint64_t stack;  /* that the dying path chose            */
    uint64_t levels; /* of its lines, a bit each                 */
};
extern struct legacy *legacy;

/* Called by the first note, by the console, and on the way out, if not NULL. */
extern void (*note_hook)(void);
extern void (*sink_hook)(void);
extern void (*leave_hook)(void);

/**
 * die_of() - run a story in a child with a working machine around it
 * @story: ends in the end of the machine
 *
 * Context: test.
 * Return:  nothing; a child that fails is a failure.
 */
void die_of(void (*story)(void));

/**
 * box() - the header of what it left
 *
 * Context: test.
 * Return:  it
 */
struct vigil_box_header *box(void);

/**
 * section_text() - a section of the same
 * @type: VIGIL_BOX_SECT_*
 *
 * Context: test.
 * Return:  its bytes, or NULL
 */
const char *section_text(uint32_t type);

/**
 * said() - did it print that?
 * @text: words
 *
 * Context: test.
 * Return:  true: yes
 */
bool said(const char *text);

/**
 * panic_machine() - before the first story
 * @state: cmocka's
 *
 * Context: test.
 * Return:  0
 */
int panic_machine(void **state);

#endif
