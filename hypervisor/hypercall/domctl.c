/* SPDX-License-Identifier: MIT */
/*
 * hypercall/domctl.c - HYPERVISOR_domctl(op), control domain only.
 *
 * Here: the envelope, and what only tells or is refused.  The work is in
 * domctl_life.c, domctl_vcpu.c and domctl_setup.c; docs/abi.md lists all.
 *
 * Return:  0; -EACCES wrong interface version; -EFAULT; -ESRCH no such domain
 *          or vcpu; -EINVAL malformed or not on the caller itself; -EOPNOTSUPP
 *          known, not offered; -ENOSYS no such operation; others as the
 *          groups say
 */
#include "hypercall/domctl.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "log/printk.h"
#include "cpu/features.h"
#include "domain/account.h"
#include "domain/vcpu.h"
#include "pv/pagetype.h"

STATIC_ASSERT(sizeof(struct xen_domctl) == 144, "domctl");
STATIC_ASSERT(sizeof(struct xen_domctl_createdomain) == 64, "createdomain");
STATIC_ASSERT(sizeof(struct xen_domctl_getdomaininfo) == 112, "domaininfo");
STATIC_ASSERT(sizeof(struct xen_domctl_ext_vcpucontext) == 64, "ext context");

#define PAGE_INFO_MAX 1024U

/*
 * One operation at a time: they build, change and end domains in many steps.
 * Nobody waits for it: who finds it taken goes back to its guest and asks
 * again, so it may be held while guest memory is copied.
 */
static SPINLOCK(domctl_lock, LOCK_RANK_DOMCTL, IRQ_ANY);

static void count_vcpu(struct vcpu *v, struct xen_domctl_getdomaininfo *info)
{
    vcpu_runstate_info_t run UNINITIALISED;

    vcpu_runstate_get(v, &run);
    info->cpu_time += run.time[RUNSTATE_running];
    info->max_vcpu_id = v->vcpu_id;
    if ((v->hold & VCPU_HOLD_DOWN) != 0) {
        return;
    }
    info->nr_online_vcpus++;
    if ((v->hold & VCPU_HOLD_BLOCKED) == 0) {
        info->flags &= ~XEN_DOMINF_blocked;
    }
    if (v->is_running) {
        info->flags |= XEN_DOMINF_running;
    }
}

void domctl_info(const struct domain *d,
                 struct xen_domctl_getdomaininfo *ret_info)
{
    struct xen_domctl_getdomaininfo *info = ret_info;
    unsigned int i;

    memset(info, 0, sizeof(*info));
    info->domain = d->domid;
    info->flags = XEN_DOMINF_blocked;
    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            count_vcpu(d->vcpu[i], info);
        }
    }
    /* Tools take "dying" for "nothing is left to destroy". */
    info->flags |= (d->relinquished ? XEN_DOMINF_dying : 0) |
                   (d->shutting_down ? XEN_DOMINF_shutdown : 0) |
                   (d->controller_paused ? XEN_DOMINF_paused : 0) |
                   ((d->create_flags & XEN_DOMCTL_CDF_xs_domain) != 0
                        ? XEN_DOMINF_xs_domain
                        : 0) |
                   (d->shutdown_code & XEN_DOMINF_shutdownmask)
                       << XEN_DOMINF_shutdownshift;
    info->tot_pages = d->tot_pages;
    info->max_pages = d->max_pages;
    info->outstanding_pages = d->outstanding_pages;
    info->shared_info_frame =
        d->shared_info != NULL ? mfn_x(d->shared_info_mfn) : ~0UL;
    memcpy(info->handle, d->handle, sizeof(info->handle));
    info->gpaddr_bits = (uint8_t)cpu_features.phys_bits;
}

/* The first domain with at least that number: tools walk with it. */
static int64_t getdomaininfo(struct xen_domctl *op)
{
    struct domain *d = domain_next(op->domain);

    if (d == NULL) {
        return -ESRCH;
    }
    domctl_info(d, &op->u.getdomaininfo);
    op->domain = d->domid;
    domain_put(d);
    return 0;
}

/* One frame as save and dump tools see it. */
static uint64_t page_info(const struct domain *d, mfn_t m)
{
    struct frame *f;
    uint64_t info = XEN_DOMCTL_PFINFO_NOTAB;

    if (!mfn_valid(m)) {
        return XEN_DOMCTL_PFINFO_XTAB;
    }
    f = frame_of(m);
    if ((f->flags & FRAME_F_HV_SHARED) != 0 || !frame_get(f, d->domid)) {
        return XEN_DOMCTL_PFINFO_XTAB;
    }
    if (pagetype_count(f) != 0) {
        info = (uint64_t)pagetype_level(pagetype_of(f))
               << XEN_DOMCTL_PFINFO_LTAB_SHIFT;
    }
    if (pagetype_is_pinned(f)) {
        info |= XEN_DOMCTL_PFINFO_LPINTAB;
    }
    if ((f->flags & FRAME_F_BROKEN) != 0) {
        info = XEN_DOMCTL_PFINFO_BROKEN;
    }
    account_put(f);
    return info;
}

