/* SPDX-License-Identifier: MIT */
/*
 * tests/model/log_ring.h - names that the model of the log ring, log_ring.pml,
 * shares with the test that drives the code, tests/unit/log/test_ring_steps.c.
 *
 * Spin's preprocessor reads it, too: nothing but #define.
 */
#ifndef VIGIL_MODEL_LOG_RING_H
#define VIGIL_MODEL_LOG_RING_H

/* Where a writer is: what it does next.  The table in log_ring.pml has them. */
#define W1   1
#define W2   2
#define W3   3
#define W4   4
#define W5   5
#define W6   6
#define DONE 7 /* all it had to write */
#define DEAD 8 /* its CPU has stopped */

/* Where a reader is. */
#define R1 11
#define R2 12
#define R3 13
#define R4 14
#define R5 15
#define R6 16
#define R7 17

/* How a step ended what was being done to a cell; 0: it did not. */
#define PUT     21 /* the writer has published it                      */
#define OVER    22 /* the writer was overtaken by a lap, and leaves it */
#define EMPTY   23 /* what the reader gets, enum log_read              */
#define PENDING 24
#define LOST    25
#define OK      26

#endif
