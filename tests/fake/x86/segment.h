/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/segment.h - selectors are variables: a process that loads its
 * own loses what the compiler's library keeps behind FS.
 */
#ifndef VIGIL_FAKE_X86_SEGMENT_H
#define VIGIL_FAKE_X86_SEGMENT_H

#define read_ds      real_read_ds
#define read_es      real_read_es
#define read_fs      real_read_fs
#define read_gs      real_read_gs
#define load_ds_safe real_load_ds_safe
#define load_es_safe real_load_es_safe
#define load_fs_safe real_load_fs_safe
#define load_gs_safe real_load_gs_safe
#include "../../../hypervisor/x86/segment.h"
#undef read_ds
#undef read_es
#undef read_fs
#undef read_gs
#undef load_ds_safe
#undef load_es_safe
#undef load_fs_safe
#undef load_gs_safe

#include "fake_hw.h"

#define VIGIL_FAKE_SEG(s, n)                                                   \
    static inline uint16_t read_##s(void)                                      \
    {                                                                          \
        return fake_selector[n];                                               \
    }                                                                          \
    static inline int load_##s##_safe(uint16_t v)                              \
    {                                                                          \
        fake_selector[n] = v;                                                  \
        return 0;                                                              \
    }

VIGIL_FAKE_SEG(ds, 0)
VIGIL_FAKE_SEG(es, 1)
VIGIL_FAKE_SEG(fs, 2)
VIGIL_FAKE_SEG(gs, 3)

#endif
