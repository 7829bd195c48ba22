/* SPDX-License-Identifier: MIT */
/*
 * pv/bounce.c - frames on the guest's stack.
 *
 * Low to high address, the top aligned to 16 before:
 *
 *   rcx  r11  [ds es fs gs]  [error code]  rip  cs|mask<<32  rflags  rsp  ss
 *
 * ds..gs only for the failsafe callback.  cs has RPL 0 when the guest's
 * kernel was interrupted.  rflags.IF is the inverse of the upcall mask.
 * (ABI: public arch-x86/xen-x86_64.h and docs/abi.md, "bounce frame")
 */
#include "pv/bounce.h"

#include <vigil/vigil_op.h>

#include "domain/shared_info.h"
#include "lib/string.h"
#include "log/printk.h"
#include "pv/guest_access.h"
#include "pv/switch.h"
#include "x86/exc.h"
#include "x86/percpu.h"

#define GATE_MASKS_EVENTS 4 /* trap_info.flags bit 2 */

#define FRAME_WORDS_MAX 12

static const struct pv_nmi_hooks *nmi_hooks;

struct frame_builder {
    uint64_t word[FRAME_WORDS_MAX];
    unsigned int used;
};

static void push_word(struct frame_builder *b, uint64_t v)
{
    b->word[b->used++] = v;
}

/* Selectors loaded into a fresh frame's target, flags cleared. */
static void divert(struct cpu_regs *regs, uint64_t rip, uint64_t rsp)
{
    regs->rip = rip;
    regs->rsp = rsp;
    regs->cs = SEL_GUEST_CS64;
    regs->ss = SEL_GUEST_DS;
    regs->rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM |
                      RFLAGS_AC | RFLAGS_IOPL);
    regs->rflags |= RFLAGS_IF;
}

/* rip cs rflags rsp ss of the interrupted context. */
static void push_hardware_part(struct frame_builder *b, const struct vcpu *v,
                               const struct cpu_regs *regs, bool was_kernel)
{
    uint8_t mask = READ_ONCE(v->vcpu_info->evtchn_upcall_mask) & 1;
    uint64_t cs = was_kernel ? regs->cs & ~3U : regs->cs;
    uint64_t rflags = regs->rflags & ~(RFLAGS_IF | RFLAGS_IOPL);

    if (mask == 0) {
        rflags |= RFLAGS_IF;
    }
    if ((v->domain->vm_assist & (1U << VMASST_TYPE_architectural_iopl)) != 0) {
        rflags |= (uint64_t)v->pv->iopl << 12;
    }
    push_word(b, regs->rip);
    push_word(b, cs | (uint64_t)mask << 32);
    push_word(b, rflags);
    push_word(b, regs->rsp);
    push_word(b, regs->ss);
}

/* Write the frame and divert; false: the domain has been crashed. */
static bool deliver(struct vcpu *v, const struct frame_builder *b,
                    uint64_t rip, bool was_kernel, const char *what)
{
    struct cpu_regs *regs = guest_regs();
    uint64_t top = was_kernel ? regs->rsp : v->pv->kernel_sp;
    uint64_t sp = (top & ~15UL) - b->used * sizeof(uint64_t);

    if (copy_to_guest(sp, b->word, b->used * sizeof(uint64_t)) != 0) {
        domain_crash(v->domain, VIGIL_DEATH_BAD_STACK,
                     "frame for %s at 0x%lx cannot be written (rip 0x%lx)",
                     what, (unsigned long)sp, (unsigned long)regs->rip);
        return false;
    }
    divert(regs, rip, sp);
    return true;
}

static bool bounce(struct vcpu *v, uint64_t rip, bool has_error_code,
                   uint32_t error_code, bool mask_events, const char *what)
{
    struct cpu_regs *regs = guest_regs();
    struct frame_builder b = {.used = 0};
    bool was_kernel = v->pv->guest_kernel;

    if (rip == 0 || !guest_range_ok(rip, 1)) {
        domain_crash(v->domain, VIGIL_DEATH_NO_TRAP_HANDLER,
                     "%s at rip 0x%lx: its handler at 0x%lx is no address", what,
                     (unsigned long)regs->rip, (unsigned long)rip);
        return false;
    }
    push_word(&b, regs->rcx);
    push_word(&b, regs->r11);
    if (has_error_code) {
        push_word(&b, error_code);
    }
    push_hardware_part(&b, v, regs, was_kernel);
    pv_enter_kernel_mode(v);
    if (!deliver(v, &b, rip, was_kernel, what)) {
        return false;
    }
    if (mask_events) {
        v->vcpu_info->evtchn_upcall_mask = 1;
    }
    return true;
}

