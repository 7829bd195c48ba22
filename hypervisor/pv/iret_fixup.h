/* SPDX-License-Identifier: MIT */
/*
 * pv/iret_fixup.h - finish an iretq or lretq that QEMU's TCG refuses.
 *
 * The TCG of QEMU 7.2 performs the stack reads of iretq and lretq as supervisor
 * accesses even at CPL 3.  With SMAP on they fault on the guest's (user)
 * pages: #PF with error code 1 (present, not user) from CPL 3, a combination
 * hardware never reports.  Linux's early code executes one such iretq.  The
 * fault is recognised and the instruction finished here.
 */
#ifndef VIGIL_PV_IRET_FIXUP_H
#define VIGIL_PV_IRET_FIXUP_H

#include "lib/compiler.h"
#include "x86/regs.h"
#include "domain/vcpu.h"

enum far_return {
    FAR_RETURN_NONE,
    FAR_RETURN_IRETQ, /* 48 cf */
    FAR_RETURN_LRETQ, /* 48 cb */
};

/**
 * iret_fixup_matches() - is this the fault hardware never reports?
 * @regs:       frame of the fault
 * @error_code: of the #PF
 *
 * Context: any.
 * Return:  true: present, not user, read, no fetch - yet from CPL 3
 */
bool iret_fixup_matches(const struct cpu_regs *regs, uint32_t error_code);

/**
 * iret_fixup_decode() - which instruction is it?
 * @bytes: instruction bytes, from the guest
 * @count: how many
 *
 * Context: any.
 * Return:  see enum far_return
 */
enum far_return iret_fixup_decode(const uint8_t *bytes, size_t count);

/* What lies on the stack: lretq has the first two, then rsp and ss. */
struct iret_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

/**
 * iret_fixup_apply() - finish the return
 * @regs:  registers of the guest; changed only with true
 * @kind:  which instruction
 * @frame: words read from the guest's stack
 *
 * What a real iretq at CPL 3 does: selectors must have RPL 3 (0 is raised:
 * hardware would refuse, the ABI does not) and not be the hypervisor's; IF,
 * IOPL, VM, VIF and VIP are kept; rip must be canonical and outside the
 * hypervisor's hole.
 * Context: any.
 * Return:  true; false: the frame is bad, bounce #GP
 */
bool iret_fixup_apply(struct cpu_regs *regs, enum far_return kind,
                      const struct iret_frame *frame) MUST_CHECK;

/**
 * pv_finish_smap_iret() - offered every guest #PF
 * @v:          the current vcpu
 * @regs:       its frame
 * @addr:       CR2
 * @error_code: of the #PF
 *
 * Context: exception path of the current vcpu.
 * Return:  true: the instruction is done, resume the guest; false: some
 *          other fault
 */
bool pv_finish_smap_iret(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                         uint32_t error_code) MUST_CHECK;

#endif
