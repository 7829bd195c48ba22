/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/smap.h - guest memory is host memory with a bad range.
 */
#ifndef VIGIL_FAKE_X86_SMAP_H
#define VIGIL_FAKE_X86_SMAP_H

#include "lib/types.h"
#include "fake_hw.h"

static inline void stac_if(bool has_smap)
{
    (void)has_smap;
}

static inline void clac_if(bool has_smap)
{
    (void)has_smap;
}

#define load_word(ret, ptr, bad)                                               \
    do {                                                                       \
        uint64_t word_ = 0;                                                    \
                                                                               \
        if (fake_copy_may_fault(&word_, (ptr), sizeof(word_)) != 0) {          \
            (bad) = 1;                                                         \
        }                                                                      \
        (ret) = word_;                                                         \
    } while (0)

#define store_word_or(ptr, value, fault)                                       \
    do {                                                                       \
        uint64_t word_ = (value);                                              \
                                                                               \
        if (fake_copy_may_fault((ptr), &word_, sizeof(word_)) != 0) {          \
            goto fault;                                                        \
        }                                                                      \
    } while (0)

static inline size_t copy_may_fault(void *dst, const void *src, size_t n)
{
    return fake_copy_may_fault(dst, src, n);
}

static inline size_t zero_may_fault(void *dst, size_t n)
{
    return fake_zero_may_fault(dst, n);
}

#endif
