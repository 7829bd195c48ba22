/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/layout.h - the memory map, with the frame table and the
 * direct map where a program may have them (tests/fake/fake_machine.h).
 */
#ifndef VIGIL_FAKE_X86_LAYOUT_H
#define VIGIL_FAKE_X86_LAYOUT_H

#include "../../../hypervisor/x86/layout.h"

#undef FRAMETABLE_VA
#undef DIRECTMAP_VA
#undef DIRECTMAP_VA_END
#define DIRECTMAP_VA     VA(0x200000000000)
#define DIRECTMAP_VA_END VA(0x250000000000)
#define FRAMETABLE_VA    VA(0x260000000000)

#endif
