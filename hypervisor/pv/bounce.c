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
#include "x86/irqflags.h"
#include "x86/msr.h"
#include "x86/percpu.h"

#define GATE_MASKS_EVENTS 4 /* trap_info.flags bit 2 */

static const struct pv_nmi_hooks *nmi_hooks;

/* What a frame holds beside the guest's registers. */
struct frame_extra {
    unsigned int words; /* 0; 1, an error code; 4, ds es fs gs */
    uint64_t word[4];
};

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

/* The domain made it impossible: say why, and end it. */
static NOINLINE bool frame_refused(struct vcpu *v, const char *what, uint64_t rip,
                          uint64_t sp)
{
    const struct cpu_regs *regs = guest_regs();

    irq_enable(); /* a lone event is delivered with interrupts off */
    if (rip == 0 || !guest_range_ok(rip, 1)) {
        domain_crash(v->domain, VIGIL_DEATH_NO_TRAP_HANDLER,
                     "%s at rip 0x%lx: its handler at 0x%lx is no address",
                     what, (unsigned long)regs->rip, (unsigned long)rip);
    } else {
        domain_crash(v->domain, VIGIL_DEATH_BAD_STACK,
                     "frame for %s at 0x%lx cannot be written (rip 0x%lx)",
                     what, (unsigned long)sp, (unsigned long)regs->rip);
    }
    return false;
}

/*
 * Build the frame and divert; false: the domain has been crashed.  The words
 * go straight to the guest's stack, on the tables of its kernel.  Always
 * inlined: bounce() has a copy for each mode that was interrupted, and the one
 * for the kernel calls nothing.
 */
static ALWAYS_INLINE bool build_frame(struct vcpu *v, uint64_t rip,
                                      const struct frame_extra *extra,
                                      bool mask_events, const char *what,
                                      bool was_kernel)
{
    struct cpu_regs *regs = guest_regs();
    uint64_t sp = was_kernel ? regs->rsp : v->pv->kernel_sp;
    uint64_t at, cs, rflags, mask;

    sp = (sp & ~15UL) - (7 + extra->words) * sizeof(uint64_t);
    if (unlikely(rip == 0 || !guest_range_ok(rip, 1) ||
                 !guest_open(sp, (7 + extra->words) * sizeof(uint64_t)))) {
        return frame_refused(v, what, rip, sp);
    }
    at = sp;
    guest_store_or(at, regs->rcx, fault);
    guest_store_or(at + 8, regs->r11, fault);
    at += 16;
    for (unsigned int i = 0; i < extra->words; i++, at += 8) {
        guest_store_or(at, extra->word[i], fault);
    }
    guest_store_or(at, regs->rip, fault);
    mask = READ_ONCE(v->vcpu_info->evtchn_upcall_mask) & 1;
    cs = was_kernel ? regs->cs & ~3UL : regs->cs;
    guest_store_or(at + 8, cs | mask << 32, fault);
    rflags = regs->rflags & ~(RFLAGS_IF | RFLAGS_IOPL);
    rflags |= (mask ^ 1) << 9; /* RFLAGS_IF */
    if (unlikely((v->domain->vm_assist &
                  (1U << VMASST_TYPE_architectural_iopl)) != 0)) {
        rflags |= (uint64_t)v->pv->iopl << 12;
    }
    guest_store_or(at + 16, rflags, fault);
    guest_store_or(at + 24, regs->rsp, fault);
    guest_store_or(at + 32, regs->ss, fault);
    guest_close();
    divert(regs, rip, sp);
    if (mask_events) {
        v->vcpu_info->evtchn_upcall_mask = 1;
    }
    return true;

fault:
    guest_close();
    return frame_refused(v, what, rip, sp);
}

/* User mode calls its kernel: other GS base, other page tables. */
static void enter_kernel_mode(struct vcpu *v)
{
    v->pv->guest_kernel = true;
    this_cpu()->call_base = pv_call_base(v->domain);
    swapgs();
    pv_load_table(v->pv->guest_table);
}

static ALWAYS_INLINE bool bounce(struct vcpu *v, uint64_t rip,
                                 const struct frame_extra *extra,
                                 bool mask_events, const char *what)
{
    if (v->pv->guest_kernel) {
        return build_frame(v, rip, extra, mask_events, what, true);
    }
    enter_kernel_mode(v);
    return build_frame(v, rip, extra, mask_events, what, false);
}

static NOINLINE bool no_handler(struct vcpu *v, unsigned int vector,
                                uint32_t error_code)
{
    domain_crash(v->domain, VIGIL_DEATH_NO_TRAP_HANDLER,
                 "vector %u, error code 0x%x at rip 0x%lx, none registered",
                 vector, error_code, (unsigned long)guest_regs()->rip);
    return false;
}

/* A vector with an error code, and one without. */
static bool bounce_code(struct vcpu *v, const struct trap_info *t,
                        uint32_t error_code)
{
    const struct frame_extra code = {.words = 1, .word = {error_code}};

    return bounce(v, t->address, &code, (t->flags & GATE_MASKS_EVENTS) != 0,
                  "an exception");
}

static bool bounce_plain(struct vcpu *v, uint64_t rip, bool mask_events,
                         const char *what)
{
    const struct frame_extra none = {.words = 0};

    return bounce(v, rip, &none, mask_events, what);
}

static bool bounce_vector(struct vcpu *v, unsigned int vector,
                          uint32_t error_code)
{
    const struct trap_info *t = &v->pv->traps[vector];

    if (unlikely(t->address == 0)) {
        return no_handler(v, vector, error_code);
    }
    if (vector < 32 && ((EXC_HAS_ERROR_CODE >> vector) & 1) != 0) {
        return bounce_code(v, t, error_code);
    }
    return bounce_plain(v, t->address, (t->flags & GATE_MASKS_EVENTS) != 0,
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
    (void)bounce_plain(v, cb->rip, cb->mask_events, "a callback");
}

void pv_bounce_failsafe(struct vcpu *v)
{
    const struct cpu_regs *regs = guest_regs();
    struct frame_extra selectors = {.words = 4};

    if (v->pv->failsafe.rip == 0) {
        domain_crash(v->domain, VIGIL_DEATH_NO_FAILSAFE,
                     "cs 0x%x, ss 0x%x, rip 0x%lx cannot be loaded", regs->cs,
                     regs->ss, (unsigned long)regs->rip);
        return;
    }
    pv_save_segments(v);
    selectors.word[0] = v->pv->ds;
    selectors.word[1] = v->pv->es;
    selectors.word[2] = v->pv->fs;
    selectors.word[3] = v->pv->gs;
    (void)bounce(v, v->pv->failsafe.rip, &selectors,
                 v->pv->failsafe.mask_events, "failsafe");
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
        log_about(LOG_NOTICE, &v->domain->log, (int)v->vcpu_id,
                  "pv: no NMI handler: NMI dropped");
        return true;
    }
    if (nmi_hooks != NULL) {
        nmi_hooks->taken(v);
    }
    return deliver_async(v, EXC_NMI, VCPU_ASYNC_NMI);
}

void pv_deliver_event(struct vcpu *v)
{
    const struct frame_extra none = {.words = 0};

    (void)bounce(v, v->pv->event.rip, &none, true, "an event");
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
        pv_deliver_event(v);
    }
}
