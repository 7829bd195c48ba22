/* SPDX-License-Identifier: MIT */
/*
 * pv/context.c - vcpu_guest_context in and out (public arch-x86/xen.h).
 */
#include "pv/context.h"

#include "domain/shared_info.h"
#include "domain/vclock.h"
#include "domain/vtimer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "pv/ctrlreg.h"
#include "pv/debugreg.h"
#include "pv/descriptor.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/mmuext.h"
#include "pv/switch.h"
#include "x86/cr.h"
#include "x86/msr_index.h"

#define RFLAGS_KEPT                                                            \
    (RFLAGS_CF | RFLAGS_PF | (1UL << 4) | RFLAGS_ZF | (1UL << 7) | RFLAGS_TF | \
     RFLAGS_DF | (1UL << 11) | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_ID)

static mfn_t cr3_to_mfn(uint64_t cr3)
{
    return mfn(xen_cr3_to_pfn(cr3));
}

/* Does an initialised vcpu keep the tables it has? */
static bool same_tables(const struct vcpu *v,
                        const struct vcpu_guest_context *ctx)
{
    const struct pv_vcpu *p = v->pv;
    unsigned int i;

    if (!mfn_eq(cr3_to_mfn(ctx->ctrlreg[3]), p->guest_table) ||
        ctx->gdt_ents != p->gdt_ents || ctx->ldt_base != p->ldt_base ||
        ctx->ldt_ents != p->ldt_ents) {
        return false;
    }
    for (i = 0; i < (p->gdt_ents + 511) / 512; i++) {
        if (ctx->gdt_frames[i] != mfn_x(p->gdt_frames[i])) {
            return false;
        }
    }
    return true;
}

/*
 * What an earlier attempt left is replaced, also by nothing.  What is done when
 * this is interrupted costs little when it is asked for again.
 */
static int set_tables(struct vcpu *v, const struct vcpu_guest_context *ctx,
                      bool (*should_stop)(void))
{
    mfn_t frames[PV_GDT_FRAMES];
    unsigned int i;
    int rc;

    if (ctx->gdt_ents > PV_GDT_FRAMES * 512 || ctx->ldt_ents > 8192) {
        return -EINVAL;
    }
    for (i = 0; i < (ctx->gdt_ents + 511) / 512; i++) {
        frames[i] = mfn(ctx->gdt_frames[i]);
    }
    rc = pv_set_base_stop(v, cr3_to_mfn(ctx->ctrlreg[3]), should_stop);
    if (rc == 0) {
        /* x86-64: ctrlreg[1], if any, is the user-mode base. */
        rc = pv_set_user_base_stop(v, cr3_to_mfn(ctx->ctrlreg[1]),
                                   should_stop);
    }
    if (rc == 0) {
        rc = pv_set_gdt(v, frames, (unsigned int)ctx->gdt_ents);
    }
    if (rc != 0) {
        return rc;
    }
    v->pv->guest_kernel = (ctx->flags & VGCF_in_kernel) != 0;
    return pv_set_ldt(v, ctx->ldt_ents != 0 ? ctx->ldt_base : 0,
                      (unsigned int)ctx->ldt_ents);
}

/* CR4 comes first: DE decides what DR7 may say. */
static int set_debugregs(struct vcpu *v, const struct vcpu_guest_context *ctx)
{
    static const unsigned int regs[] = {0, 1, 2, 3, 6, 7};
    unsigned int i;

    pv_cr4_set(v, ctx->ctrlreg[4]);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        if (debugreg_set(v, regs[i], ctx->debugreg[regs[i]]) != 0) {
            return -EINVAL;
        }
    }
    return 0;
}

