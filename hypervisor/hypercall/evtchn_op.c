/* SPDX-License-Identifier: MIT */
/*
 * hypercall/evtchn_op.c - event_channel_op (32).
 *
 * A domain acts on its own channels; the control domain may allocate, look
 * at and reset those of others.
 * Errors: -EINVAL malformed or wrong state, -EPERM not you, -ESRCH no such
 * domain, -ENOENT no such vcpu, -EEXIST bound already, -EBUSY interrupt in
 * use, -ENOSPC no port left, -ENOMEM, -EFAULT, -ENOSYS unknown operation,
 * -EOPNOTSUPP FIFO operation without the FIFO ABI.
 */
#include "hypercall/call.h"

#include "domain/evtchn.h"

/* The continuation number Xen uses for reset; one program may know it. */
#define RESET_CONT 14

union evtchn_arg {
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_pirq bind_pirq;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_close close;
    struct evtchn_status status;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_reset reset;
    struct evtchn_init_control init_control;
    struct evtchn_expand_array expand_array;
    struct evtchn_set_priority set_priority;
};

/* Size of an operation's struct; 0: none, or act_on_port() does it. */
static size_t arg_size(uint64_t cmd)
{
    static const uint8_t size[] = {
        [EVTCHNOP_bind_interdomain] = sizeof(struct evtchn_bind_interdomain),
        [EVTCHNOP_bind_virq] = sizeof(struct evtchn_bind_virq),
        [EVTCHNOP_bind_pirq] = sizeof(struct evtchn_bind_pirq),
        [EVTCHNOP_close] = sizeof(struct evtchn_close),
        [EVTCHNOP_status] = sizeof(struct evtchn_status),
        [EVTCHNOP_alloc_unbound] = sizeof(struct evtchn_alloc_unbound),
        [EVTCHNOP_bind_ipi] = sizeof(struct evtchn_bind_ipi),
        [EVTCHNOP_bind_vcpu] = sizeof(struct evtchn_bind_vcpu),
        [EVTCHNOP_reset] = sizeof(struct evtchn_reset),
        [EVTCHNOP_init_control] = sizeof(struct evtchn_init_control),
        [EVTCHNOP_expand_array] = sizeof(struct evtchn_expand_array),
        [EVTCHNOP_set_priority] = sizeof(struct evtchn_set_priority),
        [RESET_CONT] = sizeof(struct evtchn_reset),
    };

    return cmd < sizeof(size) ? size[cmd] : 0;
}

/* The domain an operation is about: the caller's own, or any if privileged. */
static int subject_get(domid_t domid, struct domain **ret_domain)
{
    struct domain *d = hypercall_domain(domid);

    if (d == NULL) {
        return current->domain->is_privileged ? -ESRCH : -EPERM;
    }
    if (d != current->domain && !current->domain->is_privileged) {
        domain_put(d);
        return -EPERM;
    }
    *ret_domain = d;
    return 0;
}

static int op_alloc_unbound(struct evtchn_alloc_unbound *op)
{
    domid_t remote =
        op->remote_dom == DOMID_SELF ? current->domain->domid : op->remote_dom;
    struct domain *d;
    int rc = subject_get(op->dom, &d);

    if (rc == 0) {
        rc = evtchn_alloc_unbound(d, remote, &op->port);
        domain_put(d);
    }
    return rc;
}

static int op_bind_interdomain(struct evtchn_bind_interdomain *op)
{
    struct domain *remote = hypercall_domain(op->remote_dom);
    int rc;

    if (remote == NULL) {
        return -ESRCH;
    }
    rc = evtchn_bind_interdomain(current->domain, remote, op->remote_port,
                                 &op->local_port);
    domain_put(remote);
    return rc;
}

static int op_status(struct evtchn_status *op)
{
    struct domain *d;
    int rc = subject_get(op->dom, &d);

    if (rc == 0) {
        rc = evtchn_status(d, op->port, op);
        domain_put(d);
    }
    return rc;
}

static int op_reset(const struct evtchn_reset *op)
{
    struct domain *d;
    int rc = subject_get(op->dom, &d);

    if (rc != 0) {
        return rc;
    }
    if (d != current->domain && !d->controller_paused) {
        rc = -EINVAL;
    } else {
        rc = evtchn_reset(d, hypercall_should_stop);
    }
    domain_put(d);
    return rc;
}

