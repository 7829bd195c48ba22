/* SPDX-License-Identifier: MIT */
/*
 * hypercall/domctl_life.c - domctl: create, destroy, pause, resume, limits,
 * name, time.
 */
#include "lib/string.h"
#include "x86/irqflags.h"
#include "log/printk.h"
#include "domain/sched.h"
#include "domain/vclock.h"
#include "pv/domain_pv.h"
#include "hypercall/domctl.h"

/* Only what this version can keep is accepted. */
static int check_config(const struct xen_domctl_createdomain *c)
{
    uint32_t grants = XEN_DOMCTL_GRANT_version(c->grant_opts);

    if ((c->flags & ~(uint32_t)XEN_DOMCTL_CDF_xs_domain) != 0 ||
        c->iommu_opts != 0 || c->vmtrace_size != 0 || c->cpupool_id != 0 ||
        c->arch.emulation_flags != 0 || c->arch.misc_flags != 0 ||
        c->max_vcpus == 0 || c->max_vcpus > MAX_VCPUS ||
        c->grant_opts != grants || grants < 1 || grants > 2) {
        return -EINVAL;
    }
    return 0;
}

/*
 * Whom a number in the log means from here on: said only where it meant another
 * before, which "is gone".
 */
static void log_identity(const struct domain *d)
{
    const uint8_t *u = d->handle;

    if (unlikely(d->is_renumbered)) {
        pr_info("domain: d%u is %02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                "%02x%02x%02x%02x%02x%02x now",
                d->domid, u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8],
                u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    }
}

static int64_t create(struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    /* 0 is the control domain's, so it can mean "any". */
    domid_t wanted = op->domain > 0 && op->domain < DOMID_FIRST_RESERVED
                         ? op->domain
                         : DOMID_INVALID;
    struct domain *d;
    int rc = check_config(c);

    if (rc != 0) {
        pr_info("createdomain: refused: flags %#x iommu %#x pool %u "
                "emulation %#x vcpus %u grants %#x",
                c->flags, c->iommu_opts, c->cpupool_id, c->arch.emulation_flags,
                c->max_vcpus, c->grant_opts);
        return rc;
    }
    /* Memory and numbers of those that are gone are to be had by now. */
    while (domain_reap()) {
        if (hypercall_should_stop()) {
            return -ERESTART;
        }
    }
    rc = pv_domain_create(wanted, c, false, &d);
    if (rc == 0) {
        op->domain = d->domid;
        log_identity(d);
    }
    return rc;
}

/* Tools still create the vcpus by a call of its own. */
static int64_t max_vcpus(struct domain *d, uint32_t max)
{
    unsigned int i;

    if (d == current->domain || max != d->max_vcpus || domain_is_dying(d)) {
        return -EINVAL;
    }
    for (i = 0; i < max; i++) {
        struct vcpu *v;
        int rc;

        if (d->vcpu[i] != NULL) {
            continue;
        }
        rc = pv_vcpu_create(d, i, &v);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int64_t pause(struct domain *d)
{
    unsigned int i;

    if (d == current->domain) {
        return -EINVAL;
    }
    spin_lock(&d->lock);
    d->controller_paused = true;
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_hold(d->vcpu[i], VCPU_HOLD_CONTROL);
        }
    }
    spin_unlock(&d->lock);
    while (!domain_has_stopped(d)) {
        cpu_relax(); /* who pauses a domain may count on it */
    }
    return 0;
}

static int64_t unpause(struct domain *d)
{
    unsigned int i;

    spin_lock(&d->lock);
    if (!d->controller_paused) {
        spin_unlock(&d->lock);
        return -EINVAL;
    }
    d->controller_paused = false;
    if (d->state == DOMAIN_BUILDING) {
        domain_set_state(d, DOMAIN_RUNNING);
    }
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_release(d->vcpu[i], VCPU_HOLD_CONTROL);
        }
    }
    spin_unlock(&d->lock);
    return 0;
}

static int64_t destroy(struct domain *d)
{
    if (d == current->domain) {
        return -EINVAL;
    }
    return pv_domain_destroy(d, hypercall_should_stop);
}

static int64_t max_mem(struct domain *d, uint64_t kib)
{
    uint64_t pages = kib >> (PAGE_SHIFT - 10);

    spin_lock(&d->lock);
    d->max_pages = (uint32_t)MIN(pages, (uint64_t)UINT32_MAX - 1);
    spin_unlock(&d->lock);
    return 0;
}

static int64_t scheduler(struct domain *d, struct xen_domctl_scheduler_op *s,
                         bool *ret_back)
{
    if (s->sched_id != XEN_SCHEDULER_CREDIT2) {
        return -EINVAL;
    }
    switch (s->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        sched_get_share(d, &s->u.credit2.weight, &s->u.credit2.cap);
        *ret_back = true;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo: {
        uint16_t weight, cap;

        sched_get_share(d, &weight, &cap);
        /* A weight of 0 leaves it alone. */
        weight = s->u.credit2.weight != 0 ? s->u.credit2.weight : weight;
        return sched_set_share(d, weight, s->u.credit2.cap);
    }
    default:
        return -EINVAL;
    }
}

int64_t domctl_life(struct domain *d, struct xen_domctl *op, bool *ret_back)
{
    switch (op->cmd) {
    case XEN_DOMCTL_createdomain:
        *ret_back = true;
        return create(op);
    case XEN_DOMCTL_max_vcpus:
        return max_vcpus(d, op->u.max_vcpus.max);
    case XEN_DOMCTL_pausedomain:
        return pause(d);
    case XEN_DOMCTL_unpausedomain:
        return unpause(d);
    case XEN_DOMCTL_resumedomain:
        if (d == current->domain) {
            return -EINVAL;
        }
        domain_resume(d);
        return 0;
    case XEN_DOMCTL_subscribe:
        domain_tell_suspend(d, op->u.subscribe.port);
        return 0;
    case XEN_DOMCTL_destroydomain:
        return destroy(d);
    case XEN_DOMCTL_max_mem:
        return max_mem(d, op->u.max_mem.max_memkb);
    case XEN_DOMCTL_scheduler_op:
        return scheduler(d, &op->u.scheduler_op, ret_back);
    case XEN_DOMCTL_setdomainhandle:
        spin_lock(&d->lock);
        memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
        spin_unlock(&d->lock);
        log_identity(d);
        return 0;
    case XEN_DOMCTL_settimeoffset:
        spin_lock(&d->lock);
        d->time_offset_s = op->u.settimeoffset.time_offset_seconds;
        vclock_update_wall(d);
        spin_unlock(&d->lock);
        return 0;
    default:
        return DOMCTL_NOT_MINE;
    }
}
