/* SPDX-License-Identifier: MIT */
/*
 * domain/vcpu.c - vcpu states: hold and release, block and wake, run times.
 */
#include "domain/vcpu.h"

#include "cpu/clock.h"
#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "domain/evtchn.h"
#include "domain/sched.h"
#include "domain/shared_info.h"
#include "domain/vclock.h"
#include "domain/vtimer.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "x86/atomic.h"

/* cpu/timer.c has room for four timers of each, its domain's being one. */
#define VCPUS_MAX 8000

static unsigned int vcpu_count; /* a: vcpus there are or are being made */

int vcpu_create(struct domain *d, unsigned int vcpu_id, struct vcpu **ret_vcpu)
{
    struct vcpu *v;
    int rc;

    if (vcpu_id >= d->max_vcpus || d->vcpu[vcpu_id] != NULL) {
        return -EINVAL;
    }
    if (atomic_add(&vcpu_count, 1U) >= VCPUS_MAX) {
        rc = -ENOMEM;
        goto out_count;
    }
    v = heap_alloc(sizeof(*v));
    if (v == NULL) {
        rc = -ENOMEM;
        goto out_count;
    }
    v->domain = d;
    v->vcpu_id = vcpu_id;
    v->hold = VCPU_HOLD_DOWN;
    if (d->pause_count != 0) {
        v->hold |= VCPU_HOLD_PAUSED;
    }
    if (d->controller_paused) {
        v->hold |= VCPU_HOLD_CONTROL;
    }
    v->runstate.state = RUNSTATE_offline;
    v->runstate.state_entry_time = clock_now_ns();
    sched_vcpu_init(v);
    vtimer_init(v);
    rc = vcpu_info_default(v);
    if (rc != 0) {
        heap_free(v);
        goto out_count;
    }
    vclock_update_vcpu(v);
    if (vcpu_id == 0) {
        vclock_update_wall(d);
    }
    d->vcpu[vcpu_id] = v;
    *ret_vcpu = v;
    return 0;

out_count:
    (void)atomic_sub(&vcpu_count, 1U);
    return rc;
}

void vcpu_free(struct vcpu *v)
{
    heap_free(v->own_info);
    v->domain->vcpu[v->vcpu_id] = NULL;
    (void)atomic_sub(&vcpu_count, 1U);
    heap_free(v);
}

void vcpu_hold(struct vcpu *v, uint32_t why)
{
    uint32_t before = atomic_or(&v->hold, why);

    if (before == 0 && why != 0) {
        sched_sleep(v);
    }
}

void vcpu_release(struct vcpu *v, uint32_t why)
{
    uint32_t before = atomic_and(&v->hold, ~why);

    if (before != 0 && (before & ~why) == 0) {
        sched_wake(v);
    }
}

void vcpu_kick(struct vcpu *v)
{
    if ((READ_ONCE(v->hold) & VCPU_HOLD_BLOCKED) != 0) {
        vcpu_release(v, VCPU_HOLD_BLOCKED);
    } else if (v != current && READ_ONCE(v->is_running)) {
        /*
         * Its CPU looks at the vcpu's flags on its way out.  Whoever set one
         * did so by a locked operation, and is_running is set before CR3 is
         * loaded: either we see it or the exit path sees the flag.
         */
        ipi_send(READ_ONCE(v->processor), VECTOR_RESCHEDULE);
    }
}

static bool must_stay_awake(const struct vcpu *v)
{
    return READ_ONCE(v->vcpu_info->evtchn_upcall_pending) != 0 ||
           v->nmi_pending || v->mce_pending;
}

void vcpu_block(void)
{
    struct vcpu *v = current;

    v->vcpu_info->evtchn_upcall_mask = 0;
    if (must_stay_awake(v)) {
        return; /* nothing has to be undone */
    }
    vcpu_hold(v, VCPU_HOLD_BLOCKED);
    /* An event that came before the hold is seen here, one that comes after
     * it finds the vcpu blocked and wakes it. */
    if (must_stay_awake(v)) {
        vcpu_release(v, VCPU_HOLD_BLOCKED);
    }
}

void vcpu_mark_events_pending(struct vcpu *v)
{
    vcpu_info_t *vi = v->vcpu_info;

    atomic_store(&vi->evtchn_upcall_pending, 1);
    if (READ_ONCE(vi->evtchn_upcall_mask) == 0) {
        vcpu_kick(v);
    }
}
