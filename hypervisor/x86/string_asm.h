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

#endif
