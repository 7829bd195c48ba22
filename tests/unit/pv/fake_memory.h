/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/pv/fake_memory.h - included before everything when page-type
 * code is built for the host: the frame table and the direct map lie where a
 * program can have memory.
 */
#ifndef VIGIL_TESTS_FAKE_MEMORY_H
#define VIGIL_TESTS_FAKE_MEMORY_H

#include "../../../hypervisor/x86/layout.h"

#undef FRAMETABLE_VA
#undef DIRECTMAP_VA
#undef DIRECTMAP_VA_END
#define FRAMETABLE_VA    VA(0x200000000000)
#define DIRECTMAP_VA     VA(0x210000000000)
#define DIRECTMAP_VA_END VA(0x220000000000)

#endif
