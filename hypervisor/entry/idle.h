/* SPDX-License-Identifier: MIT */
/*
 * entry/idle.h - waiting for an interrupt, and what NMI and #MC must know of it.
 *
 * STI keeps interrupts out until after the next instruction, which is the HLT:
 * what is pending wakes it.  An NMI or #MC may come between the two, and its
 * IRET ends that: what is pending is then handled before the HLT, which sleeps
 * on what it has left to do.  So both skip the HLT when they interrupted it.
 */
#ifndef VIGIL_ENTRY_IDLE_H
#define VIGIL_ENTRY_IDLE_H

#include "lib/compiler.h"
#include "x86/regs.h"

/* The HLT of idle_halt(): one byte, the only one with interrupts on. */
extern const uint8_t idle_hlt[];

/**
 * idle_halt() - enable interrupts and wait for one, with no window in between
 *
 * It may also come back for no reason: its caller looks again.
 * Context: main stack, interrupts off; on return they are on.
 */
void idle_halt(void);

/**
 * idle_skip_hlt() - what this frame interrupted is not to halt any more
 * @regs: interrupted context
 *
 * Context: NMI, #MC, before it returns.
 */
static inline void idle_skip_hlt(struct cpu_regs *regs)
{
    if (regs->rip == (uint64_t)idle_hlt && !regs_from_guest(regs)) {
        regs->rip++;
    }
}

#endif
