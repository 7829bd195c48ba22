/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sched_op.c - HYPERVISOR_sched_op(cmd, arg).
 *
 *   yield, block, shutdown, poll, remote_shutdown, shutdown_code, pin_override
 * Return:  0; -EFAULT; -EINVAL malformed, no such processor; -EPERM
 *          pin_override or remote_shutdown by a guest; -EBUSY pinned already;
 *          -ESRCH no such domain; -ENOSYS no such cmd
 */
#include "cpu/clock.h"
#include "domain/evtchn.h"
#include "domain/sched.h"
#include "hypercall/call.h"
#include "lib/bits.h"

#define POLL_PORTS_MAX 128

static int64_t shutdown(uint64_t arg)
{
    struct sched_shutdown s;

    if (copy_from_guest(&s, arg, sizeof(s)) != 0) {
        return -EFAULT;
    }
    if (s.reason > SHUTDOWN_MAX) {
        return -EINVAL;
    }
    domain_shutdown(current->domain, s.reason);
    return 0;
}

/* The control domain ends another, giving the reason. */
static int64_t remote_shutdown(uint64_t arg)
{
    struct sched_remote_shutdown r;
    struct domain *d;

    if (copy_from_guest(&r, arg, sizeof(r)) != 0) {
        return -EFAULT;
    }
    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (r.reason > SHUTDOWN_MAX) {
        return -EINVAL;
    }
    d = domain_get(r.domain_id);
    if (d == NULL) {
        return -ESRCH;
    }
    domain_shutdown(d, r.reason);
    domain_put(d);
    return 0;
}

/*
 * Ports are read one by one while the vcpu is held already: an event that
 * comes in between finds it blocked.
 * Return:  1 one is pending; 0 none is; -EFAULT, -EINVAL
 */
static int look_at_ports(struct vcpu *v, const struct sched_poll *p)
{
    for (uint32_t i = 0; i < p->nr_ports; i++) {
        evtchn_port_t port;

        if (copy_elem_from_guest(&port, p->ports, i) != 0) {
            return -EFAULT;
        }
        if (!evtchn_port_usable(v->domain, port)) {
            return -EINVAL;
        }
        if (evtchn_is_pending(v->domain, port)) {
            return 1;
        }
    }
    return 0;
}

/* Block until one of the ports is pending, or the time has come. */
static int64_t poll_ports(uint64_t arg)
{
    struct vcpu *v = current;
    struct sched_poll p;
    evtchn_port_t only = EVTCHN_POLL_SEVERAL;
    int found;

    if (copy_from_guest(&p, arg, sizeof(p)) != 0) {
        return -EFAULT;
    }
    if (p.nr_ports > POLL_PORTS_MAX) {
        return -EINVAL;
    }
    /* The usual case, one port: if it is pending nothing is to be undone. */
    if (p.nr_ports == 1) {
        if (copy_elem_from_guest(&only, p.ports, 0) != 0) {
            return -EFAULT;
        }
        if (!evtchn_port_usable(v->domain, only)) {
            return -EINVAL;
        }
        if (evtchn_is_pending(v->domain, only)) {
            return 0;
        }
    }
    /*
     * Held first: a timer or a sender left over from an earlier poll may end
     * this one at any point, and lets the vcpu go after that.  It must find it
     * blocked, or nobody would know that it waits.
     */
    vcpu_hold(v, VCPU_HOLD_BLOCKED);
    vcpu_poll_begin(v, only);
    found = p.nr_ports == 1 ? evtchn_is_pending(v->domain, only)
                            : look_at_ports(v, &p);
    /* As in vcpu_block(): nobody wakes it for what came before the hold. */
    if (found != 0 || evtchn_vcpu_has_pending(v) || v->nmi_pending ||
        v->mce_pending) {
        vcpu_poll_end(v);
        vcpu_release(v, VCPU_HOLD_BLOCKED);
        return found < 0 ? found : 0;
    }
    if (p.timeout != 0) {
        timer_set(&v->poll_timer, p.timeout);
    }
    return 0;
}

/*
 * The control domain's firmware calls want a certain processor.  Its settings
 * come back by a negative number, and cannot be changed until then.
 */
static int64_t pin_override(uint64_t arg)
{
    struct vcpu *v = current;
    struct sched_pin_override p;
    cpumask_t before = v->hard_affinity;
    int rc;

    if (!v->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&p, arg, sizeof(p)) != 0) {
        return -EFAULT;
    }
    if (p.pcpu < 0) {
        if (!v->pin_override) {
            return -EINVAL;
        }
        v->pin_override = false;
        return sched_set_affinity(v, v->hard_before_pin, v->soft_affinity);
    }
    if (v->pin_override) {
        return -EBUSY;
    }
    if (p.pcpu >= NR_CPUS) {
        return -EINVAL;
    }
    rc = sched_set_affinity(v, BIT(p.pcpu), v->soft_affinity);
    if (rc == 0) {
        v->pin_override = true;
        v->hard_before_pin = before;
    }
    return rc;
}

int64_t do_sched_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    switch ((int)a1) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        vcpu_block();
        return 0;
    case SCHEDOP_shutdown:
        return shutdown(a2);
    case SCHEDOP_poll:
        return poll_ports(a2);
    case SCHEDOP_shutdown_code: {
        struct sched_shutdown s;

        if (copy_from_guest(&s, a2, sizeof(s)) != 0) {
            return -EFAULT;
        }
        current->domain->shutdown_code = s.reason;
        return 0;
    }
    case SCHEDOP_remote_shutdown:
        return remote_shutdown(a2);
    case SCHEDOP_pin_override:
        return pin_override(a2);
    default:
        return -ENOSYS;
    }
}
