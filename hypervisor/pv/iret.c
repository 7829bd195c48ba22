/* SPDX-License-Identifier: MIT */
/*
 * pv/iret.c - the iret hypercall: the guest's kernel pops a frame through us.
 *
 * Stack at the call, low to high (public struct iret_context):
 *   rax r11 rcx flags rip cs rflags rsp ss
 * flags bit 8 (VGCF_in_syscall): rcx and r11 need not be restored.
 */
#include <vigil/vigil_op.h>

#include "pv/bounce.h"
#include "pv/guest_access.h"
#include "pv/switch.h"
#include "pv/vmca.h"
#include "x86/percpu.h"

#define RFLAGS_GUEST                                                           \
    (RFLAGS_CF | RFLAGS_PF | (1UL << 4) | RFLAGS_ZF | (1UL << 7) | RFLAGS_TF | \
     RFLAGS_DF | (1UL << 11) | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_ID)

/* Leave the NMI and #MC handlers whose frames this iret pops. */
static void unmask_async(struct vcpu *v, uint64_t frame_rip_va, bool to_user)
{
    uint32_t before = v->async_mask;

    while (v->async_depth != 0 &&
           (to_user || frame_rip_va >= v->pv->async_frame[v->async_depth - 1])) {
        v->async_depth--;
        v->async_mask = v->async_saved[v->async_depth];
    }
    if ((before & ~v->async_mask & VCPU_ASYNC_NMI) != 0) {
        pv_nmi_done(v);
    }
    if ((before & ~v->async_mask & VCPU_ASYNC_MCE) != 0 &&
        vmca_handler_done(v) != 0) {
        domain_crash(v->domain, VIGIL_DEATH_VMCE_OVERRUN,
                     "returned from its machine-check handler with MCG_STATUS "
                     "0x%lx while another error waits",
                     v->pv->vmca.mcg_status);
    }
}

/* Context: as pv_iret(). */
static int64_t refuse_frame(struct vcpu *v, uint64_t va)
{
    domain_crash(v->domain, VIGIL_DEATH_BAD_IRET,
                 "iret frame at 0x%lx cannot be read", (unsigned long)va);
    return 0;
}

int64_t pv_iret(struct vcpu *v)
{
    struct cpu_regs *regs = guest_regs();
    const uint64_t va = regs->rsp;
    struct iret_context f;
    unsigned int bad = 0;
    bool to_user;

    if (unlikely(!guest_open(va, sizeof(f)))) {
        return refuse_frame(v, va);
    }
    guest_load(f.rax, va + offsetof(struct iret_context, rax), bad);
    guest_load(f.r11, va + offsetof(struct iret_context, r11), bad);
    guest_load(f.rcx, va + offsetof(struct iret_context, rcx), bad);
    guest_load(f.flags, va + offsetof(struct iret_context, flags), bad);
    guest_load(f.rip, va + offsetof(struct iret_context, rip), bad);
    guest_load(f.cs, va + offsetof(struct iret_context, cs), bad);
    guest_load(f.rflags, va + offsetof(struct iret_context, rflags), bad);
    guest_load(f.rsp, va + offsetof(struct iret_context, rsp), bad);
    guest_load(f.ss, va + offsetof(struct iret_context, ss), bad);
    guest_close();
    if (unlikely(bad)) {
        return refuse_frame(v, va);
    }
    to_user = (f.cs & 3) == 3;
    if (to_user && pv_enter_user_mode(v) != 0) {
        domain_crash(v->domain, VIGIL_DEATH_NO_USER_TABLE,
                     "iret to user mode at 0x%lx, no user base pointer",
                     (unsigned long)f.rip);
        return 0;
    }
    regs->rip = f.rip;
    regs->cs = (uint16_t)(f.cs | 3);
    regs->rflags = (f.rflags & RFLAGS_GUEST) | RFLAGS_IF | RFLAGS_FIXED;
    regs->rsp = f.rsp;
    regs->ss = (uint16_t)(f.ss | 3);
    if ((f.flags & VGCF_in_syscall) == 0) {
        regs->r11 = f.r11;
        regs->rcx = f.rcx;
    }
    if (unlikely((v->domain->vm_assist &
                  (1U << VMASST_TYPE_architectural_iopl)) != 0)) {
        v->pv->iopl = (unsigned int)(f.rflags >> 12) & 3;
    }
    v->vcpu_info->evtchn_upcall_mask = (f.rflags & RFLAGS_IF) == 0;
    if (unlikely(v->async_depth != 0)) {
        unmask_async(v, va + offsetof(struct iret_context, rip), to_user);
    }
    return (int64_t)f.rax;
}
