/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_bind.c - what a port is bound to, and how that ends.
 */
#include "domain/evtchn.h"

#include "lib/errno.h"
#include "domain/evtchn_impl.h"
#include "domain/pirq.h"
#include "domain/virq.h"

/* Release: what it is bound to comes before; pairs with evtchn_send(). */
static void state_show(struct evtchn *chn, enum evtchn_state state)
{
    __atomic_store_n(&chn->state, (uint8_t)state, __ATOMIC_RELEASE);
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote,
                         evtchn_port_t *ret_port)
{
    uint64_t instance =
        remote == d->domid ? d->instance : domain_instance(remote);
    struct evtchn *chn;
    int rc;

    spin_lock(&d->evtchn->lock);
    rc = evtchn_alloc_locked(d, &chn);
    if (rc == 0) {
        chn->u.unbound.remote = remote;
        chn->u.unbound.instance = instance;
        state_show(chn, EVTCHN_UNBOUND);
        *ret_port = chn->port;
    }
    spin_unlock(&d->evtchn->lock);
    return rc;
}

/* It was meant for a domain, and not for whoever has its number later. */
static bool may_bind(const struct evtchn *end, const struct domain *d)
{
    return end->state == EVTCHN_UNBOUND && end->u.unbound.remote == d->domid &&
           (end->u.unbound.instance == 0 ||
            end->u.unbound.instance == d->instance);
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote,
                            evtchn_port_t remote_port, evtchn_port_t *ret_port)
{
    struct evtchn *chn, *end;
    int rc;

    evtchn_lock_two(d, remote);
    end = evtchn_of(remote->evtchn, remote_port);
    if (end == NULL || !may_bind(end, d) || domain_is_dying(remote)) {
        rc = -EINVAL;
        goto out_unlock;
    }
    rc = evtchn_alloc_locked(d, &chn);
    if (rc != 0) {
        goto out_unlock;
    }
    chn->u.interdomain.remote = remote;
    chn->u.interdomain.remote_port = remote_port;
    end->u.interdomain.remote = d;
    end->u.interdomain.remote_port = chn->port;
    state_show(chn, EVTCHN_INTERDOMAIN);
    state_show(end, EVTCHN_INTERDOMAIN);

    /* The other end may have sent before there was anyone to hear it. */
    evtchn_pend(d, chn);
    *ret_port = chn->port;

out_unlock:
    evtchn_unlock_two(d, remote);
    return rc;
}

