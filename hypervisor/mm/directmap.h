/* SPDX-License-Identifier: MIT */
/*
 * mm/directmap.h - machine address to pointer and back.
 * All RAM is mapped at DIRECTMAP_VA, writable, no execute; set up at boot.
 */
#ifndef VIGIL_MM_DIRECTMAP_H
#define VIGIL_MM_DIRECTMAP_H

#include "lib/frames.h"
#include "x86/layout.h"

static inline void *maddr_to_ptr(maddr_t a)
{
    return (void *)(DIRECTMAP_VA + a);
}

static inline void *mfn_to_ptr(mfn_t m)
{
    return maddr_to_ptr(mfn_to_maddr(m));
}

/* @p must point into the direct map or into the hypervisor image. */
static inline maddr_t ptr_to_maddr(const void *p)
{
    uint64_t va = (uint64_t)p;

    return va >= DIRECTMAP_VA ? va - DIRECTMAP_VA : va - HV_IMAGE_VA;
}

static inline mfn_t ptr_to_mfn(const void *p)
{
    return maddr_to_mfn(ptr_to_maddr(p));
}

#endif
