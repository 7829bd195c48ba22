/* SPDX-License-Identifier: MIT */
/*
 * x86/xsave.h - extended processor state (SDM 1 chapter 13).
 */
#ifndef VIGIL_X86_XSAVE_H
#define VIGIL_X86_XSAVE_H

#include "lib/types.h"
#include "x86/fixup.h"

static inline void fxsave(void *area)
{
    asm volatile("fxsaveq %0" : "=m"(*(char(*)[512])area) : : "memory");
}

static inline void xsave(void *area, uint64_t mask)
{
    asm volatile("xsaveq (%0)"
                 :
                 : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                 : "memory");
}

/* Both loads take guest-controlled bytes: 0, or -1 when they fault. */
static inline int fxrstor_safe(const void *area)
{
    int rc;

    asm volatile(INSN_OR_FIXUP("fxrstorq (%[p])", "")
                 : [rc] "=&r"(rc)
                 : [p] "r"(area)
                 : "memory");
    return rc;
}

static inline int xrstor_safe(const void *area, uint64_t mask)
{
    int rc;

    asm volatile(INSN_OR_FIXUP("xrstorq (%[p])", "")
                 : [rc] "=&r"(rc)
                 : [p] "r"(area), "a"((uint32_t)mask),
                   "d"((uint32_t)(mask >> 32))
                 : "memory");
    return rc;
}

/* Overwrite the last-instruction pointers of the x87 unit. */
static inline void fpu_forget_pointers(void)
{
    static const uint32_t zero;

    asm volatile("fnclex\n"
                 "emms\n"
                 "fildl %0\n"
                 :
                 : "m"(zero));
}

static inline uint64_t xgetbv(uint32_t index)
{
    uint32_t lo, hi;

    asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
    return (uint64_t)hi << 32 | lo;
}

static inline void xsetbv(uint32_t index, uint64_t v)
{
    asm volatile("xsetbv"
                 :
                 : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

#endif
