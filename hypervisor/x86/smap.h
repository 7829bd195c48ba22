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
 * One 8-byte word from memory that may fault: then it is 0, and @bad, an
 * unsigned int that was 0, is not.  (gcc 12 breaks down on asm goto with
 * outputs and -ftrivial-auto-var-init.)
 */
#define load_word(ret, ptr, bad)                                               \
    asm volatile("1: mov %2, %0\n"                                             \
                 "2:\n"                                                        \
                 ".pushsection .text.fixup, \"ax\"\n"                          \
                 "3: xor %k0, %k0\n"                                           \
                 "   mov $1, %1\n"                                             \
                 "   jmp 2b\n"                                                 \
                 ".popsection\n"                                               \
                 ".section .ex_table, \"a\"\n"                                 \
                 ".long 1b - ., 3b - .\n"                                      \
                 ".previous\n"                                                 \
                 : "=r"(ret), "+r"(bad)                                        \
                 : "m"(*(const volatile uint64_t *)(ptr)))

/* One 8-byte word to memory that may fault: then control goes to @fault. */
#define store_word_or(ptr, value, fault)                                       \
    asm goto("1: mov %0, %1\n"                                                 \
             ".section .ex_table, \"a\"\n"                                     \
             ".long 1b - ., %l[" #fault "] - .\n"                              \
             ".previous\n"                                                     \
             :                                                                 \
             : "r"((uint64_t)(value)), "m"(*(uint64_t *)(ptr))                 \
             : "memory"                                                        \
             : fault)

/*
 * Copy @n bytes, either side of which may fault.
 * Returns the number of bytes NOT copied (0: all done).
 */
static inline size_t copy_may_fault(void *dst, const void *src, size_t n)
{
    size_t tail = n & 7;

    n >>= 3;
    asm volatile("1: rep movsq\n"
                 "   mov %[tail], %[n]\n"
                 "2: rep movsb\n"
                 "3:\n"
                 ".pushsection .text.fixup, \"ax\"\n"
                 "4: lea (%[tail], %[n], 8), %[n]\n"
                 "   jmp 3b\n"
                 ".popsection\n"
                 ".section .ex_table, \"a\"\n"
                 ".long 1b - ., 4b - .\n"
                 ".long 2b - ., 3b - .\n"
                 ".previous\n"
                 : [n] "+c"(n), "+D"(dst), "+S"(src)
                 : [tail] "r"(tail)
                 : "memory");
    return n;
}

/* Zero @n bytes that may fault; returns the number NOT zeroed. */
static inline size_t zero_may_fault(void *dst, size_t n)
{
    size_t tail = n & 7;

    n >>= 3;
    asm volatile("1: rep stosq\n"
                 "   mov %[tail], %[n]\n"
                 "2: rep stosb\n"
                 "3:\n"
                 ".pushsection .text.fixup, \"ax\"\n"
                 "4: lea (%[tail], %[n], 8), %[n]\n"
                 "   jmp 3b\n"
                 ".popsection\n"
                 ".section .ex_table, \"a\"\n"
                 ".long 1b - ., 4b - .\n"
                 ".long 2b - ., 3b - .\n"
                 ".previous\n"
                 : [n] "+c"(n), "+D"(dst)
                 : "a"(0), [tail] "r"(tail)
                 : "memory");
    return n;
}

#endif