static bool bounce_vector(struct vcpu *v, unsigned int vector,
                          uint32_t error_code)
{
    const struct trap_info *t = &v->pv->traps[vector];

    if (t->address == 0) {
        domain_crash(v->domain, VIGIL_DEATH_NO_TRAP_HANDLER,
                     "vector %u, error code 0x%x at rip 0x%lx, none registered",
                     vector, error_code, (unsigned long)guest_regs()->rip);
        return false;
    }
    return bounce(v, t->address,
                  vector < 32 && ((EXC_HAS_ERROR_CODE >> vector) & 1) != 0,
                  error_code, (t->flags & GATE_MASKS_EVENTS) != 0,
                  "an exception");
}

void pv_bounce_trap(struct vcpu *v, unsigned int vector, uint32_t error_code)
{
    (void)bounce_vector(v, vector & 0xff, error_code);
}

void pv_bounce_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code)
{
    v->vcpu_info->arch.cr2 = addr;
    /* Both modes run at CPL 3; the guest wants to know which it was. */
    error_code &= ~PFEC_USER;
    if (!v->pv->guest_kernel) {
        error_code |= PFEC_USER;
    }
    (void)bounce_vector(v, EXC_PF, error_code);
}

void pv_bounce_callback(struct vcpu *v, const struct pv_callback *cb)
{
    (void)bounce(v, cb->rip, false, 0, cb->mask_events, "a callback");
}

void pv_bounce_failsafe(struct vcpu *v)
{
    struct cpu_regs *regs = guest_regs();
    struct frame_builder b = {.used = 0};
    bool was_kernel = v->pv->guest_kernel;

    if (v->pv->failsafe.rip == 0) {
        domain_crash(v->domain, VIGIL_DEATH_NO_FAILSAFE,
                     "cs 0x%x, ss 0x%x, rip 0x%lx cannot be loaded", regs->cs,
                     regs->ss, (unsigned long)regs->rip);
        return;
    }
    pv_save_segments(v);
    push_word(&b, regs->rcx);
    push_word(&b, regs->r11);
    push_word(&b, v->pv->ds);
    push_word(&b, v->pv->es);
    push_word(&b, v->pv->fs);
    push_word(&b, v->pv->gs);
    push_hardware_part(&b, v, regs, was_kernel);
    pv_enter_kernel_mode(v);
    if (deliver(v, &b, v->pv->failsafe.rip, was_kernel, "failsafe") &&
        v->pv->failsafe.mask_events) {
        v->vcpu_info->evtchn_upcall_mask = 1;
    }
}

/* NMI and #MC mask themselves until the iret from this very frame. */
static bool deliver_async(struct vcpu *v, unsigned int vector, uint32_t bit)
{
    uint32_t before = v->async_mask;

    if (!bounce_vector(v, vector, 0)) {
        return false;
    }
    if (v->async_depth < ARRAY_SIZE(v->async_saved)) {
        v->async_saved[v->async_depth] = before;
        /* rcx and r11 lie below rip */
        v->pv->async_frame[v->async_depth] = guest_regs()->rsp + 16;
        v->async_depth++;
    }
    v->async_mask = before | bit;
    return true;
}

void pv_plug_nmi_hooks(const struct pv_nmi_hooks *hooks)
{
    nmi_hooks = hooks;
}

void pv_nmi_done(struct vcpu *v)
{
    if (nmi_hooks != NULL) {
        nmi_hooks->done(v);
    }
}

/* False: the domain has been crashed. */
static bool deliver_nmi(struct vcpu *v)
{
    v->nmi_pending = false;
    if (v->pv->traps[EXC_NMI].address == 0) {
        /* Optional for a guest, unlike a handler for its exceptions. */
        pr_notice("pv: d%uv%u has no NMI handler: NMI dropped",
                  v->domain->domid, v->vcpu_id);
        return true;
    }
    if (nmi_hooks != NULL) {
        nmi_hooks->taken(v);
    }
    return deliver_async(v, EXC_NMI, VCPU_ASYNC_NMI);
}

void pv_deliver_pending(struct vcpu *v)
{
    if (v->mce_pending && (v->async_mask & VCPU_ASYNC_MCE) == 0) {
        v->mce_pending = false;
        if (!deliver_async(v, EXC_MC, VCPU_ASYNC_MCE)) {
            return;
        }
    }
    if (v->nmi_pending &&
        (v->async_mask & (VCPU_ASYNC_NMI | VCPU_ASYNC_MCE)) == 0 &&
        !deliver_nmi(v)) {
        return;
    }
    if (READ_ONCE(v->vcpu_info->evtchn_upcall_pending) != 0 &&
        READ_ONCE(v->vcpu_info->evtchn_upcall_mask) == 0) {
        (void)bounce(v, v->pv->event.rip, false, 0, true, "an event");
    }
}
