/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/barrier.h - barriers are real, and another CPU may act at a
 * full one; cache flushes are counted.
 */
#ifndef VIGIL_FAKE_X86_BARRIER_H
#define VIGIL_FAKE_X86_BARRIER_H

#include "fake_hw.h"

#define barrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

static inline void smp_mb(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (fake_barrier_hook != NULL) {
        fake_barrier_hook();
    }
}

static inline void cache_flush_line(const volatile void *p)
{
    (void)p;
    __atomic_fetch_add(&fake_flushed_lines, 1, __ATOMIC_RELAXED);
}

static inline void flush_buffers(void)
{
    fake_flushed_buffers++;
}

static inline void cache_writeback_all(void)
{
    __atomic_fetch_add(&fake_flushed_lines, 1, __ATOMIC_RELAXED);
}

#endif
