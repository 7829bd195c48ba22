/* SPDX-License-Identifier: MIT */
/*
 * hypercall/domctl_vcpu.c - domctl: context, affinity and state of vcpus.
 *
 * Whoever reads or writes a running vcpu's registers pauses its domain first.
 */
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/layout.h"
#include "x86/msr_index.h"
#include "cpu/features.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/sched.h"
#include "pv/context.h"
#include "pv/fpu.h"
#include "pv/saved_msr.h"
#include "pv/vmca.h"
#include "hypercall/domctl.h"
#include "hypercall/xenctl_bitmap.h"

#define AFFINITY_BITS (8 * sizeof(cpumask_t))

/* Largest extended-state record anybody could have to give us. */
#define XSTATE_BYTES_MAX 0x10000UL

/* A context of at least that size says something of machine checks. */
#define EXT_VMCE_END (offsetof(struct xen_domctl_ext_vcpucontext, vmce) +      \
                      offsetof(struct hvm_vmce_vcpu, mcg_ext_ctl))

#define CONTEXT_ORDER 1
STATIC_ASSERT(sizeof(struct vcpu_guest_context) <= PAGE_SIZE << CONTEXT_ORDER,
              "vcpu context");

/* Room for a context, which its user fills as a whole: not zeroed. */
static struct vcpu_guest_context *context_alloc(void)
{
    struct frame *f = page_alloc(CONTEXT_ORDER, 0, PA_ANY_BITS);

    return f == NULL ? NULL : mfn_to_ptr(frame_mfn(f));
}

static void context_free(struct vcpu_guest_context *ctx)
{
    page_free(frame_of(ptr_to_mfn(ctx)), CONTEXT_ORDER);
}

static int64_t get_context(struct domain *d, struct vcpu *v, uint64_t va)
{
    struct vcpu_guest_context *ctx;
    int64_t rc;

    if (v == current) {
        return -EINVAL;
    }
    if (!v->is_initialised) {
        return -ENODATA;
    }
    ctx = context_alloc();
    if (ctx == NULL) {
        return -ENOMEM;
    }
    domain_pause(d);
    pv_vcpu_get_context(v, ctx);
    domain_unpause(d);
    rc = copy_to_guest(va, ctx, sizeof(*ctx));
    context_free(ctx);
    return rc;
}

static int64_t set_context(struct domain *d, struct vcpu *v, uint64_t va)
{
    struct vcpu_guest_context *ctx;
    int64_t rc;

    if (d == current->domain || domain_is_dying(d)) {
        return -EINVAL;
    }
    if (va == 0) {
        return -EOPNOTSUPP; /* resetting a vcpu */
    }
    ctx = context_alloc();
    if (ctx == NULL) {
        return -ENOMEM;
    }
    rc = copy_from_guest(ctx, va, sizeof(*ctx));
    if (rc == 0 && !pv_set_up_begin(v->pv)) {
        rc = -ERESTART; /* another vcpu of its domain is at it */
    }
    if (rc == 0) {
        domain_pause(d);
        rc = pv_vcpu_set_context(v, ctx, hypercall_should_stop);
        if (rc == 0 && (ctx->flags & VGCF_online) != 0) {
            vcpu_release(v, VCPU_HOLD_DOWN);
        } else if (rc == 0) {
            vcpu_hold(v, VCPU_HOLD_DOWN);
        }
        pv_set_up_end(v->pv);
        domain_unpause(d);
    }
    context_free(ctx);
    return rc;
}

static void get_info(struct vcpu *v, struct xen_domctl_getvcpuinfo *info)
{
    vcpu_runstate_info_t run;

    vcpu_runstate_get(v, &run);
    info->online = (v->hold & VCPU_HOLD_DOWN) == 0;
    info->blocked = (v->hold & VCPU_HOLD_BLOCKED) != 0;
    info->running = READ_ONCE(v->is_running);
    info->cpu_time = run.time[RUNSTATE_running];
    info->cpu = v->processor;
}

/*
 * What is asked for is stored, what it comes to on the processors there are is
 * written back.
 */
