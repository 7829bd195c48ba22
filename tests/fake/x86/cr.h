/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/cr.h - control and debug registers are variables.
 */
#ifndef VIGIL_FAKE_X86_CR_H
#define VIGIL_FAKE_X86_CR_H

/* The bit names are the real ones. */
#define VIGIL_RENAME(name) real_##name
#define read_cr0           VIGIL_RENAME(read_cr0)
#define read_cr2           VIGIL_RENAME(read_cr2)
#define read_cr3           VIGIL_RENAME(read_cr3)
#define read_cr4           VIGIL_RENAME(read_cr4)
#define write_cr0          VIGIL_RENAME(write_cr0)
#define write_cr2          VIGIL_RENAME(write_cr2)
#define write_cr3          VIGIL_RENAME(write_cr3)
#define write_cr4          VIGIL_RENAME(write_cr4)
#define read_dr0           VIGIL_RENAME(read_dr0)
#define read_dr1           VIGIL_RENAME(read_dr1)
#define read_dr2           VIGIL_RENAME(read_dr2)
#define read_dr3           VIGIL_RENAME(read_dr3)
#define read_dr6           VIGIL_RENAME(read_dr6)
#define read_dr7           VIGIL_RENAME(read_dr7)
#define write_dr0          VIGIL_RENAME(write_dr0)
#define write_dr1          VIGIL_RENAME(write_dr1)
#define write_dr2          VIGIL_RENAME(write_dr2)
#define write_dr3          VIGIL_RENAME(write_dr3)
#define write_dr6          VIGIL_RENAME(write_dr6)
#define write_dr7          VIGIL_RENAME(write_dr7)
#define clts               VIGIL_RENAME(clts)
#include "../../../hypervisor/x86/cr.h"
#undef read_cr0
#undef read_cr2
#undef read_cr3
#undef read_cr4
#undef write_cr0
#undef write_cr2
#undef write_cr3
#undef write_cr4
#undef read_dr0
#undef read_dr1
#undef read_dr2
#undef read_dr3
#undef read_dr6
#undef read_dr7
#undef write_dr0
#undef write_dr1
#undef write_dr2
#undef write_dr3
#undef write_dr6
#undef write_dr7
#undef clts

#include "fake_hw.h"

#define VIGIL_FAKE_REG(kind, n)                                                \
    static inline uint64_t read_##kind##n(void)                                \
    {                                                                          \
        return fake_##kind[n];                                                 \
    }                                                                          \
    static inline void write_##kind##n(uint64_t v)                             \
    {                                                                          \
        fake_##kind[n] = v;                                                    \
    }

VIGIL_FAKE_REG(cr, 0)
VIGIL_FAKE_REG(cr, 2)
VIGIL_FAKE_REG(cr, 3)
VIGIL_FAKE_REG(cr, 4)
VIGIL_FAKE_REG(dr, 0)
VIGIL_FAKE_REG(dr, 1)
VIGIL_FAKE_REG(dr, 2)
VIGIL_FAKE_REG(dr, 3)
VIGIL_FAKE_REG(dr, 6)
VIGIL_FAKE_REG(dr, 7)

static inline void clts(void)
{
    fake_cr[0] &= ~CR0_TS;
}

#endif
