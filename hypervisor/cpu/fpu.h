/* SPDX-License-Identifier: MIT */
/*
 * cpu/fpu.h - save and restore the extended processor state.
 *
 * Vigil itself uses no FPU or vector register, so what is in the processor is
 * always some guest's.  An area has the XSAVE format (SDM 1, 13.4) where the
 * processor has XSAVE, else the FXSAVE format.  Areas are 64-byte aligned,
 * which page allocation gives.
 */
#ifndef VIGIL_CPU_FPU_H
#define VIGIL_CPU_FPU_H

#include "lib/compiler.h"
#include "lib/types.h"

#define FPU_LEGACY_BYTES 512U
#define FPU_HEADER_BYTES 64U
#define FPU_MIN_BYTES    (FPU_LEGACY_BYTES + FPU_HEADER_BYTES)

#define XCR0_X87       (1UL << 0)
#define XCR0_SSE       (1UL << 1)
#define XCR0_YMM       (1UL << 2)
#define XCR0_BNDREGS   (1UL << 3)
#define XCR0_BNDCSR    (1UL << 4)
#define XCR0_OPMASK    (1UL << 5)
#define XCR0_ZMM_HI256 (1UL << 6)
#define XCR0_HI16_ZMM  (1UL << 7)
#define XCR0_PKRU      (1UL << 9)

/**
 * fpu_area_bytes() - size of an area on this machine
 *
 * Context: any, after features_init().
 * Return:  bytes, at least FPU_MIN_BYTES
 */
size_t fpu_area_bytes(void);

/**
 * fpu_area_reset() - power-on state: FCW 0x37f, MXCSR 0x1f80
 * @area: fpu_area_bytes() of memory
 *
 * Context: any.
 */
void fpu_area_reset(void *area);

/**
 * fpu_save() - processor to area; the processor keeps its contents
 * @area: destination
 *
 * CR0.TS must be clear.  XCR0 becomes the full set.
 * Context: interrupts on or off; not NMI/#MC.
 */
void fpu_save(void *area);

/**
 * fpu_restore() - area to processor
 * @area: contents may have been chosen by a guest or a toolstack
 * @xcr0: what the guest resumes with; a valid subset, or 0 without XSAVE
 *
 * CR0.TS must be clear.  An area the processor refuses is reset first.
 * Context: interrupts on or off; not NMI/#MC.
 * Return:  true; false when the area was bad and has been reset
 */
bool fpu_restore(void *area, uint64_t xcr0);

/**
 * fpu_xcr0_is_valid() - may a guest run with this XCR0?
 * @xcr0: from a guest
 *
 * Source: SDM 1, 13.3 (dependencies between state components).
 * Context: any.
 * Return:  true when it is a consistent subset of what we support
 */
bool fpu_xcr0_is_valid(uint64_t xcr0);

/**
 * fpu_set_xcr0() - change XCR0 of this CPU
 * @xcr0: valid (fpu_xcr0_is_valid()), or 0 to do nothing
 *
 * Context: any but NMI/#MC.
 */
void fpu_set_xcr0(uint64_t xcr0);

#endif
