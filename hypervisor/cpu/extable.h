/* SPDX-License-Identifier: MIT */
/*
 * cpu/extable.h - instructions of ours that may fault, and where to go then.
 * Entries are pairs of 32-bit self-relative addresses in .ex_table.
 */
#ifndef VIGIL_CPU_EXTABLE_H
#define VIGIL_CPU_EXTABLE_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * extable_find() - fixup for a faulting instruction
 * @rip: its address
 *
 * Context: any exception.
 * Return:  address to continue at, 0 if the fault was not expected
 */
uint64_t extable_find(uint64_t rip);

/* One more, for a moment: code outside the image that must not run. */
struct extable_probe {
    uint64_t rip;   /* p: 0 for none           */
    uint64_t fixup; /* p: where to go from it  */
    /* A call of UEFI firmware, which alone runs in the lower half. */
    uint64_t firmware;     /* p: where to go from any fault there; 0: none */
    uint64_t firmware_rip; /* p: where the last one was                    */
};

/**
 * extable_probe() - this CPU's entry for a call that is meant to fault
 *
 * Context: interrupts off from before rip is set until it is 0 again.
 * Return:  the entry
 */
struct extable_probe *extable_probe(void);

#endif
