/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/entry/door_machine.h - a CPU whose NMIs and #MCs come by the C side
 * of their doors, each on the stack that its task state segment names.
 */
#ifndef VIGIL_UNIT_DOOR_MACHINE_H
#define VIGIL_UNIT_DOOR_MACHINE_H

#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "x86/tss.h"

/* In the hypervisor, on the main stack, interrupts off; a guest of 64 bits. */
extern struct cpu_regs in_hv, in_guest;

/* What runs inside ras_nmi() or ras_mce(), and as an interrupt is asked for. */
extern void (*in_handler)(struct cpu_regs *regs);
extern void (*in_self_ipi)(void);

extern unsigned int handled; /* calls of ras_nmi() and ras_mce()    */
extern unsigned int self_ipis;
extern uint32_t handler_word; /* the context word in the last of them */
extern uint32_t *blackbox_contexts;

/**
 * set_up() - CPU 0 as it is between two exceptions
 * @state: cmocka's
 *
 * Context: test.
 * Return:  0
 */
int set_up(void **state);

/**
 * stack_at() - the top of one of this CPU's stacks of a page
 * @stack: CPU_STACK_*
 *
 * Context: test.
 * Return:  its address
 */
uint64_t stack_at(uint64_t stack);

/**
 * comes() - the processor takes an exception
 * @ist:   IST_NMI or IST_MC
 * @entry: its door
 * @regs:  what it interrupts
 *
 * Context: test.
 * Return:  the way out
 */
int comes(unsigned int ist, int (*entry)(struct cpu_regs *regs),
          struct cpu_regs *regs);

/**
 * next_stack() - where the next one would come
 * @ist: IST_NMI or IST_MC
 *
 * Context: test.
 * Return:  the top of the stack
 */
uint64_t next_stack(unsigned int ist);

/* Tests that both doors pass; each is given its own door by comes_here(). */

/**
 * comes_here() - the one exception that this test is about
 * @regs: what it interrupts
 *
 * Context: test; defined by each.
 * Return:  the way out
 */
int comes_here(struct cpu_regs *regs);

void cr2_is_kept(void **state);
void halt_is_skipped(void **state);
void word_is_left_as_found(void **state);
void word_that_is_wrong(void **state);
void others_keep_their_stacks(void **state);

#define BOTH_DOORS                                                             \
    cmocka_unit_test_setup(cr2_is_kept, set_up),                               \
        cmocka_unit_test_setup(halt_is_skipped, set_up),                       \
        cmocka_unit_test_setup(word_is_left_as_found, set_up),                 \
        cmocka_unit_test_setup(word_that_is_wrong, set_up),                    \
        cmocka_unit_test_setup(others_keep_their_stacks, set_up)

#endif
