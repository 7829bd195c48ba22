/* SPDX-License-Identifier: MIT */
/*
 * x86/image.h - where the hypervisor's image lies (symbols of vigil.lds.S).
 */
#ifndef VIGIL_X86_IMAGE_H
#define VIGIL_X86_IMAGE_H

#include "lib/types.h"

extern const char __image_start[];
extern const char __text_end[];
extern const char __init_start[];
extern const char __init_text_end[];

static inline uint64_t image_start(void)
{
    return (uintptr_t)__image_start;
}

/* First address after the code. */
static inline uint64_t image_text_end(void)
{
    return (uintptr_t)__text_end;
}

/* The code only boot needs, until hvmap_drop_init(). */
static inline uint64_t image_init_start(void)
{
    return (uintptr_t)__init_start;
}

static inline uint64_t image_init_text_end(void)
{
    return (uintptr_t)__init_text_end;
}

#endif
