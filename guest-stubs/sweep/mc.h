/* SPDX-License-Identifier: MIT */
/*
 * mc.h - machine checks in the place of NMIs.
 *
 * Nothing inside the machine can raise one.  So a comparator's message goes to
 * QEMU's pvpanic device, which stops the machine before the next instruction;
 * whoever watches QEMU's monitor injects and lets it go on
 * (tests/system/mcdriver.py).  The error is one in a page of ours that nobody
 * uses: our kernel is told, by a virtual one, and Dom0 by a record.
 */
#ifndef VIGIL_STUBS_SWEEP_MC_H
#define VIGIL_STUBS_SWEEP_MC_H

#include "stub.h"

/* Virtual machine checks our handler has taken. */
extern volatile uint64_t mc_taken;

/**
 * mc_init() - find what stops the machine, and register the handler
 *
 * Says which page is to have errors, for the driver to read.
 * Context: once, before the first shot of the kind.
 * Return:  NULL, or what is missing
 */
const char *mc_init(void);

/**
 * mc_stop_maddr() - where a write stops the machine
 *
 * Context: after mc_init().
 * Return:  machine address
 */
uint32_t mc_stop_maddr(void);

/**
 * mc_collect() - fetch and acknowledge all records, as Dom0 does
 *
 * Context: any.
 * Return:  how many of the page with errors there were; ~0UL: one that is not,
 *          or that says something else
 */
uint64_t mc_collect(void);

#endif /* VIGIL_STUBS_SWEEP_MC_H */
