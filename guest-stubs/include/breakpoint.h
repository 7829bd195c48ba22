/* SPDX-License-Identifier: MIT */
/*
 * breakpoint.h - a breakpoint of our own; for those that link
 * common/breakpoint.o.
 */
#ifndef VIGIL_STUBS_BREAKPOINT_H
#define VIGIL_STUBS_BREAKPOINT_H

#include "stub.h"

#define BREAKPOINT_ON  0x401UL /* DR7: execution at DR0 */
#define BREAKPOINT_OFF 0x400UL

/* Times it was hit, while breakpoint_taken() is the handler of TRAP_DB. */
extern unsigned int breakpoints;

/**
 * breakpoint_taken() - count one, and go on past it
 * @regs: of the trap
 *
 * Context: handler of TRAP_DB.
 * Return:  true
 */
bool breakpoint_taken(struct trap_regs *regs);

/**
 * breakpoint_target() - what to break into: its address goes to DR0
 *
 * Context: any.
 * Return:  nothing
 */
void breakpoint_target(void);

/**
 * breakpoint_set_dr() - write a debug register; a failure if that is refused
 * @reg:   0-3, 6, 7
 * @value: for it
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void breakpoint_set_dr(unsigned long reg, unsigned long value);

#endif /* VIGIL_STUBS_BREAKPOINT_H */
