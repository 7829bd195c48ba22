/* SPDX-License-Identifier: MIT */
/*
 * ras/severity.h - what a machine-check bank means.
 *
 * Pure: the grade depends on the bank's status and on the situation given,
 * on nothing else.  The rules are data (severity_rules.c), tried in order;
 * the first that matches decides and gives the sentence for the log.
 */
#ifndef VIGIL_RAS_SEVERITY_H
#define VIGIL_RAS_SEVERITY_H

#include <vigil/mce.h>

#include "lib/compiler.h"
#include "lib/types.h"

/* Least serious first. */
enum mce_grade {
    MCE_NONE = VIGIL_MCE_NONE,
    MCE_LOG = VIGIL_MCE_LOG,
    MCE_LATER = VIGIL_MCE_LATER,
    MCE_ACTION = VIGIL_MCE_ACTION,
    MCE_KILL = VIGIL_MCE_KILL,
    MCE_FATAL = VIGIL_MCE_FATAL,
};

/* Where it was found: bits, so that a rule may hold in several. */
#define MCE_AT_HV    VIGIL_MCE_IN_HYPERVISOR
#define MCE_AT_GUEST VIGIL_MCE_IN_GUEST
#define MCE_AT_POLL  VIGIL_MCE_POLLED
#define MCE_AT_BOOT  VIGIL_MCE_LEFT_OVER

/* What the processor can tell apart: bits likewise. */
#define MCE_KIND_PLAIN  1U /* corrected or not                             */
#define MCE_KIND_SER    2U /* MCG_CAP.SER_P: signalled, action required    */
#define MCE_KIND_SUCCOR 4U /* AMD with SUCCOR and overflow recovery        */

struct mce_situation {
    uint64_t mcg_status;
    unsigned int where; /* one of MCE_AT_*                                */
    unsigned int kind;  /* one of MCE_KIND_*                              */
};

struct mce_rule {
    uint64_t mask, value;       /* of the bank's status                   */
    uint8_t mcg_mask, mcg_value; /* of MCG_STATUS                          */
    uint8_t where;              /* MCE_AT_* bits                          */
    uint8_t kind;               /* MCE_KIND_* bits                        */
    uint8_t grade;              /* enum mce_grade                         */
    const char *why;
};

extern const struct mce_rule mce_rules[];
extern const unsigned int mce_rule_count;

/**
 * mce_grade() - judge one bank
 * @status: its status register
 * @at:     the situation it was read in
 *
 * Context: any, #MC included.
 * Return:  the rule that matches; never NULL (the last one always does)
 */
NMI_SAFE const struct mce_rule *mce_grade(uint64_t status,
                                          const struct mce_situation *at);

/**
 * mce_grade_name() - a grade as a word
 * @grade: any value
 *
 * Context: any, #MC included.
 * Return:  static string
 */
NMI_SAFE const char *mce_grade_name(unsigned int grade);

#endif
