/* SPDX-License-Identifier: MIT */
/*
 * x86/barrier.h - compiler and processor memory barriers.
 */
#ifndef VIGIL_X86_BARRIER_H
#define VIGIL_X86_BARRIER_H

#define barrier() asm volatile("" : : : "memory")
#define smp_mb() asm volatile("mfence" : : : "memory")
/* Loads are not reordered with loads, nor stores with stores, on x86. */
#define smp_rmb() barrier()
#define smp_wmb() barrier()

/* Write back and drop the cache line that holds @p. */
static inline void cache_flush_line(const volatile void *p)
{
    asm volatile("clflush %0" : : "m"(*(const volatile char *)p) : "memory");
}

/*
 * VERW of any selector in memory: where microcode says so it overwrites the
 * processor's buffers (SDM 1, MD_CLEAR; AMD, VERW_CLEAR).
 */
static inline void flush_buffers(void)
{
    static const unsigned short selector;

    asm volatile("verw %0" : : "m"(selector) : "cc");
}

static inline void cache_writeback_all(void)
{
    asm volatile("wbinvd" : : : "memory");
}

#endif
