/* SPDX-License-Identifier: MIT */
/*
 * ras/mce.h - the #MC conductor: capture, grade, verdict.
 *
 *   every valid bank -> record -> worst grade (the log: mce_words.h):
 *       FATAL                panic; the banks are left as they are, so the
 *                            next boot finds them even if the box is lost
 *       anything else        banks cleared, WORK_MCE: response/ acts before
 *                            a guest runs again
 *   MCG_STATUS.MCIP is cleared last of all
 *
 * INV-RAS-1: capture writes only memory reserved at boot.
 * INV-RAS-2: a bank is cleared only after its record is committed or counted
 * as lost.
 */
#ifndef VIGIL_RAS_MCE_H
#define VIGIL_RAS_MCE_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"

/* What was seen since boot; each written by atomic additions. */
struct ras_counters {
    uint64_t nmi_total;
    uint64_t nmi_serr;
    uint64_t nmi_iochk;
    uint64_t nmi_unknown;
    uint64_t nmi_firmware;  /* of its error sources                  */
    uint64_t nmi_left_out;  /* in storms: counted, and no more       */
    uint64_t nmi_reflected; /* taken by Dom0's handler               */
    uint64_t mce_total;     /* machine-check exceptions              */
    uint64_t mce_corrected; /* corrected errors, polled or not       */
    uint64_t mce_recovered; /* uncorrected errors survived           */
    uint64_t vmce_delivered;
};

extern struct ras_counters ras_counters;

/**
 * ras_init() - enable and harvest the machine-check banks
 *
 * Context: boot, CR4.MCE set.
 */
void ras_init(void);

/**
 * ras_cpu_init() - enable and harvest the banks of a further CPU
 *
 * Context: boot, on that CPU, CR4.MCE set.
 */
void ras_cpu_init(void);

/**
 * ras_mce() - handle one machine check, all but MCIP
 * @regs: interrupted context
 *
 * Context: #MC.
 */
NMI_SAFE void ras_mce(struct cpu_regs *regs);

/**
 * ras_mce_end() - clear MCIP: the next may come
 *
 * Context: #MC, after ras_mce(), once its frame lies where it stays
 *          (entry/mce_entry.c).
 */
NMI_SAFE void ras_mce_end(void);

/**
 * mce_count_polled() - an error was found by looking
 * @status: its bank's status
 *
 * Context: any.
 */
void mce_count_polled(uint64_t status);

#endif
