/* SPDX-License-Identifier: MIT */
/*
 * ras/mce.h - the #MC conductor: capture, grade, verdict.
 */
#ifndef VIGIL_RAS_MCE_H
#define VIGIL_RAS_MCE_H

#include "lib/compiler.h"
#include "x86/regs.h"

/**
 * ras_init() - enable and harvest the machine-check banks
 *
 * Context: boot, CR4.MCE set.
 */
void ras_init(void);

/**
 * ras_mce() - handle one machine check; clears MCIP last of all
 * @regs: interrupted context
 *
 * Context: #MC.
 */
void ras_mce(struct cpu_regs *regs);

#endif
