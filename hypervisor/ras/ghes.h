/* SPDX-License-Identifier: MIT */
/*
 * ras/ghes.h - errors that the firmware has seen first, announced by NMI.
 *
 * For each such source (HEST, generic, by NMI) the firmware writes a status
 * block to memory of its own, then raises the NMI.
 *
 *   IDLE --NMI finds an error--> SEEN --said in the log--> SAID --a second--> IDLE
 *
 * The second is Dom0's: its kernel may read the block and acknowledge it, as on
 * any machine.  Then the block is cleared and acknowledged, if it was not.  What
 * stands there at boot is said and acknowledged at once.
 *
 * Nothing in a block is believed: lengths are cut to what there is, a copy of it
 * is judged, and what is written is the status word and the register of the table.
 */
#ifndef VIGIL_RAS_GHES_H
#define VIGIL_RAS_GHES_H

#include "lib/compiler.h"
#include "lib/types.h"

enum ghes_answer {
    GHES_NOTHING,
    GHES_ERROR, /* corrected, recoverable, informational */
    GHES_FATAL, /* the firmware says that the machine cannot go on */
};

/**
 * ghes_init() - map the status blocks of this machine, clear what stands there
 *
 * Context: boot, after acpi_init().
 */
void ghes_init(void);

/**
 * ghes_ask() - has one of the sources written an error that is new?
 *
 * Context: NMI.
 * Return:  the worst of what was found; all of it is SEEN then
 */
NMI_SAFE enum ghes_answer ghes_ask(void);

/**
 * ghes_say() - put into the log what was seen, acknowledge what was said
 * @now_ns: system time
 *
 * Context: softirq; one at a time.
 * Return:  true: call again in a second
 */
bool ghes_say(uint64_t now_ns);

#endif
