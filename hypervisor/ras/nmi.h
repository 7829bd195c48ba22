/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi.h - who sent this NMI?
 */
#ifndef VIGIL_RAS_NMI_H
#define VIGIL_RAS_NMI_H

#include "lib/compiler.h"
#include "x86/regs.h"

/**
 * ras_nmi() - classify, log and act on one NMI
 * @regs: interrupted context
 *
 * Context: NMI.
 */
void ras_nmi(struct cpu_regs *regs);

/**
 * nmi_set_policy() - the nmi= option
 * @value: "ignore", "dom0" or "fatal"
 *
 * Context: boot.
 * Return:  0; -EINVAL
 */
int nmi_set_policy(const char *value) MUST_CHECK;

#endif