static int set_traps(struct pv_vcpu *p, const struct vcpu_guest_context *ctx)
{
    unsigned int i;
    int rc;

    for (i = 0; i < ARRAY_SIZE(ctx->trap_ctxt); i++) {
        const struct trap_info *t = &ctx->trap_ctxt[i];

        if (t->address == 0) {
            continue;
        }
        if (!guest_range_ok(t->address, 1)) {
            return -EINVAL;
        }
        rc = pv_set_trap(p, t);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static void set_regs(struct vcpu *v, const struct vcpu_guest_context *ctx)
{
    const struct cpu_user_regs *u = &ctx->user_regs;
    struct cpu_regs *r = &v->regs;

    *r = (struct cpu_regs){
        .r15 = u->r15, .r14 = u->r14, .r13 = u->r13, .r12 = u->r12,
        .rbp = u->rbp, .rbx = u->rbx, .r11 = u->r11, .r10 = u->r10,
        .r9 = u->r9,   .r8 = u->r8,   .rax = u->rax, .rcx = u->rcx,
        .rdx = u->rdx, .rsi = u->rsi, .rdi = u->rdi, .rip = u->rip,
        .rsp = u->rsp,
    };
    r->cs = (uint16_t)(u->cs | 3);
    r->ss = (uint16_t)(u->ss | 3);
    r->rflags = (u->rflags & RFLAGS_KEPT) | RFLAGS_IF | RFLAGS_FIXED;
    v->pv->ds = u->ds != 0 ? (uint16_t)(u->ds | 3) : 0;
    v->pv->es = u->es != 0 ? (uint16_t)(u->es | 3) : 0;
    v->pv->fs = u->fs != 0 ? (uint16_t)(u->fs | 3) : 0;
    v->pv->gs = u->gs != 0 ? (uint16_t)(u->gs | 3) : 0;
    v->pv->iopl = (unsigned int)(u->rflags >> 12) & 3;
}

static void set_misc(struct vcpu *v, const struct vcpu_guest_context *ctx)
{
    struct pv_vcpu *p = v->pv;

    p->guest_kernel = (ctx->flags & VGCF_in_kernel) != 0;
    p->kernel_ss = (uint16_t)(ctx->kernel_ss | 3);
    p->kernel_sp = ctx->kernel_sp;
    p->fs_base = ctx->fs_base;
    p->gs_base_kernel = ctx->gs_base_kernel;
    p->gs_base_user = ctx->gs_base_user;
    p->event = (struct pv_callback){ctx->event_callback_eip, true};
    p->failsafe = (struct pv_callback){
        ctx->failsafe_callback_eip,
        (ctx->flags & VGCF_failsafe_disables_events) != 0};
    p->syscall = (struct pv_callback){
        ctx->syscall_callback_eip,
        (ctx->flags & VGCF_syscall_disables_events) != 0};
    p->ts_set = (ctx->ctrlreg[0] & CR0_TS) != 0;
    if ((ctx->flags & VGCF_i387_valid) != 0) {
        pv_fpu_set_legacy(v, &ctx->fpu_ctxt);
    }
}

static bool addresses_ok(const struct vcpu_guest_context *ctx)
{
    return va_is_canonical(ctx->fs_base) &&
           va_is_canonical(ctx->gs_base_kernel) &&
           va_is_canonical(ctx->gs_base_user) &&
           va_is_canonical(ctx->user_regs.rip) &&
           guest_range_ok(ctx->event_callback_eip, 1) &&
           guest_range_ok(ctx->failsafe_callback_eip, 1) &&
           guest_range_ok(ctx->syscall_callback_eip, 1);
}

/* What a domain is told once, with its first vcpu. */
static void set_domain(struct domain *d, const struct vcpu_guest_context *ctx)
{
    d->vm_assist = (uint32_t)ctx->vm_assist & PV_ASSISTS;
    d->pv->ptwr_enabled =
        (ctx->vm_assist & (1UL << VMASST_TYPE_writable_pagetables)) != 0;
    spin_lock(&d->lock);
    vclock_update_wall(d);
    spin_unlock(&d->lock);
}

int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *ctx,
                        bool (*should_stop)(void))
{
    int rc = 0;

    if (!addresses_ok(ctx)) {
        return -EINVAL;
    }
    if (v->is_initialised && !same_tables(v, ctx)) {
        return -EOPNOTSUPP;
    }
    if (!v->is_initialised) {
        rc = set_tables(v, ctx, should_stop);
    }
    /* It would run on no tables at all. */
    if (rc == 0 && (ctx->flags & VGCF_in_kernel) == 0 &&
        mfn_is_invalid(v->pv->guest_table_user)) {
        rc = -EINVAL;
    }
    if (rc == 0) {
        rc = set_traps(v->pv, ctx);
    }
    if (rc == 0) {
        rc = set_debugregs(v, ctx);
    }
    if (rc != 0) {
        return rc;
    }
    set_regs(v, ctx);
    set_misc(v, ctx);
    if (!v->is_initialised) {
        if (v->vcpu_id == 0) {
            set_domain(v->domain, ctx);
        }
        vclock_update_vcpu(v);
        vtimer_set_periodic(v, 10000000);
        v->is_initialised = true;
    }
    return 0;
}

void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *ret_ctx)
{
    struct cpu_user_regs *u = &ret_ctx->user_regs;
    const struct cpu_regs *r = vcpu_regs(v);
    struct pv_vcpu *p = v->pv;
    unsigned int i;

    pv_save_segments(v);
    memset(ret_ctx, 0, sizeof(*ret_ctx));
    /* The two structures agree up to ss. */
    memcpy(u, r, sizeof(*r));
    /* A domain that has given everything up has no vcpu_info left. */
    u->saved_upcall_mask = v->domain->shared_info != NULL
                               ? v->vcpu_info->evtchn_upcall_mask
                               : 1;
    u->rflags = (r->rflags & ~(RFLAGS_IF | RFLAGS_IOPL)) |
                (u->saved_upcall_mask ? 0 : RFLAGS_IF) |
                (uint64_t)p->iopl << 12;
    u->ds = p->ds;
    u->es = p->es;
    u->fs = p->fs;
    u->gs = p->gs;
    ret_ctx->flags = VGCF_i387_valid | (p->guest_kernel ? VGCF_in_kernel : 0) |
                     ((v->hold & VCPU_HOLD_DOWN) == 0 ? VGCF_online : 0) |
                     (p->syscall.mask_events ? VGCF_syscall_disables_events
                                             : 0) |
                     (p->failsafe.mask_events ? VGCF_failsafe_disables_events
                                              : 0);
    pv_fpu_get_legacy(v, &ret_ctx->fpu_ctxt);
    memcpy(ret_ctx->trap_ctxt, p->traps, sizeof(ret_ctx->trap_ctxt));
    ret_ctx->ldt_base = p->ldt_base;
    ret_ctx->ldt_ents = p->ldt_ents;
    ret_ctx->gdt_ents = p->gdt_ents;
    for (i = 0; i < (p->gdt_ents + 511) / 512; i++) {
        ret_ctx->gdt_frames[i] = mfn_x(p->gdt_frames[i]);
    }
    ret_ctx->kernel_ss = p->kernel_ss;
    ret_ctx->kernel_sp = p->kernel_sp;
    ret_ctx->ctrlreg[0] = CR0_PE | CR0_PG | (p->ts_set ? CR0_TS : 0);
    if (!mfn_is_invalid(p->guest_table)) {
        ret_ctx->ctrlreg[3] = xen_pfn_to_cr3(mfn_x(p->guest_table));
    }
    if (!mfn_is_invalid(p->guest_table_user)) {
        ret_ctx->ctrlreg[1] =
            xen_pfn_to_cr3(mfn_x(p->guest_table_user));
    }
    ret_ctx->ctrlreg[4] = p->cr4;
    memcpy(ret_ctx->debugreg, p->dr, sizeof(p->dr));
    ret_ctx->debugreg[6] = p->dr6;
    ret_ctx->debugreg[7] = p->dr7 | p->dr7_emul;
    ret_ctx->event_callback_eip = p->event.rip;
    ret_ctx->failsafe_callback_eip = p->failsafe.rip;
    ret_ctx->syscall_callback_eip = p->syscall.rip;
    ret_ctx->vm_assist = v->domain->vm_assist;
    ret_ctx->fs_base = p->fs_base;
    ret_ctx->gs_base_kernel = p->gs_base_kernel;
    ret_ctx->gs_base_user = p->gs_base_user;
}
