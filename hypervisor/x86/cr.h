/* SPDX-License-Identifier: MIT */
/*
 * x86/cr.h - control and debug registers (SDM 3A 2.5, 17.2).
 */
#ifndef VIGIL_X86_CR_H
#define VIGIL_X86_CR_H

#include "lib/types.h"

#define CR0_PE (1UL << 0)
#define CR0_MP (1UL << 1)
#define CR0_EM (1UL << 2)
#define CR0_TS (1UL << 3)
#define CR0_ET (1UL << 4)
#define CR0_NE (1UL << 5)
#define CR0_WP (1UL << 16)
#define CR0_AM (1UL << 18)
#define CR0_NW (1UL << 29)
#define CR0_CD (1UL << 30)
#define CR0_PG (1UL << 31)

#define CR4_TSD (1UL << 2)
#define CR4_DE (1UL << 3)
#define CR4_PAE (1UL << 5)
#define CR4_MCE (1UL << 6)
#define CR4_PGE (1UL << 7)
#define CR4_OSFXSR (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_UMIP (1UL << 11)
#define CR4_FSGSBASE (1UL << 16)
#define CR4_PCIDE (1UL << 17)
#define CR4_OSXSAVE (1UL << 18)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)

#define VIGIL_DEFINE_CR(n)                                                     \
    static inline uint64_t read_cr##n(void)                                    \
    {                                                                          \
        uint64_t v;                                                            \
        asm volatile("mov %%cr" #n ", %0" : "=r"(v));                          \
        return v;                                                              \
    }                                                                          \
    static inline void write_cr##n(uint64_t v)                                 \
    {                                                                          \
        asm volatile("mov %0, %%cr" #n : : "r"(v) : "memory");                 \
    }

VIGIL_DEFINE_CR(0)
VIGIL_DEFINE_CR(2)
VIGIL_DEFINE_CR(3)
VIGIL_DEFINE_CR(4)

#define VIGIL_DEFINE_DR(n)                                                     \
    static inline uint64_t read_dr##n(void)                                    \
    {                                                                          \
        uint64_t v;                                                            \
        asm volatile("mov %%dr" #n ", %0" : "=r"(v));                          \
        return v;                                                              \
    }                                                                          \
    static inline void write_dr##n(uint64_t v)                                 \
    {                                                                          \
        asm volatile("mov %0, %%dr" #n : : "r"(v));                            \
    }

VIGIL_DEFINE_DR(0)
VIGIL_DEFINE_DR(1)
VIGIL_DEFINE_DR(2)
VIGIL_DEFINE_DR(3)
VIGIL_DEFINE_DR(6)
VIGIL_DEFINE_DR(7)

#define DR6_DEFAULT 0xffff0ff0UL
#define DR7_DEFAULT 0x00000400UL

static inline void clts(void)
{
    asm volatile("clts");
}

#endif