static int64_t set_affinity(struct vcpu *v,
                            const struct xen_domctl_vcpuaffinity *a)
{
    bool set_hard = (a->flags & XEN_VCPUAFFINITY_HARD) != 0;
    bool set_soft = (a->flags & XEN_VCPUAFFINITY_SOFT) != 0;
    cpumask_t hard = v->hard_affinity, soft = v->soft_affinity;
    cpumask_t effective = sched_cpus_used();
    int rc = 0;

    if (!set_hard && !set_soft) {
        return -EINVAL;
    }
    if (set_hard && v->pin_override) {
        return -EBUSY;
    }
    if (set_hard) {
        rc = xenctl_bitmap_in(&a->cpumap_hard, &hard, AFFINITY_BITS);
    }
    if (rc == 0 && set_soft) {
        rc = xenctl_bitmap_in(&a->cpumap_soft, &soft, AFFINITY_BITS);
    }
    if (rc == 0) {
        rc = sched_set_affinity(v, hard, soft);
    }
    effective &= hard;
    if (rc == 0 && set_hard) {
        rc = xenctl_bitmap_out(&a->cpumap_hard, &effective, AFFINITY_BITS);
    }
    effective &= soft;
    if (rc == 0 && set_soft) {
        rc = xenctl_bitmap_out(&a->cpumap_soft, &effective, AFFINITY_BITS);
    }
    return rc;
}

static int64_t get_affinity(const struct vcpu *v,
                            const struct xen_domctl_vcpuaffinity *a)
{
    cpumask_t hard = v->hard_affinity, soft = v->soft_affinity;
    int rc = 0;

    if ((a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) == 0) {
        return -EINVAL;
    }
    if ((a->flags & XEN_VCPUAFFINITY_HARD) != 0) {
        rc = xenctl_bitmap_out(&a->cpumap_hard, &hard, AFFINITY_BITS);
    }
    if (rc == 0 && (a->flags & XEN_VCPUAFFINITY_SOFT) != 0) {
        rc = xenctl_bitmap_out(&a->cpumap_soft, &soft, AFFINITY_BITS);
    }
    return rc;
}

static int64_t get_ext(const struct vcpu *v,
                       struct xen_domctl_ext_vcpucontext *e)
{
    const struct pv_vcpu *p = v->pv;

    e->size = sizeof(*e);
    e->syscall32_callback_eip = p->syscall32.rip;
    e->sysenter_callback_eip = p->sysenter.rip;
    e->syscall32_callback_cs = SEL_GUEST_CS64;
    e->sysenter_callback_cs = SEL_GUEST_CS64;
    e->syscall32_disables_events = p->syscall32.mask_events;
    e->sysenter_disables_events = p->sysenter.mask_events;
    e->vmce.caps = vmca_cap();
    e->vmce.mci_ctl2_bank0 = p->vmca.bank[0].ctl2;
    e->vmce.mci_ctl2_bank1 = p->vmca.bank[1].ctl2;
    e->vmce.mcg_ext_ctl = 0;
    return 0;
}

static int64_t set_ext(struct vcpu *v,
                       const struct xen_domctl_ext_vcpucontext *e)
{
    struct pv_vcpu *p = v->pv;
    bool has_vmce = e->size >= EXT_VMCE_END;

    if (v->domain == current->domain ||
        e->size < offsetof(struct xen_domctl_ext_vcpucontext, vmce) ||
        !guest_range_ok(e->syscall32_callback_eip, 1) ||
        !guest_range_ok(e->sysenter_callback_eip, 1)) {
        return -EINVAL;
    }
    /* It counts on what its processor had here. */
    if (has_vmce && (e->vmce.caps & ~(vmca_cap() | VMCA_CAP_COUNT)) != 0) {
        return -EPERM;
    }
    domain_pause(v->domain);
    p->syscall32 = (struct pv_callback){e->syscall32_callback_eip,
                                        e->syscall32_disables_events != 0};
    p->sysenter = (struct pv_callback){e->sysenter_callback_eip,
                                       e->sysenter_disables_events != 0};
    if (has_vmce) {
        /* As if it wrote them itself: what it may not set is dropped. */
        (void)!vmca_wrmsr(v, MSR_MC0_CTL2, e->vmce.mci_ctl2_bank0);
        (void)!vmca_wrmsr(v, MSR_MC0_CTL2 + 1, e->vmce.mci_ctl2_bank1);
    }
    domain_unpause(v->domain);
    return 0;
}

