/* SPDX-License-Identifier: MIT */
/*
 * entry/trap.h - the C side of exceptions, and the rule for leaving one.
 * Callers: entry/ assembly only.
 */
#ifndef VIGIL_ENTRY_TRAP_H
#define VIGIL_ENTRY_TRAP_H

#include "lib/compiler.h"
#include "x86/exc.h"
#include "x86/layout.h"
#include "x86/page.h"
#include "x86/regs.h"

struct vcpu;

/*
 * For each exception of a guest: its frame is @regs, at the top of the main
 * stack, and @v is current.  Interrupts are off; the handler switches them on.
 */
typedef void (*trap_fn)(struct vcpu *v, struct cpu_regs *regs);
extern const trap_fn trap_handler[EXC_COUNT];

/**
 * trap_from_hypervisor() - exception or interrupt in the hypervisor
 * @regs: frame on the current stack
 *
 * Expected faults continue at their fixup; others panic.
 * Context: any stack.
 * Return:  true: leave by the RET rule; false: by IRET
 */
bool trap_from_hypervisor(struct cpu_regs *regs);

/**
 * trap_iret_failed() - the IRET to a guest faulted
 * @regs: the guest's state, rebuilt
 *
 * Context: main stack, interrupts off.
 */
void trap_iret_failed(struct cpu_regs *regs);

/**
 * trap_leaves_by_ret() - the exit rule of docs/architecture.md
 * @regs: frame of an interrupted hypervisor context
 *
 * CPL 0, interrupts off, rsp inside this CPU's block, rip outside the gap.
 * NMI-safe.
 * Context: any.
 * Return:  true: leave by RET
 */
bool trap_leaves_by_ret(const struct cpu_regs *regs);

/**
 * trap_iret_cannot_fault() - may an IST stack return to this guest by itself?
 * @regs: frame of an interrupted guest
 *
 * Only with the selectors every GDT has and a canonical rip; anything else may
 * fault in IRET, for which only the main stack's exit has a fixup.  NMI-safe.
 * Context: any.
 * Return:  true: IRET cannot fault
 */
static inline bool trap_iret_cannot_fault(const struct cpu_regs *regs)
{
    return (regs->cs == SEL_GUEST_CS64 || regs->cs == SEL_GUEST_CS32) &&
           regs->ss == SEL_GUEST_DS && va_is_canonical(regs->rip);
}

/**
 * db_from_hypervisor() - #DB at CPL 0
 * @regs: frame on the #DB stack
 *
 * Clears DR7 and notes that the guest's must be loaded again.
 * Context: #DB stack.
 * Return:  0 IRET, 1 the RET rule
 */
int db_from_hypervisor(struct cpu_regs *regs);

/**
 * nmi_entry() - non-maskable interrupt
 * @regs: frame on an NMI stack
 *
 * Context: NMI.
 * Return:  0 IRET, 1 by way of the main stack
 */
int nmi_entry(struct cpu_regs *regs);

/**
 * mce_entry() - machine check
 * @regs: frame on a #MC stack
 *
 * Context: #MC.
 * Return:  0 IRET, 1 the RET rule, 2 by way of the main stack
 */
int mce_entry(struct cpu_regs *regs);

/**
 * double_fault() - #DF: always the end
 * @regs: frame on the #DF stack
 *
 * Context: #DF stack.
 */
void double_fault(struct cpu_regs *regs) NORETURN;

/**
 * syscall_from_user() - SYSCALL from a guest's user mode
 * @regs: its frame, at the top of the main stack
 *
 * Context: main stack, interrupts off.
 */
void syscall_from_user(struct cpu_regs *regs);

/**
 * irq_entry_from_guest() - interrupt of a guest
 * @vector: 32 .. 255
 *
 * Context: interrupt, interrupts off.
 */
void irq_entry_from_guest(unsigned int vector);

/**
 * irq_entry_from_hypervisor() - interrupt of the hypervisor
 * @vector: 32 .. 255
 *
 * Context: interrupt, interrupts off.
 */
void irq_entry_from_hypervisor(unsigned int vector);

/**
 * exit_to_guest() - do everything pending, pick a vcpu, deliver its events
 * @regs: frame at the top of the main stack
 *
 * INV-ENTRY-1.  Returns with interrupts off and a guest's frame in @regs.
 * Context: main stack.
 */
void exit_to_guest(struct cpu_regs *regs);

/**
 * leave_isolated() - which tables a guest is to run on
 * @regs: its frame, at the top of the main stack
 *
 * Sets the frame's ENTRY_ISOLATED, and brings its tables up to date.
 * Context: main stack, interrupts off, nothing pending; where guests may be
 *          isolated.
 */
void leave_isolated(struct cpu_regs *regs);

/* Entry code clears AC only where CLAC exists. */
extern uint8_t entry_has_smap;

#endif
