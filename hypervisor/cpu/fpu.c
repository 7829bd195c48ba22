/* SPDX-License-Identifier: MIT */
/*
 * cpu/fpu.c - save and restore the extended processor state.
 */
#include "cpu/fpu.h"

#include "lib/string.h"
#include "x86/xsave.h"
#include "cpu/features.h"

#define FCW_DEFAULT      0x37fU
#define MXCSR_DEFAULT    0x1f80U
#define LEGACY_FCW       0
#define LEGACY_MXCSR     24
#define HEADER_XSTATE_BV FPU_LEGACY_BYTES

#define XCR0_BNDS   (XCR0_BNDREGS | XCR0_BNDCSR)
#define XCR0_AVX512 (XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM)

#define E8_EBX_RSTR_FP_ERR_PTRS (1U << 2)

size_t fpu_area_bytes(void)
{
    return cpu_features.xsave && cpu_features.xsave_bytes > FPU_MIN_BYTES
               ? cpu_features.xsave_bytes
               : FPU_MIN_BYTES;
}

static void put_u32(void *area, size_t at, uint32_t value)
{
    memcpy((char *)area + at, &value, sizeof(value));
}

void fpu_area_reset(void *area)
{
    uint64_t xstate_bv = XCR0_X87 | XCR0_SSE;

    memset(area, 0, fpu_area_bytes());
    put_u32(area, LEGACY_FCW, FCW_DEFAULT);
    put_u32(area, LEGACY_MXCSR, MXCSR_DEFAULT);
    memcpy((char *)area + HEADER_XSTATE_BV, &xstate_bv, sizeof(xstate_bv));
}

void fpu_set_xcr0(uint64_t xcr0)
{
    if (cpu_features.xsave && xcr0 != 0 && xgetbv(0) != xcr0) {
        xsetbv(0, xcr0);
    }
}

void fpu_save(void *area)
{
    if (cpu_features.xsave) {
        /* The guest may have turned components off that still hold data. */
        fpu_set_xcr0(cpu_features.xcr0_mask);
        xsave(area, cpu_features.xcr0_mask);
    } else {
        fxsave(area);
    }
}

/*
 * Before Zen, AMD processors load the last-instruction pointers only when an
 * exception is pending; otherwise those of the previous guest would remain
 * (APM 5, FXRSTOR).
 */
static bool leaks_error_pointers(void)
{
    return cpu_features.vendor == CPU_AMD &&
           (cpu_features.e8_ebx & E8_EBX_RSTR_FP_ERR_PTRS) == 0;
}

static int restore_once(const void *area)
{
    return cpu_features.xsave ? xrstor_safe(area, cpu_features.xcr0_mask)
                              : fxrstor_safe(area);
}

bool fpu_restore(void *area, uint64_t xcr0)
{
    bool good = true;

    fpu_set_xcr0(cpu_features.xcr0_mask);
    if (leaks_error_pointers()) {
        fpu_forget_pointers();
    }
    if (restore_once(area) != 0) {
        good = false;
        fpu_area_reset(area);
        /* A reset area is accepted by every processor. */
        (void)restore_once(area);
    }
    fpu_set_xcr0(xcr0);
    return good;
}

bool fpu_xcr0_is_valid(uint64_t xcr0)
{
    if ((xcr0 & XCR0_X87) == 0 || (xcr0 & ~cpu_features.xcr0_mask) != 0) {
        return false;
    }
    if ((xcr0 & XCR0_YMM) != 0 && (xcr0 & XCR0_SSE) == 0) {
        return false;
    }
    if ((xcr0 & XCR0_BNDS) != 0 && (xcr0 & XCR0_BNDS) != XCR0_BNDS) {
        return false;
    }
    if ((xcr0 & XCR0_AVX512) != 0 &&
        ((xcr0 & XCR0_AVX512) != XCR0_AVX512 || (xcr0 & XCR0_YMM) == 0)) {
        return false;
    }
    return true;
}
