/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/log/ring_model.h - the steps of hypervisor/log/ring.c, told by what
 * they do, as tests/model/log_ring.pml has them.
 *
 * Each access must be a step of the model that may come there, to the cell that
 * the model has it to, with its value, memory order and fence.
 */
#ifndef VIGIL_TESTS_RING_MODEL_H
#define VIGIL_TESTS_RING_MODEL_H

#include "ring_steps.h"
#include "tests/model/log_ring.h"

/* Of each writer @records, @span cells each, in a ring of @count. */
extern unsigned int writers, records, count, span;

static inline unsigned int total(void)
{
    return writers * records * span;
}

/**
 * model_read() - read the table of the model, and which steps it has
 * @path: log_ring.pml
 * Return: false: it cannot be, or has names that log_ring.h has not
 */
bool model_read(const char *path);

/**
 * model_take() - the code has gone from one step to another, or to its end
 * Return: false: the table has no such transition
 */
bool model_take(unsigned int from, unsigned int to);

/**
 * model_differs() - after all has been looked at: compare
 * Return: number of differences, each of which was printed
 */
unsigned int model_differs(void);

/**
 * model_state() - put the state into the transition at hand (seen.h)
 */
void model_state(void);

/**
 * model_transition() - the transition is complete but for its end
 * @how:  PUT ... OK, 0
 * @file: where it is to go
 */
void model_transition(unsigned int how, const char *file);

/**
 * model_name() - of a step
 */
const char *model_name(unsigned int step);

#endif
