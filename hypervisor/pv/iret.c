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
#include "x86/msr.h"
#include "x86/percpu.h"

#define RFLAGS_GUEST                                                           \
    (RFLAGS_CF | RFLAGS_PF | (1UL << 4) | RFLAGS_ZF | (1UL << 7) | RFLAGS_TF | \
     RFLAGS_DF | (1UL << 11) | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_ID)

/* Leave the NMI and #MC handlers whose frames this iret pops. */
static NOINLINE void unmask_async(struct vcpu *v, uint64_t frame_rip_va, bool to_user)
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
static NOINLINE int64_t refuse_user(struct vcpu *v, uint64_t rip)
{
    domain_crash(v->domain, VIGIL_DEATH_NO_USER_TABLE,
                 "iret to user mode at 0x%lx, no user base pointer",
                 (unsigned long)rip);
    return 0;
}

static NOINLINE int64_t refuse_frame(struct vcpu *v, uint64_t va)
{
    domain_crash(v->domain, VIGIL_DEATH_BAD_IRET,
                 "iret frame at 0x%lx cannot be read", (unsigned long)va);
    return 0;
}

/* The last steps, apart, so that the others need no register kept. */
static NOINLINE int64_t go_to_user(struct vcpu *v, uint64_t rax)
{
    v->pv->guest_kernel = false;
    this_cpu()->call_base = CALL_BASE_NONE;
    swapgs();
    pv_load_table(v->pv->guest_table_user);
    if (unlikely(v->async_depth != 0)) {
        unmask_async(v, 0, true);
    }
    return (int64_t)rax;
}

static NOINLINE int64_t end_async(struct vcpu *v, uint64_t rax,
                                  uint64_t frame_rip_va)
{
    unmask_async(v, frame_rip_va, false);
    return (int64_t)rax;
}

#define FIELD(name) (va + offsetof(struct iret_context, name))

int64_t pv_iret(void)
{
    struct vcpu *v = current;
    struct cpu_regs *regs = guest_regs();
    uint64_t va = regs->rsp;
    uint64_t rax, word, rip, cs, rflags;
    unsigned int bad = 0;
    bool to_user;

    if (unlikely(!guest_open(va, sizeof(struct iret_context)))) {
        return refuse_frame(v, va);
    }
    /* A frame that is not there is found before any register changes. */
    guest_load(word, FIELD(ss), bad);
    guest_load(rax, FIELD(rax), bad);
    guest_load(rip, FIELD(rip), bad);
    guest_load(cs, FIELD(cs), bad);
    to_user = (cs & 3) == 3;
    if (unlikely(bad || (to_user && mfn_is_invalid(v->pv->guest_table_user)))) {
        guest_close();
        return bad ? refuse_frame(v, va) : refuse_user(v, rip);
    }
    regs->ss = (uint16_t)(word | 3);
    regs->rip = rip;
    regs->cs = (uint16_t)(cs | 3);
    guest_load(word, FIELD(rsp), bad);
    regs->rsp = word;
    guest_load(word, FIELD(flags), bad);
    if ((word & VGCF_in_syscall) == 0) {
        guest_load(word, FIELD(r11), bad);
        regs->r11 = word;
        guest_load(word, FIELD(rcx), bad);
        regs->rcx = word;
    }
    guest_load(rflags, FIELD(rflags), bad);
    guest_close();
    if (unlikely(bad)) {
        return refuse_frame(v, va);
    }
    regs->rflags = (rflags & RFLAGS_GUEST) | RFLAGS_IF | RFLAGS_FIXED;
    if (unlikely((v->domain->vm_assist &
                  (1U << VMASST_TYPE_architectural_iopl)) != 0)) {
        v->pv->iopl = (unsigned int)(rflags >> 12) & 3;
    }
    v->vcpu_info->evtchn_upcall_mask = (rflags & RFLAGS_IF) == 0;
    if (to_user) {
        return go_to_user(v, rax);
    }
    if (unlikely(v->async_depth != 0)) {
        return end_async(v, rax, FIELD(rip));
    }
    return (int64_t)rax;
}