int evtchn_bind_virq(struct domain *d, unsigned int virq, unsigned int vcpu,
                     evtchn_port_t *ret_port)
{
    struct evtchn *chn;
    struct vcpu *v;
    int rc;

    if (virq >= NR_VIRQS || (virq_is_global(virq) && vcpu != 0)) {
        return -EINVAL;
    }
    v = domain_vcpu(d, vcpu);
    if (v == NULL) {
        return -ENOENT;
    }
    spin_lock(&d->evtchn->lock);
    rc = v->virq_port[virq] != 0 ? -EEXIST : evtchn_alloc_locked(d, &chn);
    if (rc == 0) {
        chn->u.virq = virq;
        WRITE_ONCE(chn->vcpu, (uint16_t)vcpu);
        state_show(chn, EVTCHN_VIRQ);
        /* Last: virq_raise() looks at it without the lock. */
        __atomic_store_n(&v->virq_port[virq], chn->port, __ATOMIC_RELEASE);
        *ret_port = chn->port;
    }
    spin_unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_bind_ipi(struct domain *d, unsigned int vcpu,
                    evtchn_port_t *ret_port)
{
    struct evtchn *chn;
    int rc;

    if (domain_vcpu(d, vcpu) == NULL) {
        return -ENOENT;
    }
    spin_lock(&d->evtchn->lock);
    rc = evtchn_alloc_locked(d, &chn);
    if (rc == 0) {
        WRITE_ONCE(chn->vcpu, (uint16_t)vcpu);
        state_show(chn, EVTCHN_IPI);
        *ret_port = chn->port;
    }
    spin_unlock(&d->evtchn->lock);
    return rc;
}

int evtchn_bind_pirq(struct domain *d, unsigned int pirq, bool will_share,
                     evtchn_port_t *ret_port)
{
    struct evtchn *chn;
    int rc;

    spin_lock(&d->evtchn->lock);
    rc = evtchn_alloc_locked(d, &chn);
    if (rc != 0) {
        goto out_unlock;
    }
    /* State first: the interrupt may come as soon as it is bound. */
    chn->u.pirq = pirq;
    state_show(chn, EVTCHN_PIRQ);
    rc = pirq_bind(d, pirq, chn->port, will_share);
    if (rc != 0) {
        evtchn_own_lock(chn);
        evtchn_free_locked(d, chn);
        evtchn_own_unlock(chn);
        goto out_unlock;
    }
    *ret_port = chn->port;

out_unlock:
    spin_unlock(&d->evtchn->lock);
    return rc;
}

/* The own locks of a channel and of its other end; NULL: it has none. */
static void own_lock_two(struct evtchn *a, struct evtchn *b)
{
    if (b != NULL && (uintptr_t)b < (uintptr_t)a) {
        evtchn_own_lock(b);
        evtchn_own_lock(a);
    } else {
        evtchn_own_lock(a);
        if (b != NULL && b != a) {
            evtchn_own_lock(b);
        }
    }
}

static void own_unlock_two(struct evtchn *a, struct evtchn *b)
{
    evtchn_own_unlock(a);
    if (b != NULL && b != a) {
        evtchn_own_unlock(b);
    }
}

/*
 * Undo what @chn is bound to and free it.  The event locks of both ends are
 * held; the own ones wait for who is sending.
 */
static void close_locked(struct domain *d, struct evtchn *chn)
{
    struct evtchn *end = NULL;

    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_INTERDOMAIN:
        end = evtchn_of(chn->u.interdomain.remote->evtchn,
                        chn->u.interdomain.remote_port);
        break;
    case EVTCHN_PIRQ:
        /* Waits for a softirq that sends to us: without our own lock. */
        pirq_unbind(d, chn->u.pirq, chn->port);
        break;
    case EVTCHN_VIRQ: {
        /* A global virq is found through vcpu 0, whomever it notifies. */
        struct vcpu *v =
            domain_vcpu(d, virq_is_global(chn->u.virq) ? 0 : chn->vcpu);

        if (v != NULL && v->virq_port[chn->u.virq] == chn->port) {
            WRITE_ONCE(v->virq_port[chn->u.virq], 0);
        }
        break;
    }
    case EVTCHN_FREE:
    case EVTCHN_UNBOUND:
    case EVTCHN_IPI:
        break;
    }
    own_lock_two(chn, end);
    if (end != NULL) {
        /* It may be bound again, by the same domain. */
        WRITE_ONCE(end->state, EVTCHN_UNBOUND);
        end->u.unbound.remote = d->domid;
        end->u.unbound.instance = d->instance;
    }
    evtchn_free_locked(d, chn);
    own_unlock_two(chn, end);
}

int evtchn_close(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn = evtchn_of(d->evtchn, port);
    struct domain *r = d;
    int rc = 0;

    if (chn == NULL) {
        return -EINVAL;
    }
    for (;;) {
        /* @r: the domain at the other end when we looked last. */
        struct domain *now = d;

        evtchn_lock_two(d, r);
        if (chn->state == EVTCHN_INTERDOMAIN) {
            now = chn->u.interdomain.remote;
        }
        if (now == r) {
            break;
        }
        /* The connection keeps it alive until we let go of our lock. */
        domain_hold(now);
        evtchn_unlock_two(d, r);
        if (r != d) {
            domain_put(r);
        }
        r = now;
    }
    if (chn->state == EVTCHN_FREE) {
        rc = -EINVAL;
    } else {
        close_locked(d, chn);
    }
    evtchn_unlock_two(d, r);
    if (r != d) {
        domain_put(r);
    }
    return rc;
}

int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, unsigned int vcpu)
{
    struct evtchn *chn = evtchn_of(d->evtchn, port);
    int rc = 0;

    if (domain_vcpu(d, vcpu) == NULL) {
        return -ENOENT;
    }
    if (chn == NULL) {
        return -EINVAL;
    }
    spin_lock(&d->evtchn->lock);
    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_VIRQ:
        if (!virq_is_global(chn->u.virq)) {
            rc = -EINVAL;
            break;
        }
        WRITE_ONCE(chn->vcpu, (uint16_t)vcpu);
        break;
    case EVTCHN_UNBOUND:
    case EVTCHN_INTERDOMAIN:
    case EVTCHN_PIRQ:
        WRITE_ONCE(chn->vcpu, (uint16_t)vcpu);
        break;
    case EVTCHN_FREE:
    case EVTCHN_IPI:
        rc = -EINVAL;
        break;
    }
    spin_unlock(&d->evtchn->lock);
    return rc;
}