static int64_t get_xstate(struct vcpu *v, struct xen_domctl_vcpuextstate *x,
                          bool *ret_back)
{
    size_t bytes = pv_xstate_bytes();
    /* Without XSAVE there is nothing beyond the context; tools then go on. */
    uint64_t mask = bytes == 0 ? 0 : cpu_features.xcr0_mask;
    void *record;
    int64_t rc;

    if ((x->size == 0 && x->xfeature_mask == 0) || handle_is_null(x->buffer)) {
        x->size = bytes;
        x->xfeature_mask = mask;
        *ret_back = true;
        return 0;
    }
    if (x->size != bytes || x->xfeature_mask != mask || v == current) {
        return -EINVAL;
    }
    record = heap_alloc(bytes);
    if (record == NULL) {
        return -ENOMEM;
    }
    domain_pause(v->domain);
    rc = pv_xstate_get(v, record);
    domain_unpause(v->domain);
    if (rc == 0) {
        rc = copy_to_guest(handle_va(x->buffer), record, bytes);
    }
    heap_free(record);
    return rc;
}

static int64_t set_xstate(struct vcpu *v,
                          const struct xen_domctl_vcpuextstate *x)
{
    void *record;
    int64_t rc;

    if (v->domain == current->domain || x->size < PV_XSTATE_HEADER_BYTES ||
        x->size > XSTATE_BYTES_MAX) {
        return -EINVAL;
    }
    record = heap_alloc(x->size);
    if (record == NULL) {
        return -ENOMEM;
    }
    rc = copy_from_guest(record, handle_va(x->buffer), x->size);
    if (rc == 0) {
        domain_pause(v->domain);
        rc = pv_xstate_set(v, record, x->size);
        domain_unpause(v->domain);
    }
    heap_free(record);
    return rc;
}

static int64_t get_msrs(struct vcpu *v, struct xen_domctl_vcpu_msrs *m,
                        bool *ret_back)
{
    xen_domctl_vcpu_msr_t msr[SAVED_MSRS_MAX];
    unsigned int count;

    *ret_back = true;
    if (handle_is_null(m->msrs)) {
        m->msr_count = SAVED_MSRS_MAX;
        return 0;
    }
    if (v == current) {
        return -EINVAL;
    }
    memset(msr, 0, sizeof(msr));
    domain_pause(v->domain);
    count = saved_msrs_get(v, msr);
    domain_unpause(v->domain);
    if (count > m->msr_count) {
        m->msr_count = count;
        return -ENOBUFS;
    }
    m->msr_count = count;
    return copy_to_guest(handle_va(m->msrs), msr, count * sizeof(msr[0]));
}

static int64_t set_msrs(struct vcpu *v, struct xen_domctl_vcpu_msrs *m,
                        bool *ret_back)
{
    xen_domctl_vcpu_msr_t msr[SAVED_MSRS_MAX];
    int64_t rc;

    if (handle_is_null(m->msrs)) {
        m->msr_count = SAVED_MSRS_MAX;
        *ret_back = true;
        return 0;
    }
    if (v->domain == current->domain || m->msr_count > SAVED_MSRS_MAX) {
        return -EINVAL;
    }
    if (copy_from_guest(msr, handle_va(m->msrs),
                        m->msr_count * sizeof(msr[0])) != 0) {
        return -EFAULT;
    }
    domain_pause(v->domain);
    rc = saved_msrs_set(v, msr, m->msr_count);
    domain_unpause(v->domain);
    return rc;
}

