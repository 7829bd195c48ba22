/* SPDX-License-Identifier: MIT */
/*
 * pv/mmio_emulate.h - writes of a guest to device memory it has read-only.
 *
 * Pages guarded by dev/pci_guard.h are mapped without the right to write, and
 * a write to them faults: it is done here, filtered.
 */
#ifndef VIGIL_PV_MMIO_EMULATE_H
#define VIGIL_PV_MMIO_EMULATE_H

#include "domain/vcpu.h"

/**
 * pv_mmio_emulate() - perform a faulting store to a guarded page
 * @v:          current vcpu
 * @regs:       its registers; changed when true is returned
 * @addr:       faulting address (CR2)
 * @error_code: of the #PF
 *
 * Context: #PF from guest context, main stack, interrupts on.
 * Return:  true: done, resume the guest at @regs; false: not such a store
 */
bool pv_mmio_emulate(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                     uint32_t error_code);

#endif
