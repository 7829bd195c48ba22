/* SPDX-License-Identifier: MIT */
/*
 * x86/smap.h - opening and closing access to user-accessible pages.
 *
 * The only users are pv/guest_access.c and the entry code.  The instructions
 * fault on CPUs without SMAP, so callers pass what cpu/features found.
 */
#ifndef VIGIL_X86_SMAP_H
#define VIGIL_X86_SMAP_H

#include "lib/types.h"

static inline void stac_if(bool has_smap)
{
    if (has_smap) {
        asm volatile("stac" : : : "memory");
    }
}

static inline void clac_if(bool has_smap)
{
    if (has_smap) {
        asm volatile("clac" : : : "memory");
    }
}

/*
 * Copy @n bytes, either side of which may fault.
 * Returns the number of bytes NOT copied (0: all done).
 */
static inline size_t copy_may_fault(void *dst, const void *src, size_t n)
{
    asm volatile("1: rep movsb\n"
                 "2:\n"
                 ".section .ex_table, \"a\"\n"
                 ".long 1b - ., 2b - .\n"
                 ".previous\n"
                 : "+c"(n), "+D"(dst), "+S"(src)
                 :
                 : "memory");
    return n;
}

/* Zero @n bytes that may fault; returns the number NOT zeroed. */
static inline size_t zero_may_fault(void *dst, size_t n)
{
    asm volatile("1: rep stosb\n"
                 "2:\n"
                 ".section .ex_table, \"a\"\n"
                 ".long 1b - ., 2b - .\n"
                 ".previous\n"
                 : "+c"(n), "+D"(dst)
                 : "a"(0)
                 : "memory");
    return n;
}

#endif
