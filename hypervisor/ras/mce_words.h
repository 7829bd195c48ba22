/* SPDX-License-Identifier: MIT */
/*
 * ras/mce_words.h - the lines of a machine check.
 *
 * To write two lines takes three times as long as all else a #MC does, and
 * while it runs no NMI comes, nor the next #MC, which would reset the machine.
 * So it leaves its record, which the black box keeps whatever happens, and who
 * takes the record up writes the lines, as of the time of the #MC: response/, on
 * the way out of the same #MC.  At once it writes them if nobody else may:
 *
 *   - the black box cannot keep the record (none yet, none at all, sealed)
 *   - there was no room for one
 *   - the machine is dying already, or dies of this
 */
#ifndef VIGIL_RAS_MCE_WORDS_H
#define VIGIL_RAS_MCE_WORDS_H

#include "lib/compiler.h"
#include "ras/record.h"

/**
 * mce_words_say() - write the lines of a record, unless the log has them
 * @r: RESERVED or CONSUMING, and of whoever calls
 *
 * Context: any, #MC included.
 * Return:  nothing.
 */
NMI_SAFE void mce_words_say(struct mce_record *r);

/**
 * mce_words_say_lost() - write the lines of what has no record
 * @at:      the situation
 * @regs:    interrupted context
 * @bank:    registers of a bank, all 0: none holds an error; NULL: those that do
 *           are the poller's to tell of
 * @goes_on: the first line has been written, or comes with a record of the same #MC
 *
 * Context: #MC.
 * Return:  nothing.
 */
NMI_SAFE void mce_words_say_lost(const struct mce_situation *at,
                                 const struct cpu_regs *regs,
                                 const struct mca_bank_regs *bank,
                                 bool goes_on);

#endif
