/* SPDX-License-Identifier: MIT */
/*
 * ras/record.h - the pool of machine-check records.
 *
 *          reserve            commit             consume          hold
 *   FREE ----------> RESERVED ------> COMMITTED -------> CONSUMING ----> HELD
 *    ^                  |                                                 |
 *    +-----dismiss------+<--------------------acknowledge-----------------+
 *
 * Capture (NMI-safe) reserves, fills and commits; response/ consumes, oldest
 * first, acts, and holds the record for the control domain, which fetches and
 * acknowledges it.  All memory is there from the start (INV-RAS-1), and it is the
 * black box's: a record outlives a reset at any moment between commit and
 * acknowledge.
 *
 * With no record FREE, one is raided: a corrected one (HELD first, then
 * COMMITTED), for an urgent error also an urgent one that is HELD.  That is
 * counted as a loss of telemetry; nothing that still needs an action is ever
 * raided.  INV-RAS-3: every record ends FREE by exactly one of: acknowledged,
 * dismissed, overwritten and counted.
 */
#ifndef VIGIL_RAS_RECORD_H
#define VIGIL_RAS_RECORD_H

#include <vigil/mce.h>

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"
#include "ras/bank.h"
#include "ras/severity.h"

#define MCE_RECORDS 48

enum mce_record_state {
    MCE_RECORD_FREE,
    MCE_RECORD_RESERVED,
    MCE_RECORD_COMMITTED,
    MCE_RECORD_CONSUMING,
    MCE_RECORD_HELD,
};

struct mce_record {
    uint32_t state; /* enum mce_record_state; by atomic exchange only    */
    bool urgent;    /* came by a machine check, or is uncorrected        */
    bool is_told;   /* the log has it, or need not: mce_words.h          */
    bool goes_on;   /* the one before is of the same machine check       */
    struct vigil_mce_record *data; /* in the black box, if there is one  */
};

/**
 * record_reserve() - a record to fill
 * @urgent: see struct mce_record
 *
 * Context: any, #MC included.
 * Return:  RESERVED record, emptied; NULL: none to be had, the loss is counted
 */
NMI_SAFE struct mce_record *record_reserve(bool urgent) MUST_CHECK;

/**
 * record_outlives_reset() - does the black box keep it?
 * @r: RESERVED
 *
 * Context: any, #MC included.
 * Return:  false: there is no box, or it is sealed
 */
NMI_SAFE bool record_outlives_reset(const struct mce_record *r) MUST_CHECK;

/**
 * record_describe() - say where and when
 * @r:    RESERVED
 * @at:   the situation
 * @regs: interrupted context; NULL: none
 *
 * Context: any, #MC included.
 */
NMI_SAFE void record_describe(struct mce_record *r,
                              const struct mce_situation *at,
                              const struct cpu_regs *regs);

/**
 * record_add_bank() - one bank's registers and their grade
 * @r:    RESERVED
 * @bank: its registers
 * @rule: what they mean
 *
 * Context: any, #MC included.
 * Return:  false: the record is full, nothing was added
 */
NMI_SAFE bool record_add_bank(struct mce_record *r,
                              const struct mca_bank_regs *bank,
                              const struct mce_rule *rule) MUST_CHECK;

/**
 * record_commit() - RESERVED -> COMMITTED, with the next number
 * @r: RESERVED
 *
 * Context: any, #MC included.
 */
NMI_SAFE void record_commit(struct mce_record *r);

/**
 * record_dismiss() - RESERVED -> FREE: somebody else has recorded it
 * @r: RESERVED
 *
 * Context: any, #MC included.
 */
NMI_SAFE void record_dismiss(struct mce_record *r);

/**
 * record_consume() - the oldest COMMITTED record, now CONSUMING
 *
 * Context: any but NMI/#MC.
 * Return:  record, or NULL
 */
struct mce_record *record_consume(void) MUST_CHECK;

/**
 * record_hold() - CONSUMING -> HELD: acted upon, kept for the control domain
 * @r: CONSUMING
 *
 * Context: any but NMI/#MC.
 */
void record_hold(struct mce_record *r);

/**
 * record_fetch() - copy the oldest HELD record of a class
 * @urgent:   class
 * @ret_data: the copy, whole; set when 0 is returned
 *
 * The record stays HELD until record_acknowledge().
 * Context: any but NMI/#MC.
 * Return:  0, -ENOENT none
 */
int record_fetch(bool urgent, struct vigil_mce_record *ret_data) MUST_CHECK;

/**
 * record_acknowledge() - HELD -> FREE
 * @urgent: class
 * @seq:    the record's number
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOENT not HELD (overwritten since it was fetched)
 */
int record_acknowledge(bool urgent, uint64_t seq) MUST_CHECK;

/**
 * record_lost() - records overwritten, or errors that found no record
 *
 * Context: any.
 * Return:  count since boot
 */
uint64_t record_lost(void);

/**
 * record_count() - records in a state
 * @state: state
 *
 * Context: any; a snapshot.
 * Return:  count
 */
unsigned int record_count(enum mce_record_state state);

#endif
