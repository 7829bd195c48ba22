/* SPDX-License-Identifier: MIT */
/*
 * ras/inject.h - play a machine check without hardware: register values that
 * stand in for the real ones, for the control domain's injection tool.
 *
 *   empty -> staged (inject_stage) -> armed (inject_check, inject_poll) -> empty
 *
 * Staged values are invisible until armed, so that the periodic look at the
 * banks does not pick up half of them.  Clearing a bank forgets its values, the
 * end of the machine check or the look all that are left.
 */
#ifndef VIGIL_RAS_INJECT_H
#define VIGIL_RAS_INJECT_H

#include "lib/compiler.h"
#include "lib/types.h"

#define INJECT_MSRS 50 /* as many as the Xen ABI promises */

/**
 * inject_stage() - set a register's stand-in value
 * @msr:   MCG_STATUS, or STATUS, ADDR or MISC of an existing bank
 * @value: what it shall read as
 *
 * Context: hypercall.
 * Return:  0; -EINVAL another register; -ENOMEM table full
 */
int inject_stage(uint32_t msr, uint64_t value) MUST_CHECK;

/**
 * inject_check() - raise a machine check on this CPU with the staged values
 *
 * Returns when it was handled, unless it was fatal.
 * Context: hypercall, interrupts on.
 */
void inject_check(void);

/**
 * inject_poll() - have the staged values found as if by a corrected-error
 * interrupt
 *
 * Context: hypercall, interrupts on.
 */
void inject_poll(void);

/**
 * inject_read() - the stand-in for a register, if there is one
 * @msr:       register number
 * @ret_value: set when true is returned
 *
 * Of a bank whose status is played the other registers are 0 unless staged.
 * Context: any, #MC included.
 * Return:  true: use it
 */
NMI_SAFE bool inject_read(uint32_t msr, uint64_t *ret_value);

/**
 * inject_forget_bank() - a bank is being cleared
 * @bank: bank number
 *
 * Context: any, #MC included.
 * Return:  true: it was played; the hardware is not to be touched
 */
NMI_SAFE bool inject_forget_bank(unsigned int bank);

/**
 * inject_forget_mcg() - MCG_STATUS is being cleared
 *
 * Context: any, #MC included.
 */
NMI_SAFE void inject_forget_mcg(void);

#endif
