/* SPDX-License-Identifier: MIT */
/*
 * fake_image.h - included before everything in test_hvmap: the image lies
 * below the direct map, as on the machine.
 */
#ifndef VIGIL_TESTS_FAKE_IMAGE_H
#define VIGIL_TESTS_FAKE_IMAGE_H

#include "x86/layout.h"

#undef HV_IMAGE_VA
#define HV_IMAGE_VA VA(0x1f0080000000)

#endif
