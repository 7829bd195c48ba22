/* SPDX-License-Identifier: MIT */
/*
 * hypercall/vcpu_op.c - HYPERVISOR_vcpu_op(cmd, vcpu, arg).
 *
 * Return:  0 (is_up: 0 or 1); -ENOENT no such vcpu; -EFAULT; -EINVAL
 *          malformed, or not the current vcpu where it must be; -EEXIST
 *          initialised already; -ENOSYS no such cmd; -ETIME a time in the past
 */
#include "cpu/clock.h"
#include "domain/account.h"
#include "domain/shared_info.h"
#include "domain/vclock.h"
#include "domain/vtimer.h"
#include "hypercall/call.h"
#include "lib/bits.h"
#include "x86/atomic.h"
#include "mm/heap.h"
#include "pv/context.h"
#include "pv/pagetype.h"
#include "pv/runstate.h"

static int64_t initialise(struct vcpu *v, uint64_t arg)
{
    struct vcpu_guest_context *ctx;
    int64_t rc;

    if (mfn_is_invalid(v->vcpu_info_mfn) &&
        v->vcpu_id >= XEN_LEGACY_MAX_VCPUS) {
        return -EINVAL; /* it has no page of its own yet */
    }
    if (v->is_initialised) {
        return -EEXIST;
    }
    ctx = heap_alloc(sizeof(*ctx));
    if (ctx == NULL) {
        return -ENOMEM;
    }
    rc = copy_from_guest(ctx, arg, sizeof(*ctx));
    if (rc == 0) {
        rc = v->is_initialised
                 ? -EEXIST
                 : pv_vcpu_set_context(v, ctx, hypercall_should_stop);
    }
    heap_free(ctx);
    return rc;
}

/* The last vcpu that goes down takes the domain with it. */
static int64_t down(struct vcpu *v)
{
    struct domain *d = v->domain;
    unsigned int i;

    vcpu_hold(v, VCPU_HOLD_DOWN);
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL && (d->vcpu[i]->hold & VCPU_HOLD_DOWN) == 0) {
            return 0;
        }
    }
    domain_shutdown(d, SHUTDOWN_poweroff);
    return 0;
}

static int64_t register_info(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_vcpu_info r;
    struct frame *f;

    if (copy_from_guest(&r, arg, sizeof(r)) != 0) {
        return -EFAULT;
    }
    if (!mfn_is_invalid(v->vcpu_info_mfn) || r.offset % 8 != 0 ||
        r.offset > PAGE_SIZE - sizeof(vcpu_info_t) ||
        (v != current && (v->hold & VCPU_HOLD_DOWN) == 0)) {
        return -EINVAL;
    }
    if (!mfn_valid(mfn(r.mfn))) {
        return -EINVAL;
    }
    f = frame_of(mfn(r.mfn));
    if (pagetype_get_ref(f, v->domain->domid, true) != 0) {
        return -EINVAL;
    }
    vcpu_info_register(v, mfn(r.mfn), r.offset);
    return 0;
}

static int64_t register_runstate(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_runstate_memory_area area;
    vcpu_runstate_info_t info;

    if (copy_from_guest(&area, arg, sizeof(area)) != 0) {
        return -EFAULT;
    }
    if (!guest_range_ok(area.addr.p, sizeof(info))) {
        return -EFAULT;
    }
    v->runstate_guest = area.addr.p;
    if (v == current) {
        pv_runstate_publish(v);
        return 0;
    }
    vcpu_runstate_get(v, &info);
    return copy_to_guest(area.addr.p, &info, sizeof(info));
}

static int64_t register_time(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_time_memory_area area;
    struct vcpu_time_info t;

    if (copy_from_guest(&area, arg, sizeof(area)) != 0) {
        return -EFAULT;
    }
    if (area.addr.p == 0) {
        v->time_guest = 0;
        return 0;
    }
    vclock_fill(v->domain, &t);
    t.version = 2;
    v->time_guest = area.addr.p;
    /* The parameters never change while it runs: one copy serves for good. */
    return copy_to_guest(area.addr.p, &t, sizeof(t));
}

static int64_t set_periodic(struct vcpu *v, uint64_t arg)
{
    struct vcpu_set_periodic_timer t;

    if (copy_from_guest(&t, arg, sizeof(t)) != 0) {
        return -EFAULT;
    }
    if (t.period_ns < VTIMER_PERIOD_MIN_NS || t.period_ns > INT64_MAX) {
        return -EINVAL;
    }
    vtimer_set_periodic(v, t.period_ns);
    return 0;
}

static int64_t set_singleshot(struct vcpu *v, uint64_t arg)
{
    struct vcpu_set_singleshot_timer t;

    if (v != current) {
        return -EINVAL;
    }
    if (copy_from_guest(&t, arg, sizeof(t)) != 0) {
        return -EFAULT;
    }
    if ((t.flags & VCPU_SSHOTTMR_future) != 0 &&
        t.timeout_abs_ns < clock_now_ns()) {
        return -ETIME;
    }
    vtimer_set_singleshot(v, t.timeout_abs_ns);
    return 0;
}

static int64_t get_runstate(struct vcpu *v, uint64_t arg)
{
    vcpu_runstate_info_t info;

    vcpu_runstate_get(v, &info);
    return copy_to_guest(arg, &info, sizeof(info));
}

/* What one vcpu at a time does for another one. */
static int64_t set_up(struct vcpu *v, int cmd, uint64_t arg)
{
    int64_t rc = -ERESTART;

    if (pv_set_up_begin(v->pv)) {
        rc = cmd == VCPUOP_initialise ? initialise(v, arg)
                                      : register_info(v, arg);
        pv_set_up_end(v->pv);
    }
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_vcpu_op, 3, (uint64_t)cmd,
                                 v->vcpu_id, arg, 0, 0);
    }
    return rc;
}

int64_t do_vcpu_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                   uint64_t a5)
{
    struct domain *d = current->domain;
    unsigned int id = (unsigned int)a2;
    struct vcpu *v;

    (void)a4;
    (void)a5;
    v = domain_vcpu(d, id);
    if (v == NULL) {
        return -ENOENT;
    }
    switch ((int)a1) {
    case VCPUOP_initialise:
    case VCPUOP_register_vcpu_info:
        return set_up(v, (int)a1, a3);
    case VCPUOP_up:
        if (!v->is_initialised) {
            return -EINVAL;
        }
        vcpu_release(v, VCPU_HOLD_DOWN);
        return 0;
    case VCPUOP_down:
        return down(v);
    case VCPUOP_is_up:
        return (v->hold & VCPU_HOLD_DOWN) == 0;
    case VCPUOP_get_runstate_info:
        return get_runstate(v, a3);
    case VCPUOP_register_runstate_memory_area:
        return register_runstate(v, a3);
    case VCPUOP_set_periodic_timer:
        return set_periodic(v, a3);
    case VCPUOP_stop_periodic_timer:
        vtimer_set_periodic(v, 0);
        return 0;
    case VCPUOP_set_singleshot_timer:
        return set_singleshot(v, a3);
    case VCPUOP_stop_singleshot_timer:
        if (v != current) {
            return -EINVAL;
        }
        vtimer_stop_singleshot(v);
        return 0;
    case VCPUOP_send_nmi:
        atomic_store(&v->nmi_pending, true); /* locked, for vcpu_kick() */
        vcpu_kick(v);
        return 0;
    case VCPUOP_register_vcpu_time_memory_area:
        return register_time(v, a3);
    default:
        return -ENOSYS;
    }
}
