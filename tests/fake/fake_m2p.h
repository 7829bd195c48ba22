/* SPDX-License-Identifier: MIT */
/*
 * fake_m2p - the machine-to-phys table as a plain array.
 */
#ifndef VIGIL_TESTS_FAKE_M2P_H
#define VIGIL_TESTS_FAKE_M2P_H

#include "lib/frames.h"

#define FAKE_M2P_FRAMES (64UL << 20 >> 12)

extern uint64_t fake_m2p[FAKE_M2P_FRAMES];

#endif
