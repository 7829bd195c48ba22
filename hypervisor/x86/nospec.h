/* SPDX-License-Identifier: MIT */
/*
 * x86/nospec.h - numbers a guest chose, safe also where a check was predicted
 * wrong (docs/adr/0016-speculation.md).
 *
 * The result depends on the comparison by data, not by a branch: the processor
 * cannot guess it.
 */
#ifndef VIGIL_X86_NOSPEC_H
#define VIGIL_X86_NOSPEC_H

#include "lib/types.h"
#include "x86/layout.h"

/* @index, or 0 where it is not below @count.  After the check, not for it. */
static inline uint64_t index_nospec(uint64_t index, uint64_t count)
{
    uint64_t mask;

    asm("cmp %[count], %[index]\n"
        "sbb %[mask], %[mask]\n"
        : [mask] "=r"(mask)
        : [index] "r"(index), [count] "rme"(count)
        : "cc");
    return index & mask;
}

/* The same for a @count that is a power of two, in one instruction. */
static inline uint64_t index_nospec_mask(uint64_t index, uint64_t count)
{
    asm("and %[mask], %[index]"
        : [index] "+r"(index)
        : [mask] "rme"(count - 1)
        : "cc");
    return index;
}

/*
 * A guest's address, or one that is not canonical where it lies in the
 * hypervisor's hole: bit 63 becomes "beyond the hole".  In the lower half it
 * was clear.  After the check, not for it.
 */
static inline uint64_t guest_va_nospec(uint64_t va)
{
    uint64_t mask = ~0UL;

    asm("cmp %[va], %[last]\n"
        "rcr $1, %[mask]\n"
        : [mask] "+r"(mask)
        : [va] "r"(va), [last] "r"(HV_HOLE_END - 1)
        : "cc");
    return va & mask;
}

#endif
