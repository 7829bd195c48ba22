/* SPDX-License-Identifier: MIT */
/*
 * x86/segment.h - descriptors, gates, descriptor-table registers, selectors.
 */
#ifndef VIGIL_X86_SEGMENT_H
#define VIGIL_X86_SEGMENT_H

#include "lib/types.h"
#include "x86/fixup.h"

struct gate {
    uint16_t offset_lo, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_hi, reserved;
};

#define GATE_INTERRUPT 0x8e /* present, DPL 0, interrupt gate */
#define GATE_DPL3 0x60

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void lgdt(const struct table_register *r)
{
    asm volatile("lgdt %0" : : "m"(*r) : "memory");
}

static inline void lidt(const struct table_register *r)
{
    asm volatile("lidt %0" : : "m"(*r) : "memory");
}

static inline void lldt(uint16_t sel)
{
    asm volatile("lldt %0" : : "r"(sel) : "memory");
}

static inline void ltr(uint16_t sel)
{
    asm volatile("ltr %0" : : "r"(sel) : "memory");
}

#define VIGIL_DEFINE_SEG(s)                                                    \
    static inline uint16_t read_##s(void)                                      \
    {                                                                          \
        uint16_t v;                                                            \
        asm volatile("mov %%" #s ", %0" : "=r"(v));                            \
        return v;                                                              \
    }                                                                          \
    /* 0, or -1 when the selector faults (the register then holds 0). */      \
    static inline int load_##s##_safe(uint16_t v)                              \
    {                                                                          \
        int rc;                                                                \
        asm volatile(INSN_OR_FIXUP("mov %k[v], %%" #s,                         \
                                   "xor %k[v], %k[v]; mov %k[v], %%" #s)       \
                     : [rc] "=&r"(rc), [v] "+r"(v));                           \
        return rc;                                                             \
    }

VIGIL_DEFINE_SEG(ds)
VIGIL_DEFINE_SEG(es)
VIGIL_DEFINE_SEG(fs)
VIGIL_DEFINE_SEG(gs)

/* Load cs by a far return, and ss, ds, es, fs, gs with @data. */
static inline void cpu_reload_segments(uint16_t code, uint16_t data)
{
    asm volatile("pushq %q0\n"
                 "leaq 1f(%%rip), %%rax\n"
                 "pushq %%rax\n"
                 "lretq\n"
                 "1: mov %k1, %%ss\n"
                 "mov %k1, %%ds\n"
                 "mov %k1, %%es\n"
                 "mov %k1, %%fs\n"
                 "mov %k1, %%gs\n"
                 :
                 : "r"((uint64_t)code), "r"((uint32_t)data)
                 : "rax", "memory");
}

#define SEL_RIGHTS_L (1U << 21) /* 64-bit code segment */

/* Access rights of a selector as LAR gives them; false: no such segment. */
static inline bool selector_rights(uint16_t sel, uint32_t *ret_rights)
{
    uint32_t rights;
    bool ok;

    asm volatile("lar %k2, %0"
                 : "=r"(rights), "=@ccz"(ok)
                 : "r"((uint32_t)sel));
    *ret_rights = rights;
    return ok;
}

static inline void swapgs(void)
{
    asm volatile("swapgs" : : : "memory");
}

#endif
