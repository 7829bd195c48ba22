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

#endif
