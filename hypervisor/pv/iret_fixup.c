/* SPDX-License-Identifier: MIT */
/*
 * pv/iret_fixup.c - finish an iretq or lretq that QEMU's TCG refuses.
 */
#include "pv/iret_fixup.h"

#include "x86/exc.h"
#include "x86/layout.h"
#include "x86/page.h"
#include "pv/guest_access.h"
#include "pv/privop.h"

/* Flags iretq changes at CPL 3 with IOPL 0: all but IF, IOPL, VM, VIF, VIP. */
#define IRET_FLAGS_CPL3 0x254dd5UL

#define SELECTOR_TI 4U

bool iret_fixup_matches(const struct cpu_regs *regs, uint32_t error_code)
{
    return regs_from_guest(regs) && error_code == PFEC_PRESENT;
}

enum far_return iret_fixup_decode(const uint8_t *bytes, size_t count)
{
    if (count < 2 || bytes[0] != 0x48) {
        return FAR_RETURN_NONE;
    }
    switch (bytes[1]) {
    case 0xcf:
        return FAR_RETURN_IRETQ;
    case 0xcb:
        return FAR_RETURN_LRETQ;
    default:
        return FAR_RETURN_NONE;
    }
}

/*
 * A selector the guest may load at ring 3.  Its own descriptors are checked
 * by the processor when the hypervisor returns; in the reserved part of the
 * GDT only the flat guest segments are its.
 */
static bool selector_is_allowed(uint16_t sel, bool is_code)
{
    if ((sel & ~3U) == 0) {
        return false;
    }
    if ((sel & SELECTOR_TI) != 0 || sel < GDT_FIRST_RESERVED_ENTRY * 8) {
        return true;
    }
    return is_code ? sel == SEL_GUEST_CS64 || sel == SEL_GUEST_CS32
                   : sel == SEL_GUEST_DS;
}

static bool rip_is_allowed(uint64_t rip)
{
    return va_is_canonical(rip) && (rip < HV_HOLE_START || rip >= HV_HOLE_END);
}

bool iret_fixup_apply(struct cpu_regs *regs, enum far_return kind,
                      const struct iret_frame *frame)
{
    uint16_t cs = (uint16_t)frame->cs | 3;
    uint16_t ss = (uint16_t)frame->ss | 3;

    if (kind == FAR_RETURN_NONE || !selector_is_allowed(cs, true) ||
        !rip_is_allowed(frame->rip)) {
        return false;
    }
    if (kind == FAR_RETURN_IRETQ) {
        if (!selector_is_allowed(ss, false)) {
            return false;
        }
        regs->rflags = (regs->rflags & ~IRET_FLAGS_CPL3) |
                       (frame->rflags & IRET_FLAGS_CPL3) | RFLAGS_FIXED;
        regs->rsp = frame->rsp;
        regs->ss = ss;
    } else {
        regs->rsp += 2 * sizeof(uint64_t);
    }
    regs->rip = frame->rip;
    regs->cs = cs;
    return true;
}

bool pv_finish_smap_iret(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                         uint32_t error_code)
{
    struct iret_frame frame = {0};
    enum far_return kind;
    uint8_t bytes[2];
    size_t words;

    (void)v;
    if (!iret_fixup_matches(regs, error_code) || !privop_in_long_mode(regs) ||
        copy_from_guest(bytes, regs->rip, sizeof(bytes)) != 0) {
        return false;
    }
    kind = iret_fixup_decode(bytes, sizeof(bytes));
    if (kind == FAR_RETURN_NONE) {
        return false;
    }
    words = kind == FAR_RETURN_IRETQ ? 5 : 2;
    if (addr - regs->rsp >= words * sizeof(uint64_t) ||
        copy_from_guest(&frame, regs->rsp, words * sizeof(uint64_t)) != 0) {
        return false;
    }
    return iret_fixup_apply(regs, kind, &frame);
}
