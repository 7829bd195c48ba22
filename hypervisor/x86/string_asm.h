/* SPDX-License-Identifier: MIT */
/*
 * x86/string_asm.h - block moves by one instruction (fast string operations).
 */
#ifndef VIGIL_X86_STRING_ASM_H
#define VIGIL_X86_STRING_ASM_H

#include "lib/types.h"

static inline void rep_movsb(void *dst, const void *src, size_t n)
{
    asm volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

static inline void rep_stosb(void *dst, int byte, size_t n)
{
    asm volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(byte) : "memory");
}

/* @n counts 8-byte words. */
static inline void rep_movsq(void *dst, const void *src, size_t n)
{
    asm volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

static inline void rep_stosq(void *dst, uint64_t word, size_t n)
{
    asm volatile("rep stosq" : "+D"(dst), "+c"(n) : "a"(word) : "memory");
}

/*
 * Are the @n bytes at @p all zero?  By 256 at a time, through SSE2: @n is a
 * multiple of that, not 0, and @p of 16.  Whoever calls must own the vector
 * registers and have CR0.TS clear.
 */
static inline bool sse_all_zero(const void *p, size_t n)
{
    uint32_t equal;

    asm volatile("pxor %%xmm0, %%xmm0\n"
                 "pxor %%xmm1, %%xmm1\n"
                 "1:\n"
                 "por (%[p]), %%xmm0\n"
                 "por 16(%[p]), %%xmm0\n"
                 "por 32(%[p]), %%xmm0\n"
                 "por 48(%[p]), %%xmm0\n"
                 "por 64(%[p]), %%xmm0\n"
                 "por 80(%[p]), %%xmm0\n"
                 "por 96(%[p]), %%xmm0\n"
                 "por 112(%[p]), %%xmm0\n"
                 "por 128(%[p]), %%xmm0\n"
                 "por 144(%[p]), %%xmm0\n"
                 "por 160(%[p]), %%xmm0\n"
                 "por 176(%[p]), %%xmm0\n"
                 "por 192(%[p]), %%xmm0\n"
                 "por 208(%[p]), %%xmm0\n"
                 "por 224(%[p]), %%xmm0\n"
                 "por 240(%[p]), %%xmm0\n"
                 "add $256, %[p]\n"
                 "sub $256, %[n]\n"
                 "jnz 1b\n"
                 "pcmpeqb %%xmm1, %%xmm0\n"
                 "pmovmskb %%xmm0, %[equal]"
                 : [p] "+r"(p), [n] "+r"(n), [equal] "=r"(equal)
                 :
                 : "memory", "cc"
#ifdef __SSE2__ /* the unit tests; the hypervisor itself has none to spoil */
                   ,
                   "xmm0", "xmm1"
#endif
    );
    return equal == 0xffff;
}

#endif
