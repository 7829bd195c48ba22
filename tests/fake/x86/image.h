/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/image.h - the image is an array the test may move.
 */
#ifndef VIGIL_FAKE_X86_IMAGE_H
#define VIGIL_FAKE_X86_IMAGE_H

#include "lib/types.h"

extern uint64_t fake_image_start, fake_image_text_end;
extern uint64_t fake_image_init_start, fake_image_init_text_end;

static inline uint64_t image_start(void)
{
    return fake_image_start;
}

static inline uint64_t image_text_end(void)
{
    return fake_image_text_end;
}

static inline uint64_t image_init_start(void)
{
    return fake_image_init_start;
}

static inline uint64_t image_init_text_end(void)
{
    return fake_image_init_text_end;
}

#endif
