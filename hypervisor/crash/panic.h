/* SPDX-License-Identifier: MIT */
/*
 * crash/panic.h - the stages of dying.
 *
 *   CLAIM   the first CPU to fail owns the crash; others record one line, park.
 *           The box gets reason, registers, context and backtrace
 *   STOP    the other CPUs are stopped, within bounded time; the box gets what
 *           each was in
 *   QUIET   sinks in emergency mode, the reason is printed
 *   NOTES   registers, backtrace, and each floor's last words, printed
 *   SEAL    the black box is checksummed and written back to memory
 *   LEAVE   reset, halt
 *
 * The others stand before the sinks are taken without their lock: a CPU in the
 * middle of a write is stopped there, and its line is said once more.
 *
 * The stage only advances (INV-CRASH-2).  A fault or panic inside a stage
 * abandons that stage and goes on with the next one; after LEAVE the machine
 * is reset by the bluntest means.  Nothing here allocates, takes a lock, or
 * follows a pointer to a domain (INV-CRASH-1).
 *
 * panic() and assert_failed() themselves are declared in lib/panic.h.
 */
#ifndef VIGIL_CRASH_PANIC_H
#define VIGIL_CRASH_PANIC_H

#include <vigil/blackbox.h>

#include "lib/compiler.h"
#include "lib/panic.h"
#include "lib/types.h"
#include "x86/regs.h"

enum crash_stage {
    CRASH_NONE = VIGIL_BOX_STAGE_NONE,
    CRASH_CLAIM = VIGIL_BOX_STAGE_CLAIM,
    CRASH_STOP = VIGIL_BOX_STAGE_STOP,
    CRASH_QUIET = VIGIL_BOX_STAGE_QUIET,
    CRASH_NOTES = VIGIL_BOX_STAGE_NOTES,
    CRASH_SEAL = VIGIL_BOX_STAGE_SEAL,
    CRASH_LEAVE = VIGIL_BOX_STAGE_LEAVE,
};

/**
 * panic_regs() - panic with the registers of the interrupted context
 * @regs: frame pushed by the entry code; the crash record shows these
 * @fmt:  printf format of one line without newline
 *
 * For unhandled exceptions, fatal NMIs and machine checks.
 *
 * Context: any.
 * Return:  never.
 */
void panic_regs(const struct cpu_regs *regs, const char *fmt, ...) NORETURN
    PRINTF_LIKE(2, 3);

/**
 * crash_dom0() - the control domain is lost: record that and leave
 * @fmt: printf format of one line without newline
 *
 * The same stages; the box says VIGIL_BOX_KIND_DOM0, and a banner names the
 * control domain instead of this CPU.
 *
 * Context: any but NMI/#MC.
 * Return:  never.
 */
void crash_dom0(const char *fmt, ...) NORETURN PRINTF_LIKE(1, 2);

/**
 * crash_in_progress() - is some CPU dying?
 *
 * The fault handlers ask this first: while true, an exception goes to
 * panic_regs() without further thought.
 *
 * Context: any.
 * Return:  true from the first panic on
 */
bool crash_in_progress(void);

/**
 * crash_stage_now() - how far the dying has come
 *
 * Context: any.
 * Return:  CRASH_NONE while the machine lives
 */
enum crash_stage crash_stage_now(void);

/**
 * crash_print_regs() - print a register frame to the log, Xen's look
 * @regs: the frame
 *
 * Also prints the control registers of this CPU as they are now.
 *
 * Context: any but NMI/#MC, unless dying.
 * Return:  nothing.
 */
void crash_print_regs(const struct cpu_regs *regs);

#endif
