/* SPDX-License-Identifier: MIT */
/*
 * shot.h - one NMI at one instruction.
 *
 * Under QEMU's -icount shift=0 an instruction takes a nanosecond, and a tick
 * of the HPET ten of them.  Comparators send a message that the local APIC
 * delivers as an NMI.  A comparator is written k ticks ahead, so the NMI comes
 * 10 * k instructions after the write, exactly; up to nine NOPs between the
 * write and the operation make it any number.  Nothing of the hypervisor has a
 * part in it, and no clock of its is touched.
 */
#ifndef VIGIL_STUBS_SWEEP_SHOT_H
#define VIGIL_STUBS_SWEEP_SHOT_H

#include "stub.h"

#define SHOT_NONE (~0U) /* no NMI */

enum shot_kind {
    SHOT_NMI,
    SHOT_MC, /* the machine stops, for a machine check: see mc.h */
};

/* All of a processor's registers that a program can see. */
struct shot_regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags, rsp;
};

/* Known to shot.c's assembly by offset. */
struct shot {
    struct shot_regs in;  /* how the operation begins            */
    struct shot_regs out; /* how it ends                         */
    const void *op;       /* it; ends by a jump to shot_done     */
    uint64_t saved_rsp;
    const void *before;
    uint32_t began, ended; /* TSC, the lower half             */
    uint32_t due;          /* the same, when the first is due */
    volatile void *behind[2]; /* comparators, a tick after the others */
};
extern struct shot shot;

/* Ends each operation; from here on its registers are looked at. */
extern const char shot_done[];

/* NMIs our handler has taken; whence and when the last one came. */
extern volatile uint64_t shot_nmis, shot_nmi_rip;
extern volatile uint32_t shot_nmi_tsc;

/* Its entry: counts and returns, on the stack it interrupted. */
extern const char shot_nmi_entry[];

/**
 * shot_init() - find the HPET and take it
 *
 * Context: once.
 * Return:  NULL, or what is missing
 */
const char *shot_init(void);

/**
 * shot_kinds() - what comes of the first and of the second
 * @first:  from now on
 * @second: the same of the other
 *
 * Context: between shots.
 */
void shot_kinds(enum shot_kind first, enum shot_kind second);

/**
 * shot_target() - which processor the NMIs go to
 * @cpu: from now on; the first until this is called
 *
 * Context: between shots.
 */
void shot_target(unsigned int cpu);

/**
 * shot_fire() - do shot.op once, with an NMI or two
 * @first:  instructions from where the registers are loaded to the NMI
 * @second: the same of another, or SHOT_NONE
 *
 * Either may be SHOT_NONE.  What comes while the other is being handled comes
 * right after that one.
 *
 * Context: events masked or not, as the operation wants it.
 * Return:  instructions it took, with those of the NMIs
 */
uint32_t shot_fire(unsigned int first, unsigned int second);

/**
 * shot_other_init() - find a comparator of somebody else's that sends NMIs
 *
 * From then on there may be any time between two shots.
 *
 * Context: once, after shot_init().
 * Return:  false: there is none
 */
bool shot_other_init(void);

/**
 * shot_other_due() - when its next NMI is due
 *
 * Context: after shot_other_init().
 * Return:  the lower half of the TSC then
 */
uint32_t shot_other_due(void);

/**
 * shot_storm_begin() - NMIs again and again
 * @period: ticks from one to the next, 10 ns each
 * @ahead:  ticks to the first
 *
 * QEMU 7.2 sends two each time, the second when the first has been handled: its
 * comparator has not moved on in the very tick that it fires.
 *
 * Context: nothing is to be fired until shot_storm_end().
 * Return:  nothing.
 */
void shot_storm_begin(unsigned int period, unsigned int ahead);

/**
 * shot_storm_end() - no more of them
 *
 * Context: after shot_storm_begin().
 * Return:  nothing.
 */
void shot_storm_end(void);

#endif /* VIGIL_STUBS_SWEEP_SHOT_H */
