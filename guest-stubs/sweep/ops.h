/* SPDX-License-Identifier: MIT */
/*
 * ops.h - the operations that are interrupted, and the handlers they need.
 *
 * Each is assembly from the first instruction to the jump to shot_done, so that
 * all registers are known.  Those that a way back does not keep by contract
 * (rcx and r11 of a loop of hypercalls) are cleared at its end.
 */
#ifndef VIGIL_STUBS_SWEEP_OPS_H
#define VIGIL_STUBS_SWEEP_OPS_H

#include "shot.h"

/* Operations, for struct path. */
extern const char op_call[], op_int3[], op_ud2[], op_pf[], op_iret[];
extern const char op_rdmsr[], op_idle[], op_switch[], op_user[], op_wait[];
extern const char op_spin[], op_long_wait[], op_rsp[], op_watch[];
extern const char op_move[]; /* moves.c */

/* Gates that go on after an instruction of none or two bytes. */
extern const char skip0[], skip2[], code_skip2[];

/* The same, and counts in path_upcalls. */
extern const char count0[];

/* Gates where an operation in user mode ends: without and with error code. */
extern const char user_done[], user_done_code[];

/* The event callback, and how often it was called. */
extern const char upcall[];
extern volatile uint64_t path_upcalls;

#endif /* VIGIL_STUBS_SWEEP_OPS_H */
