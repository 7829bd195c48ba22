/* SPDX-License-Identifier: MIT */
/*
 * x86/page.h - page-table entry format (SDM 3A 4.5) and the software bits
 * the Xen ABI uses.
 */
#ifndef VIGIL_X86_PAGE_H
#define VIGIL_X86_PAGE_H

#include "lib/frames.h"

typedef uint64_t pte_t; /* one entry of any level */

#define PTE_P 0x001UL
#define PTE_W 0x002UL
#define PTE_U 0x004UL
#define PTE_PWT 0x008UL
#define PTE_PCD 0x010UL
#define PTE_A 0x020UL
#define PTE_D 0x040UL
#define PTE_PS 0x080UL  /* L2, L3: large page      */
#define PTE_PAT 0x080UL /* L1: page attribute bit  */
#define PTE_G 0x100UL
#define PTE_AVAIL 0xe00UL
#define PTE_SOFT_HIGH (0x7ffUL << 52) /* bits 52-62 */
#define PTE_GUEST_KERNEL (1UL << 52)  /* guest left U clear */
#define PTE_NX (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL

#define PT_ENTRIES 512
#define L1_SHIFT 12
#define L2_SHIFT 21
#define L3_SHIFT 30
#define L4_SHIFT 39

static inline unsigned int pt_index(uint64_t va, unsigned int level)
{
    return (unsigned int)(va >> (L1_SHIFT + 9 * (level - 1))) & 511;
}

static inline mfn_t pte_mfn(pte_t e)
{
    return mfn((e & PTE_ADDR) >> PAGE_SHIFT);
}

static inline pte_t pte_make(mfn_t m, uint64_t flags)
{
    return (mfn_x(m) << PAGE_SHIFT & PTE_ADDR) | flags;
}

static inline bool va_is_canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

#endif