static int op_init_control(struct evtchn_init_control *op)
{
    struct vcpu *v = domain_vcpu(current->domain, op->vcpu);

    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    if (v == NULL) {
        return -ENOENT;
    }
    return evtchn_fifo_init_control(v, gfn_to_mfn_pv(gfn(op->control_gfn)),
                                    op->offset);
}

/* Act on a copy; *@ret_copy_out: the guest's struct gets results. */
static int act(uint64_t cmd, union evtchn_arg *a, bool *ret_copy_out)
{
    struct domain *d = current->domain;

    *ret_copy_out = true;
    switch (cmd) {
    case EVTCHNOP_alloc_unbound:
        return op_alloc_unbound(&a->alloc_unbound);
    case EVTCHNOP_bind_interdomain:
        return op_bind_interdomain(&a->bind_interdomain);
    case EVTCHNOP_bind_virq:
        return evtchn_bind_virq(d, a->bind_virq.virq, a->bind_virq.vcpu,
                                &a->bind_virq.port);
    case EVTCHNOP_bind_ipi:
        return evtchn_bind_ipi(d, a->bind_ipi.vcpu, &a->bind_ipi.port);
    case EVTCHNOP_bind_pirq:
        return evtchn_bind_pirq(d, a->bind_pirq.pirq,
                                (a->bind_pirq.flags & BIND_PIRQ__WILL_SHARE) !=
                                    0,
                                &a->bind_pirq.port);
    case EVTCHNOP_status:
        return op_status(&a->status);
    case EVTCHNOP_init_control:
        return op_init_control(&a->init_control);
    default:
        break;
    }
    *ret_copy_out = false;
    switch (cmd) {
    case EVTCHNOP_close:
        return evtchn_close(d, a->close.port);
    case EVTCHNOP_bind_vcpu:
        return evtchn_bind_vcpu(d, a->bind_vcpu.port, a->bind_vcpu.vcpu);
    case EVTCHNOP_expand_array:
        return evtchn_fifo_expand_array(
            d, gfn_to_mfn_pv(gfn(a->expand_array.array_gfn)));
    case EVTCHNOP_set_priority:
        return evtchn_set_priority(d, a->set_priority.port,
                                   a->set_priority.priority);
    case EVTCHNOP_reset:
    case RESET_CONT:
        return op_reset(&a->reset);
    default:
        return -ENOSYS;
    }
}

_Static_assert(sizeof(struct evtchn_send) == sizeof(evtchn_port_t) &&
                   sizeof(struct evtchn_unmask) == sizeof(evtchn_port_t),
               "send and unmask have a port and nothing else");

static int act_on_port(uint64_t cmd, uint64_t arg)
{
    unsigned int bad = 0;
    evtchn_port_t port;

    if (!guest_open(arg, sizeof(port))) {
        return -EFAULT;
    }
    guest_load(port, arg, bad); /* of four bytes, as @port has */
    guest_close();
    if (bad != 0) {
        return -EFAULT;
    }
    return cmd == EVTCHNOP_send ? evtchn_send(current->domain, port)
                                : evtchn_unmask(current->domain, port);
}

/* Of its own, so that the two above do not pay for its frame. */
static NOINLINE int64_t other_op(uint64_t cmd, uint64_t arg)
{
    size_t size = arg_size(cmd);
    union evtchn_arg a;
    bool copy_out;
    int rc;

    if (size == 0) {
        return -ENOSYS;
    }
    if (copy_from_guest(&a, arg, size) != 0) {
        return -EFAULT;
    }
    rc = act(cmd, &a, &copy_out);
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_event_channel_op, 2, RESET_CONT,
                                 arg, 0, 0, 0);
    }
    if (rc == 0 && copy_out && copy_to_guest(arg, &a, size) != 0) {
        return -EFAULT;
    }
    return rc;
}

int64_t do_event_channel_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                            uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    /* What a guest does all day comes first. */
    if (a1 == EVTCHNOP_send || a1 == EVTCHNOP_unmask) {
        return act_on_port(a1, a2);
    }
    return other_op(a1, a2);
}
