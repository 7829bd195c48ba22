/* SPDX-License-Identifier: MIT */
/*
 * lib/frames.h - machine and guest frame numbers as types that do not mix.
 *
 * mfn_t  machine frame number, 4 KiB units
 * gfn_t  what a guest writes into its page tables (PV: equal to the mfn)
 * pfn_t  the guest's own linear idea of its memory
 * maddr_t machine address, bytes
 */
#ifndef VIGIL_LIB_FRAMES_H
#define VIGIL_LIB_FRAMES_H

#include "lib/types.h"

typedef uint64_t maddr_t;

typedef struct {
    uint64_t v;
} mfn_t;
typedef struct {
    uint64_t v;
} gfn_t;
typedef struct {
    uint64_t v;
} pfn_t;

#define INVALID_FRAME_NUMBER (~0ULL)
#define INVALID_MFN mfn(INVALID_FRAME_NUMBER)

static inline mfn_t mfn(uint64_t n)
{
    return (mfn_t){n};
}

static inline uint64_t mfn_x(mfn_t m)
{
    return m.v;
}

static inline pfn_t pfn(uint64_t n)
{
    return (pfn_t){n};
}

static inline uint64_t pfn_x(pfn_t p)
{
    return p.v;
}

static inline gfn_t gfn(uint64_t n)
{
    return (gfn_t){n};
}

static inline uint64_t gfn_x(gfn_t g)
{
    return g.v;
}

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
    return a.v == b.v;
}

static inline bool mfn_is_invalid(mfn_t a)
{
    return a.v == INVALID_FRAME_NUMBER;
}

static inline mfn_t mfn_add(mfn_t m, uint64_t n)
{
    return mfn(m.v + n);
}

static inline maddr_t mfn_to_maddr(mfn_t m)
{
    return m.v << PAGE_SHIFT;
}

static inline mfn_t maddr_to_mfn(maddr_t a)
{
    return mfn(a >> PAGE_SHIFT);
}

/* PV guests write machine frame numbers into their page tables. */
static inline mfn_t gfn_to_mfn_pv(gfn_t g)
{
    return mfn(g.v);
}

#endif
