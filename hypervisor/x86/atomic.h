/* SPDX-License-Identifier: MIT */
/*
 * x86/atomic.h - locked read-modify-write.  All are full barriers.
 */
#ifndef VIGIL_X86_ATOMIC_H
#define VIGIL_X86_ATOMIC_H

#include "lib/types.h"

/* Each returns the value found before the operation. */
#define atomic_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define atomic_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_load(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define atomic_store(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

/* Store @new in *@p if it holds @old; true if it did. */
#define atomic_cas(p, old, new)                                                \
    ({                                                                         \
        __typeof__(*(p)) cas_old_ = (old);                                     \
        __atomic_compare_exchange_n((p), &cas_old_, (new), false,              \
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    })

/*
 * One less in a 32-bit count, with both things the flags say about it: @ret_low
 * is set when it was 0 before (and has wrapped), the result when it is 0 now.
 */
static inline bool atomic_count_down(uint32_t *count, bool *ret_low)
{
    bool zero, low;

    asm volatile("lock subl $1, %2"
                 : "=@ccz"(zero), "=@ccc"(low), "+m"(*count)
                 :
                 : "memory");
    *ret_low = low;
    return zero;
}

/* Bits of a bitmap of 64-bit words, shared with guests: locked. */
static inline bool atomic_test_and_set_bit(unsigned int bit, void *map)
{
    bool was;

    asm volatile("lock btsl %2, %1"
                 : "=@ccc"(was), "+m"(*(volatile char (*)[1UL << 20])map)
                 : "r"(bit)
                 : "memory");
    return was;
}

static inline bool atomic_test_and_clear_bit(unsigned int bit, void *map)
{
    bool was;

    asm volatile("lock btrl %2, %1"
                 : "=@ccc"(was), "+m"(*(volatile char (*)[1UL << 20])map)
                 : "r"(bit)
                 : "memory");
    return was;
}

static inline bool bit_is_set(unsigned int bit, const void *map)
{
    return (((const volatile uint64_t *)map)[bit / 64] >> (bit % 64)) & 1;
}

#endif