static int64_t send_trigger(struct vcpu *v, uint32_t trigger)
{
    switch (trigger) {
    case XEN_DOMCTL_SENDTRIGGER_NMI:
        atomic_store(&v->nmi_pending, true); /* locked, for vcpu_kick() */
        vcpu_kick(v);
        return 0;
    case XEN_DOMCTL_SENDTRIGGER_POWER:
    case XEN_DOMCTL_SENDTRIGGER_SLEEP:
        return -EINVAL; /* buttons of hardware guests */
    default:
        return -ENOSYS;
    }
}

/* Number of the vcpu an operation names; false: none of these operations. */
static bool vcpu_named(const struct xen_domctl *op, uint32_t *ret_id)
{
    switch (op->cmd) {
    case XEN_DOMCTL_setvcpucontext:
    case XEN_DOMCTL_getvcpucontext:
        *ret_id = op->u.vcpucontext.vcpu;
        return true;
    case XEN_DOMCTL_getvcpuinfo:
        *ret_id = op->u.getvcpuinfo.vcpu;
        return true;
    case XEN_DOMCTL_setvcpuaffinity:
    case XEN_DOMCTL_getvcpuaffinity:
        *ret_id = op->u.vcpuaffinity.vcpu;
        return true;
    case XEN_DOMCTL_set_ext_vcpucontext:
    case XEN_DOMCTL_get_ext_vcpucontext:
        *ret_id = op->u.ext_vcpucontext.vcpu;
        return true;
    case XEN_DOMCTL_setvcpuextstate:
    case XEN_DOMCTL_getvcpuextstate:
        *ret_id = op->u.vcpuextstate.vcpu;
        return true;
    case XEN_DOMCTL_get_vcpu_msrs:
    case XEN_DOMCTL_set_vcpu_msrs:
        *ret_id = op->u.vcpu_msrs.vcpu;
        return true;
    case XEN_DOMCTL_sendtrigger:
        *ret_id = op->u.sendtrigger.vcpu;
        return true;
    default:
        return false;
    }
}

int64_t domctl_vcpu(struct domain *d, struct xen_domctl *op, bool *ret_back)
{
    struct vcpu *v;
    uint32_t id;

    if (!vcpu_named(op, &id)) {
        return DOMCTL_NOT_MINE;
    }
    v = domain_vcpu(d, id);
    /* The PV part of a domain goes when it is dead, and it may be. */
    if (v == NULL || v->pv == NULL) {
        return -ESRCH;
    }
    switch (op->cmd) {
    case XEN_DOMCTL_setvcpucontext:
        return set_context(d, v, handle_va(op->u.vcpucontext.ctxt));
    case XEN_DOMCTL_getvcpucontext:
        return get_context(d, v, handle_va(op->u.vcpucontext.ctxt));
    case XEN_DOMCTL_getvcpuinfo:
        get_info(v, &op->u.getvcpuinfo);
        *ret_back = true;
        return 0;
    case XEN_DOMCTL_setvcpuaffinity:
        return set_affinity(v, &op->u.vcpuaffinity);
    case XEN_DOMCTL_getvcpuaffinity:
        return get_affinity(v, &op->u.vcpuaffinity);
    case XEN_DOMCTL_get_ext_vcpucontext:
        *ret_back = true;
        return get_ext(v, &op->u.ext_vcpucontext);
    case XEN_DOMCTL_set_ext_vcpucontext:
        return set_ext(v, &op->u.ext_vcpucontext);
    case XEN_DOMCTL_getvcpuextstate:
        return get_xstate(v, &op->u.vcpuextstate, ret_back);
    case XEN_DOMCTL_setvcpuextstate:
        return set_xstate(v, &op->u.vcpuextstate);
    case XEN_DOMCTL_get_vcpu_msrs:
        return get_msrs(v, &op->u.vcpu_msrs, ret_back);
    case XEN_DOMCTL_set_vcpu_msrs:
        return set_msrs(v, &op->u.vcpu_msrs, ret_back);
    default: /* sendtrigger */
        return send_trigger(v, op->u.sendtrigger.trigger);
    }
}
