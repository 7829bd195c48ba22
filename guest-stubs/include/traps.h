/* SPDX-License-Identifier: MIT */
/*
 * traps.h - what interrupts a stub, and user mode.
 *
 * Part of stub.h.  Handlers run on the interrupted stack, with events masked
 * (every gate sets the upcall mask), and must not print.
 */
#ifndef VIGIL_STUBS_TRAPS_H
#define VIGIL_STUBS_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

/* Stack picture of traps.S, low address first. */
struct trap_regs {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector; /* 0-31, or TRAP_EVENT, TRAP_SYSCALL, TRAP_FAILSAFE */
    uint64_t error;  /* error code; 0 where the vector has none          */
    uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAP_DE  0
#define TRAP_DB  1
#define TRAP_NMI 2
#define TRAP_BP  3
#define TRAP_OF  4
#define TRAP_UD  6
#define TRAP_NM  7
#define TRAP_DF  8
#define TRAP_GP  13
#define TRAP_PF  14
#define TRAP_MC  18

/* Numbers of our own for the three callbacks. */
#define TRAP_EVENT    32
#define TRAP_SYSCALL  33
#define TRAP_FAILSAFE 34
#define TRAP_SOURCES  35

/*
 * The last trap that no handler took and the exception table mended.
 * Written by trap_dispatch() only; the stub clears .count before a probe.
 */
struct trap_seen {
    unsigned int count;
    uint64_t vector, error, rip, cs, rflags, cr2;
};
extern volatile struct trap_seen trap_seen;

/* ds, es, fs, gs as the failsafe callback found them. */
extern volatile uint64_t failsafe_selectors[4];

/*
 * A handler returns true when the trap is dealt with (it may change *regs);
 * false passes it on to the exception table.
 */
typedef bool (*trap_handler)(struct trap_regs *regs);

/* Entry in .extable: a trap at label @from continues at label @to. */
#define EXTABLE(from, to)                                                      \
    ".pushsection .extable,\"a\"\n\t"                                          \
    ".quad " from ", " to "\n\t"                                               \
    ".popsection\n\t"

/*
 * Assembly: the iret hypercall at the end of a handler of one's own, which has
 * taken rcx and r11 off its frame.  @flags: VGCF_*, a string.
 */
#define TRAP_IRET(flags)                                                       \
    "push $" flags "\n\t"                                                      \
    "push %rcx\n\t"                                                            \
    "push %r11\n\t"                                                            \
    "push %rax\n\t"                                                            \
    "mov $23, %eax\n\t" /* __HYPERVISOR_iret */                                \
    "syscall\n\t"                                                              \
    "ud2\n\t"

/**
 * traps_init() - register vectors 0-31 but 2 and 18, and the callbacks
 *
 * NMI and #MC are left out because a domain without handlers for them is a
 * case of its own; see trap_register().
 *
 * Context: once, events masked.
 * Return:  nothing; an error of the hypervisor ends the stub
 */
void traps_init(void);

/**
 * trap_register() - register one more vector with the hypervisor
 * @vector: 0-31
 * @dpl:    0-3, who may reach it by an int instruction
 *
 * Context: any but handlers.
 * Return:  what set_trap_table said
 */
long trap_register(unsigned int vector, unsigned int dpl);

/**
 * trap_register_at() - have a vector go to code of the stub's own
 * @vector: 0-31
 * @dpl:    0-3, who may reach it by an int instruction
 * @entry:  where it goes, upcalls masked, the frame of the ABI on the stack
 *
 * Context: any but handlers.
 * Return:  what set_trap_table said
 */
long trap_register_at(unsigned int vector, unsigned int dpl, const char *entry);

/**
 * trap_handle() - set the function called for a source
 * @source:  vector 0-31 or TRAP_EVENT, TRAP_SYSCALL, TRAP_FAILSAFE
 * @handler: function, NULL for none
 *
 * Context: any.
 * Return:  nothing
 */
void trap_handle(unsigned int source, trap_handler handler);

/**
 * trap_dispatch() - called by traps.S for everything that interrupts us
 * @regs: saved registers on the stack; changes take effect at return
 *
 * Context: handlers only.
 * Return:  nothing
 */
void trap_dispatch(struct trap_regs *regs);

/**
 * user_enter() - go to user mode and come back by user_leave()
 * @regs: the user context; .cs and .ss with RPL 3
 *
 * The caller must have given the hypervisor a user page table and a trap
 * stack (stack_switch) other than the current stack.
 *
 * Context: any but handlers.
 * Return:  what user_leave() was given
 */
uint64_t user_enter(struct trap_regs *regs);

/**
 * user_leave() - return from the pending user_enter()
 * @value: its return value
 *
 * Context: a handler that interrupted user mode.
 * Return:  does not return to its caller
 */
void user_leave(uint64_t value) __attribute__((noreturn));

/* Entry points of traps.S, one per vector, then the three callbacks. */
extern const uint64_t trap_entry_points[TRAP_SOURCES];

#endif /* VIGIL_STUBS_TRAPS_H */
