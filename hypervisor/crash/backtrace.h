/* SPDX-License-Identifier: MIT */
/*
 * crash/backtrace.h - who called whom, from frame pointers.
 *
 * The walk reads only memory for which a callback vouches (this CPU's stacks,
 * which are always mapped), each step must move up, and the number of steps
 * is bounded: a destroyed stack gives a short trace, never a fault.
 */
#ifndef VIGIL_CRASH_BACKTRACE_H
#define VIGIL_CRASH_BACKTRACE_H

#include "lib/compiler.h"
#include "lib/types.h"

#define BACKTRACE_DEPTH_MAX 32

/* Is the 16-byte pair at @addr readable stack? */
typedef bool (*stack_contains_fn)(uint64_t addr);

/**
 * backtrace_stack_ok() - the usual callback: this CPU's own block
 * @addr: address of a 16-byte pair
 *
 * Context: any.
 * Return:  true: inside this CPU's stacks, not on a guard page
 */
bool backtrace_stack_ok(uint64_t addr);

/**
 * backtrace_walk() - collect return addresses
 * @rbp:      frame pointer to begin with; any value
 * @stack_ok: vouches for addresses
 * @ret_rips: return addresses, innermost first
 * @max:      room in @ret_rips
 *
 * Context: any.
 * Return:  number of addresses stored
 */
unsigned int backtrace_walk(uint64_t rbp, stack_contains_fn stack_ok,
                            uint64_t *ret_rips, unsigned int max);

/**
 * backtrace_walk_nmi() - backtrace_walk() over this CPU's own block
 * @rbp:      frame pointer to begin with; any value
 * @ret_rips: return addresses, innermost first
 * @max:      room in @ret_rips
 *
 * Context: any, NMI too.
 * Return:  number of addresses stored
 */
unsigned int backtrace_walk_nmi(uint64_t rbp, uint64_t *ret_rips,
                                unsigned int max);

enum backtrace_rip {
    BACKTRACE_EXACT,  /* of an instruction                            */
    BACKTRACE_RETURN, /* off the stack: the call is what lies before  */
};

/**
 * backtrace_line() - print one symbolised address
 * @rip:  any value
 * @kind: what it is of
 *
 * Context: any but NMI/#MC, unless dying.
 */
void backtrace_line(uint64_t rip, enum backtrace_rip kind);

/**
 * backtrace_keep() - put the same line into the black box
 * @rip:  any value
 * @kind: what it is of
 *
 * Context: dying.
 */
void backtrace_keep(uint64_t rip, enum backtrace_rip kind);

#endif
