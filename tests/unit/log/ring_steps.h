/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/log/ring_steps.h - hypervisor/log/ring.c, one access to the ring at
 * a time.
 *
 * The source is compiled as it is, for ThreadSanitizer: then the compiler itself
 * makes each access to memory, atomic or not, a call.  These calls are ours, not
 * the sanitizer's.  One to the ring stops the one who makes it (a coroutine) until
 * it is told to go on; one to anything that is neither its own nor constant fails.
 */
#ifndef VIGIL_TESTS_RING_STEPS_H
#define VIGIL_TESTS_RING_STEPS_H

#include "log/ring.h"

#define MAX_WRITERS 3
#define MAX_CELLS   4
#define MAX_TOTAL   12
#define STACK       16384

/* What is done. */
enum access {
    DO_ADD,
    DO_LOAD,
    DO_STORE,
    DO_CAS,
    DO_COPY_IN,
    DO_COPY_OUT
};

/* To the ring: the word next, a cell's number, a piece of a cell. */
struct step {
    enum access access;
    int cell;                /* -1: next                             */
    int piece;               /* of a copy: 0 is the number           */
    uint64_t value, desired; /* added or stored; of a CAS, both      */
    int order, order_failed; /* __ATOMIC_*                           */
    int fence;               /* strongest one since the last access  */
};

/* Who makes steps: a writer or the reader. */
struct actor {
    void *sp;         /* its stack's; the rest is there            */
    uint64_t history; /* hash of what it has seen in this call     */
    uint8_t steps;    /* of this call                              */
    bool ended;
    int fence;

    /* As the model has it: log_ring.pml. */
    uint8_t at, turn, part, me, old; /* writer: at == its step     */
    uint8_t copy, one, two;          /* reader: @me is what it wants */
    uint8_t how;
};

/* All that changes. */
struct world {
    struct log_ring ring;
    struct vigil_log_cell cells[MAX_CELLS];
    struct actor actor[MAX_WRITERS + 1];
    uint8_t front[MAX_CELLS], back[MAX_CELLS]; /* written by which number */

    /* What the proof knows, and the code does not. */
    uint8_t newest[MAX_CELLS];      /* highest number that cleared it      */
    bool spoilt[MAX_CELLS];         /* an older one has written since then */
    uint8_t drawn[MAX_TOTAL + 1];   /* by which record, from 1             */
    uint8_t cell_of[MAX_TOTAL + 1]; /* which cell of that record           */
    bool whole[MAX_TOTAL + 1];      /* its last step was done              */
};

extern struct world world;
extern unsigned char stacks[MAX_WRITERS + 1][STACK];

/* A piece of a cell begins at each of these; the first and the last are fixed. */
extern unsigned int cuts[5], pieces;

/* Memory that everybody may read, and nobody writes. */
extern const void *constant;
extern size_t constant_bytes;

/**
 * step_before() - the test's: this actor is about to make this step
 * Return: a number that step_after() gets
 */
void step_before(struct actor *a, const struct step *s);

/**
 * step_after() - the test's: it was made
 * @ok: a CAS was successful
 */
void step_after(struct actor *a, const struct step *s, uint64_t result,
                bool ok);

/**
 * step_wrong() - the code has done what it must not; does not return to it
 */
_Noreturn void step_wrong(const char *format, ...) PRINTF_LIKE(1, 2);

/**
 * actor_start() - let an actor begin; it stops before its first step
 * @code: what it does; never returns, but calls actor_end()
 */
void actor_start(struct actor *a, void (*code)(struct actor *a));

/**
 * actor_go() - let it make the step before which it is, and go on to the next
 * Return: false: step_wrong() was called
 */
bool actor_go(struct actor *a);

/**
 * actor_end() - it has done all; called by its code
 */
_Noreturn void actor_end(struct actor *a);

/* Mix @value into a hash. */
static inline uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9fb21c651e98df25ULL;
    return hash ^ hash >> 32;
}

/* The same with a block of memory. */
static inline uint64_t mix_block(uint64_t hash, const void *block, size_t bytes)
{
    const uint64_t *word = block;
    const uint8_t *rest = block;

    for (size_t i = 0; i < bytes / 8; i++) {
        hash = mix(hash, word[i]);
    }
    for (size_t i = bytes - bytes % 8; i < bytes; i++) {
        hash = mix(hash, rest[i]);
    }
    return hash;
}

#endif
