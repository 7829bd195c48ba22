/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_emulate.h - direct writes of a guest kernel to its L1 tables.
 *
 * Page tables are mapped read-only in the guest, so its write faults; the
 * store is then done here, atomically and checked like any update.
 */
#ifndef VIGIL_PV_PTE_EMULATE_H
#define VIGIL_PV_PTE_EMULATE_H

#include "domain/vcpu.h"

/**
 * pv_pte_emulate() - perform a faulting store to an L1 table
 * @v:          current vcpu
 * @regs:       its registers; changed when true is returned
 * @addr:       faulting address (CR2)
 * @error_code: of the #PF
 *
 * Context: #PF from guest context, main stack, interrupts on.
 * Return:  true: done, resume the guest at @regs; false: not such a store or
 *          an entry the guest may not have: deliver the #PF to it
 */
bool pv_pte_emulate(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                    uint32_t error_code);

#endif
