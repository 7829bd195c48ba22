/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/record_steps.h - ras/record.c with others about.
 *
 * The sources of its tests have this before all else: each atomic access is a step
 * then, and before it a #MC or another CPU may act.
 */
#ifndef VIGIL_UNIT_RECORD_STEPS_H
#define VIGIL_UNIT_RECORD_STEPS_H

#include "x86/atomic.h"
#include "ras/record.h"

/* A move by compare-and-swap is a step of the state it is from; others are these. */
#define STEP_LOAD  100U
#define STEP_STORE 101U
#define ANY_STEP   200U
void record_step(unsigned int kind);

static inline bool unwatched_cas(uint32_t *p, uint32_t from, uint32_t to)
{
    return atomic_cas(p, from, to);
}

#undef atomic_cas
#undef atomic_load
#undef atomic_store
#define atomic_cas(p, from, to) (record_step(from), unwatched_cas(p, from, to))
#define atomic_load(p)                                                         \
    (record_step(STEP_LOAD), __atomic_load_n((p), __ATOMIC_SEQ_CST))
#define atomic_store(p, v)                                                     \
    (record_step(STEP_STORE), __atomic_store_n((p), (v), __ATOMIC_SEQ_CST))

/* Who will act; NULL: nobody, or they have. */
extern void (*others)(void);
extern bool others_always; /* before each step of the kind, not one */

/* What crash_note() has said. */
extern char notes[16384];

/**
 * others_act() - have somebody act in between
 * @act:   what they do; their own accesses are no steps
 * @kind:  before which steps; ANY_STEP: any
 * @after: that many of them come first
 *
 * Context: test.
 */
void others_act(void (*act)(void), unsigned int kind, unsigned int after);

/**
 * empty_pool() - all records free, by the pool's own rules: it has no reset
 * @state: cmocka's
 *
 * Context: test.
 * Return:  0
 */
int empty_pool(void **state);

/**
 * add() - a COMMITTED record
 * @urgent: its class
 *
 * Context: test; there is room.
 * Return:  it
 */
struct mce_record *add(bool urgent);

#endif