static int64_t getpageframeinfo(const struct domain *d,
                                const struct xen_domctl_getpageframeinfo3 *q)
{
    uint64_t i;

    if (domain_is_dying(d)) {
        return -EINVAL;
    }
    if (q->num > PAGE_INFO_MAX) {
        return -E2BIG;
    }
    for (i = 0; i < q->num; i++) {
        uint64_t va = handle_elem_va(q->array, i), n;

        if (copy_from_guest(&n, va, sizeof(n)) != 0) {
            return -EFAULT;
        }
        n = page_info(d, mfn(n));
        if (copy_to_guest(va, &n, sizeof(n)) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* There is no shadow paging: switching it off has succeeded. */
static int64_t shadow_op(const struct domain *d, uint32_t what)
{
    if (what == XEN_DOMCTL_SHADOW_OP_OFF) {
        return 0;
    }
    if (what == XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY) {
        pr_notice("shadow_op: d%u: which pages it writes is not logged, so it "
                  "cannot be saved while it runs (live migration); xl save can",
                  d->domid);
    }
    return -EOPNOTSUPP;
}

static int64_t the_rest(const struct domain *d, struct xen_domctl *op)
{
    switch (op->cmd) {
    case XEN_DOMCTL_getpageframeinfo3:
        return getpageframeinfo(d, &op->u.getpageframeinfo3);
    case XEN_DOMCTL_cacheflush:
        return 0; /* caches are coherent here */
    case XEN_DOMCTL_shadow_op:
        return shadow_op(d, op->u.shadow_op.op);
    case XEN_DOMCTL_setdebugging:
        return op->u.setdebugging.enable == 0 ? 0 : -EOPNOTSUPP;
    case XEN_DOMCTL_gethvmcontext:
    case XEN_DOMCTL_sethvmcontext:
    case XEN_DOMCTL_gethvmcontext_partial:
    case XEN_DOMCTL_set_target:
        return -EINVAL; /* for hardware guests, which this is not */
    case XEN_DOMCTL_assign_device:
    case XEN_DOMCTL_deassign_device:
    case XEN_DOMCTL_test_assign_device:
    case XEN_DOMCTL_get_device_group:
    case XEN_DOMCTL_bind_pt_irq:
    case XEN_DOMCTL_unbind_pt_irq:
    case XEN_DOMCTL_ioport_mapping:
    case XEN_DOMCTL_debug_op:
    case XEN_DOMCTL_vm_event_op:
    case XEN_DOMCTL_mem_sharing_op:
    case XEN_DOMCTL_set_access_required:
    case XEN_DOMCTL_audit_p2m:
    case XEN_DOMCTL_set_broken_page_p2m:
    case XEN_DOMCTL_setvnumainfo:
    case XEN_DOMCTL_psr_cmt_op:
    case XEN_DOMCTL_monitor_op:
    case XEN_DOMCTL_psr_alloc:
    case XEN_DOMCTL_soft_reset:
    case XEN_DOMCTL_vuart_op:
    case XEN_DOMCTL_vmtrace_op:
    case XEN_DOMCTL_get_paging_mempool_size:
    case XEN_DOMCTL_set_paging_mempool_size:
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

static int64_t run(struct domain *d, struct xen_domctl *op, bool *ret_back)
{
    int64_t rc = domctl_life(d, op, ret_back);

    if (rc == DOMCTL_NOT_MINE) {
        rc = domctl_vcpu(d, op, ret_back);
    }
    if (rc == DOMCTL_NOT_MINE) {
        rc = domctl_setup(d, op, ret_back);
    }
    return rc == DOMCTL_NOT_MINE ? the_rest(d, op) : rc;
}

/*
 * What is left of a large domain.  It cannot be found any more, so this is not
 * continued: the idle loop, or who creates one, does the rest.
 */
static void reap_now(void)
{
    while (!hypercall_should_stop() && domain_reap()) {
    }
}

static int64_t dispatch(struct xen_domctl *op, bool *ret_back)
{
    struct domain *d;
    int64_t rc;

    switch (op->cmd) {
    case XEN_DOMCTL_createdomain:
        return domctl_life(NULL, op, ret_back);
    case XEN_DOMCTL_getdomaininfo:
        *ret_back = true;
        return getdomaininfo(op);
    default:
        d = domain_get(op->domain);
        if (d == NULL) {
            return -ESRCH;
        }
        rc = run(d, op, ret_back);
        domain_put(d);
        if (op->cmd == XEN_DOMCTL_destroydomain) {
            reap_now();
        }
        return rc;
    }
}

/* Tools ask that all the time, and it only looks. */
static bool needs_no_lock(uint32_t cmd)
{
    return cmd == XEN_DOMCTL_getdomaininfo;
}

static int64_t dispatch_locked(struct xen_domctl *op, bool *ret_back)
{
    int64_t rc;

    if (!spin_trylock(&domctl_lock)) {
        return -ERESTART;
    }
    rc = dispatch(op, ret_back);
    spin_unlock(&domctl_lock);
    return rc;
}

int64_t do_domctl(uint64_t a1, uint64_t a2 UNUSED, uint64_t a3 UNUSED,
                  uint64_t a4 UNUSED, uint64_t a5 UNUSED)
{
    struct xen_domctl op UNINITIALISED; /* all of it is copied */
    bool back = false;
    int64_t rc;

    if (copy_from_guest(&op, a1, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION) {
        return -EACCES;
    }
    rc = needs_no_lock(op.cmd) ? dispatch(&op, &back)
                               : dispatch_locked(&op, &back);
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_domctl, 1, a1, 0, 0, 0, 0);
    }
    if (rc == -ENOSYS || rc == -EOPNOTSUPP) {
        log_about(LOG_INFO, &current->domain->log, (int)current->vcpu_id,
                  "domctl %u of d%u is not offered", op.cmd, op.domain);
    }
    if (back && copy_to_guest(a1, &op, sizeof(op)) != 0) {
        rc = -EFAULT;
    }
    return rc;
}
