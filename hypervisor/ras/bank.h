/* SPDX-License-Identifier: MIT */
/*
 * ras/bank.h - the machine-check registers: read, clear, switch on.  Raw
 * values only, no judgement.
 *
 * While an injection is armed (ras/inject.h) its values stand in for those of
 * the hardware.
 */
#ifndef VIGIL_RAS_BANK_H
#define VIGIL_RAS_BANK_H

#include "lib/compiler.h"
#include "lib/types.h"

#define MCA_BANKS_MAX 32 /* what the register numbers leave room for */

struct mca_bank_regs {
    unsigned int bank;
    uint64_t status;
    uint64_t addr; /* 0 unless status says it is valid */
    uint64_t misc; /* 0 unless status says it is valid */
};

/**
 * bank_count() - banks this processor has
 *
 * Context: any, #MC included.
 * Return:  0 .. MCA_BANKS_MAX; 0 before bank_cpu_init() or without MCA
 */
NMI_SAFE unsigned int bank_count(void);

/**
 * bank_mcg_cap() - IA32_MCG_CAP as read at boot
 *
 * Context: any, #MC included.
 * Return:  the register; 0 without MCA
 */
NMI_SAFE uint64_t bank_mcg_cap(void);

/**
 * bank_kind() - which rules this processor's errors follow
 *
 * Context: any, #MC included.
 * Return:  one MCE_KIND_*
 */
NMI_SAFE unsigned int bank_kind(void);

/**
 * bank_probe() - find out what there is
 *
 * Once; later calls do nothing.  A #MC that comes before ras_init() calls it.
 * Context: boot, cpu_features known; #MC.
 */
NMI_SAFE void bank_probe(void);

/**
 * bank_cpu_init() - let every bank of this CPU report
 *
 * Context: boot, once per CPU, after bank_probe().
 */
void bank_cpu_init(void);

/**
 * bank_read() - one bank's registers
 * @bank:     0 .. bank_count() - 1
 * @ret_regs: set when true is returned
 *
 * Context: any, #MC included.
 * Return:  true: it holds an error
 */
NMI_SAFE bool bank_read(unsigned int bank, struct mca_bank_regs *ret_regs);

/**
 * bank_status() - one bank's status register alone
 * @bank: 0 .. bank_count() - 1
 *
 * Context: any, #MC included.
 * Return:  the register
 */
NMI_SAFE uint64_t bank_status(unsigned int bank);

/**
 * bank_clear() - make room for the next error
 * @bank: 0 .. bank_count() - 1; its error is recorded or counted as lost
 *
 * Context: any, #MC included.
 */
NMI_SAFE void bank_clear(unsigned int bank);

/**
 * bank_mcg_status() - IA32_MCG_STATUS
 *
 * Context: any, #MC included.
 * Return:  the register; 0 without MCA
 */
NMI_SAFE uint64_t bank_mcg_status(void);

/**
 * bank_mcg_clear() - MCIP off: from here on another #MC may come
 *
 * Context: #MC, last thing.
 */
NMI_SAFE void bank_mcg_clear(void);

#endif
