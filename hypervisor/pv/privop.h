/* SPDX-License-Identifier: MIT */
/*
 * pv/privop.h - perform a privileged instruction for a guest, or refuse.
 *
 * The exception path offers every #GP with error code 0 and every #UD that
 * came from a guest.  Done: rip is behind the instruction and the guest
 * resumes.  Refused: nothing has changed and the fault is the guest's own.
 */
#ifndef VIGIL_PV_PRIVOP_H
#define VIGIL_PV_PRIVOP_H

#include "lib/compiler.h"
#include "x86/regs.h"
#include "domain/vcpu.h"

/**
 * pv_emulate_gp() - a guest took #GP with error code 0
 * @v:    the current vcpu
 * @regs: its frame; registers and rip are updated when true is returned
 *
 * May also queue a #DB or #PF for the guest (single step, I/O breakpoint,
 * string I/O into a page that is not there): then, too, it returns true.
 *
 * Context: exception path of the current vcpu, interrupts on.
 * Return:  true: done; false: bounce #GP
 */
bool pv_emulate_gp(struct vcpu *v, struct cpu_regs *regs) MUST_CHECK;

/**
 * pv_emulate_ud() - a guest took #UD
 * @v:    the current vcpu
 * @regs: its frame; updated when true is returned
 *
 * The forced CPUID prefix, and rdtscp/xsetbv where hardware lacks them.
 *
 * Context: exception path of the current vcpu, interrupts on.
 * Return:  true: done; false: bounce #UD
 */
bool pv_emulate_ud(struct vcpu *v, struct cpu_regs *regs) MUST_CHECK;

/**
 * privop_in_long_mode() - does a guest frame run 64-bit code?
 * @regs: frame of the current vcpu, whose descriptor tables are loaded
 *
 * Context: any.
 * Return:  true for a 64-bit code segment
 */
bool privop_in_long_mode(const struct cpu_regs *regs);

#endif
