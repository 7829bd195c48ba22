/* SPDX-License-Identifier: MIT */
/*
 * domain/virq.c - virtual interrupts.
 */
#include "domain/virq.h"

#include "lib/errno.h"
#include "sync/spinlock.h"
#include "domain/evtchn.h"
#include "domain/pirq.h"

/* Under handler_lock.  NULL: the control domain.  Held by a reference. */
static struct domain *handler[NR_VIRQS];
static SPINLOCK(handler_lock, LOCK_RANK_DOMAIN, IRQ_ANY);

bool virq_is_global(unsigned int virq)
{
    switch (virq) {
    case VIRQ_TIMER:
    case VIRQ_DEBUG:
    case VIRQ_XENOPROF:
    case VIRQ_XENPMU:
        return false;
    default:
        return true;
    }
}

void virq_raise(struct vcpu *v, unsigned int virq)
{
    evtchn_port_t port = __atomic_load_n(&v->virq_port[virq], __ATOMIC_ACQUIRE);

    if (port != 0) {
        evtchn_set_pending(v->domain, port);
    }
}

void virq_raise_global(unsigned int virq)
{
    struct domain *d;

    spin_lock(&handler_lock);
    d = handler[virq] != NULL ? handler[virq] : dom0;
    if (d != NULL) {
        domain_hold(d); /* by then it may not be the handler any more */
    }
    spin_unlock(&handler_lock);
    if (d == NULL) {
        return;
    }
    if (d->max_vcpus > 0 && d->vcpu[0] != NULL) {
        virq_raise(d->vcpu[0], virq);
    }
    domain_put(d);
}

int virq_set_handler(unsigned int virq, struct domain *d)
{
    struct domain *old;

    if (virq >= NR_VIRQS || !virq_is_global(virq) || domain_is_dying(d)) {
        return -EINVAL;
    }
    if (domain_is_dom0(d)) {
        d = NULL;
    } else {
        domain_hold(d);
    }
    spin_lock(&handler_lock);
    old = handler[virq];
    __atomic_store_n(&handler[virq], d, __ATOMIC_RELEASE);
    spin_unlock(&handler_lock);
    if (old != NULL) {
        domain_put(old);
    }
    return 0;
}

domid_t virq_get_handler(unsigned int virq)
{
    domid_t domid = 0;

    if (virq >= NR_VIRQS) {
        return DOMID_INVALID;
    }
    spin_lock(&handler_lock);
    if (handler[virq] != NULL) {
        domid = handler[virq]->domid;
    } else if (dom0 != NULL) {
        domid = dom0->domid;
    }
    spin_unlock(&handler_lock);
    return domid;
}

void virq_forget_domain(struct domain *d)
{
    for (unsigned int i = 0; i < NR_VIRQS; i++) {
        bool was = false;

        spin_lock(&handler_lock);
        if (handler[i] == d) {
            __atomic_store_n(&handler[i], NULL, __ATOMIC_RELEASE);
            was = true;
        }
        spin_unlock(&handler_lock);
        if (was) {
            domain_put(d);
        }
    }
}

void virq_init(void)
{
    pirq_init();
}
