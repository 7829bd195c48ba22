/* SPDX-License-Identifier: MIT */
/*
 * domain/pirq.c - physical interrupts of domains.
 *
 * The event lock of the domain guards its numbers and their bindings.
 */
#include "domain/pirq.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "cpu/softirq.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "domain/evtchn_impl.h"
#include "domain/frame_use.h"
#include "domain/rights.h"

struct pirq {
    struct domain *domain;
    unsigned int number;
    unsigned int irq;
    evtchn_port_t port; /* 0: not bound */
    bool is_msi;
};

struct pirq_domain {
    struct pirq *pirq[NR_PIRQS];
    uint64_t *eoi_map; /* guest memory; NULL: none */
    mfn_t eoi_map_mfn;
    bool auto_unmask;
};

/*
 * Set by the interrupt handler, taken by the softirq.  by_irq is written
 * while the irq has no handler and its bit in fired is clear or harmless:
 * the softirq finds NULL and forgets it.
 */
static uint64_t fired[NR_IRQS / 64];
static struct pirq *by_irq[NR_IRQS];

static void pirq_fired(void *arg)
{
    const struct pirq *p = arg;

    atomic_or(&fired[p->irq / 64], BIT(p->irq % 64));
    softirq_raise(SOFTIRQ_IRQ);
}

static void pirq_softirq(void)
{
    for (unsigned int w = 0; w < ARRAY_SIZE(fired); w++) {
        uint64_t bits = READ_ONCE(fired[w]);

        if (bits == 0) {
            continue;
        }
        bits = atomic_xchg(&fired[w], 0);
        while (bits != 0) {
            unsigned int bit = bit_lowest(bits);
            const struct pirq *p =
                __atomic_load_n(&by_irq[w * 64 + bit], __ATOMIC_ACQUIRE);

            bits &= bits - 1;
            if (p != NULL) {
                evtchn_set_pending(p->domain, p->port);
            }
        }
    }
}

void pirq_init(void)
{
    softirq_plug(SOFTIRQ_IRQ, pirq_softirq);
}

/* NULL: no such number, or nothing behind it.  Event lock held. */
static struct pirq *pirq_find(const struct domain *d, unsigned int number)
{
    const struct pirq_domain *pd = d->evtchn->pirqs;

    return pd != NULL && number < NR_PIRQS
               ? pd->pirq[index_nospec(number, NR_PIRQS)]
               : NULL;
}

static struct pirq_domain *pirqs_of(struct domain *d)
{
    if (d->evtchn->pirqs == NULL) {
        d->evtchn->pirqs = heap_alloc(sizeof(struct pirq_domain));
    }
    return d->evtchn->pirqs;
}

static int find_by_irq(const struct domain *d, unsigned int irq)
{
    const struct pirq_domain *pd = d->evtchn->pirqs;

    for (unsigned int i = 0; pd != NULL && i < NR_PIRQS; i++) {
        if (pd->pirq[i] != NULL && pd->pirq[i]->irq == irq) {
            return (int)i;
        }
    }
    return PIRQ_ANY;
}

int pirq_of_irq(struct domain *d, unsigned int irq)
{
    int number;

    spin_lock(&d->evtchn->lock);
    number = find_by_irq(d, irq);
    spin_unlock(&d->evtchn->lock);
    return number;
}

/* @count free numbers in a row above those of the GSIs; PIRQ_ANY: none. */
static int find_free(const struct pirq_domain *pd, unsigned int count)
{
    unsigned int run = 0;

    for (unsigned int i = MAX(irq_gsi_count(), 16U); i < NR_PIRQS; i++) {
        run = pd->pirq[i] == NULL ? run + 1 : 0;
        if (run == count) {
            return (int)(i + 1 - count);
        }
    }
    return PIRQ_ANY;
}

static int pirq_add(struct domain *d, unsigned int number, unsigned int irq,
                    bool is_msi)
{
    struct pirq *p = heap_alloc(sizeof(*p));

    if (p == NULL) {
        return -ENOMEM;
    }
    p->domain = d;
    p->number = number;
    p->irq = irq;
    p->is_msi = is_msi;
    d->evtchn->pirqs->pirq[number] = p;
    return 0;
}

int pirq_map_gsi(struct domain *d, unsigned int gsi, int wanted,
                 unsigned int *ret_pirq)
{
    struct pirq_domain *pd;
    int have, rc = 0;

    if (gsi >= irq_gsi_count()) {
        return -EINVAL;
    }
    if (!rights_irq_ok(d, gsi)) {
        return -EPERM;
    }
    spin_lock(&d->evtchn->lock);
    pd = pirqs_of(d);
    if (pd == NULL || domain_is_dying(d)) {
        rc = pd == NULL ? -ENOMEM : -EINVAL;
        goto out_unlock;
    }
    have = find_by_irq(d, gsi);
    if (have != PIRQ_ANY) {
        if (wanted != PIRQ_ANY && wanted != have) {
            rc = -EINVAL;
        } else {
            *ret_pirq = (unsigned int)have;
        }
        goto out_unlock;
    }
    if (wanted == PIRQ_ANY) {
        wanted = gsi < NR_PIRQS && pd->pirq[gsi] == NULL ? (int)gsi
                                                         : find_free(pd, 1);
    }
    if (wanted == PIRQ_ANY) {
        rc = -ENOSPC;
    } else if (wanted < 0 || wanted >= (int)NR_PIRQS ||
               pd->pirq[wanted] != NULL) {
        rc = -EINVAL;
    } else {
        rc = pirq_add(d, (unsigned int)wanted, gsi, false);
    }
    if (rc == 0) {
        *ret_pirq = (unsigned int)wanted;
    }
out_unlock:
    spin_unlock(&d->evtchn->lock);
    return rc;
}

/* Forget one number.  Event lock held. */
static void pirq_drop(struct domain *d, struct pirq *p)
{
    if (p->port != 0) {
        irq_unbind(p->irq);
        __atomic_store_n(&by_irq[p->irq], NULL, __ATOMIC_RELEASE);
    }
    if (p->is_msi) {
        irq_msi_free(p->irq);
    }
    d->evtchn->pirqs->pirq[p->number] = NULL;
    heap_free(p);
}

int pirq_map_msi(struct domain *d, const struct msi_request *req, int wanted,
                 unsigned int *ret_pirq)
{
    struct pirq_domain *pd;
    unsigned int irq, i;
    int rc;

    rc = irq_msi_alloc(req, &irq);
    if (rc != 0) {
        return rc;
    }
    spin_lock(&d->evtchn->lock);
    pd = pirqs_of(d);
    if (pd == NULL || domain_is_dying(d)) {
        rc = pd == NULL ? -ENOMEM : -EINVAL;
        goto out_free;
    }
    if (wanted == PIRQ_ANY) {
        wanted = find_free(pd, req->count);
    }
    if (wanted == PIRQ_ANY) {
        rc = -ENOSPC;
        goto out_free;
    }
    if (wanted < 0 || (unsigned int)wanted > NR_PIRQS - req->count) {
        rc = -EINVAL;
        goto out_free;
    }
    for (i = 0; i < req->count; i++) {
        if (pd->pirq[(unsigned int)wanted + i] != NULL) {
            rc = -EINVAL;
            goto out_free;
        }
    }
    for (i = 0; i < req->count; i++) {
        rc = pirq_add(d, (unsigned int)wanted + i, irq + i, true);
        if (rc != 0) {
            goto out_drop;
        }
    }
    *ret_pirq = (unsigned int)wanted;
    spin_unlock(&d->evtchn->lock);
    return 0;

out_drop:
    while (i-- > 0) {
        struct pirq *p = pd->pirq[(unsigned int)wanted + i];

        p->is_msi = false; /* its irq is freed below, with the others */
        pirq_drop(d, p);
    }
out_free:
    spin_unlock(&d->evtchn->lock);
    for (i = 0; i < req->count; i++) {
        irq_msi_free(irq + i);
    }
    return rc;
}

int pirq_unmap(struct domain *d, unsigned int number)
{
    struct pirq *p;
    int rc = -EINVAL;

    spin_lock(&d->evtchn->lock);
    p = pirq_find(d, number);
    if (p != NULL) {
        pirq_drop(d, p);
        rc = 0;
    }
    spin_unlock(&d->evtchn->lock);
    return rc;
}

/* Show the guest whether it has to send an EOI.  Event lock held. */
static void eoi_map_update(const struct pirq_domain *pd, const struct pirq *p)
{
    if (pd->eoi_map == NULL) {
        return;
    }
    if (p->port != 0 && irq_needs_eoi(p->irq)) {
        (void)atomic_test_and_set_bit(p->number, pd->eoi_map);
    } else {
        (void)atomic_test_and_clear_bit(p->number, pd->eoi_map);
    }
}

int pirq_bind(struct domain *d, unsigned int number, evtchn_port_t port,
              bool share)
{
    struct pirq *p = pirq_find(d, number);
    int rc;

    (void)share; /* a shared line has one handler: this domain's */
    if (p == NULL) {
        return -EINVAL;
    }
    if (p->port != 0) {
        return -EEXIST;
    }
    /* Before the handler can run; another domain's claim is not touched. */
    if (!atomic_cas(&by_irq[p->irq], (struct pirq *)NULL, p)) {
        return -EBUSY;
    }
    p->port = port;
    rc = irq_bind(p->irq, pirq_fired, p, "guest");
    if (rc != 0) {
        p->port = 0;
        __atomic_store_n(&by_irq[p->irq], NULL, __ATOMIC_RELEASE);
        return rc;
    }
    eoi_map_update(d->evtchn->pirqs, p);
    return 0;
}

void pirq_unbind(struct domain *d, unsigned int number, evtchn_port_t port)
{
    struct pirq *p = pirq_find(d, number);

    if (p == NULL || p->port != port) {
        return;
    }
    irq_unbind(p->irq);
    __atomic_store_n(&by_irq[p->irq], NULL, __ATOMIC_RELEASE);
    p->port = 0;
    eoi_map_update(d->evtchn->pirqs, p);
}

int pirq_eoi(struct domain *d, unsigned int number)
{
    struct pirq *p;
    evtchn_port_t unmask = 0;

    if (number >= NR_PIRQS) {
        return -EINVAL;
    }
    spin_lock(&d->evtchn->lock);
    p = pirq_find(d, number);
    if (p != NULL && p->port != 0) {
        if (d->evtchn->pirqs->auto_unmask) {
            unmask = p->port;
        }
        irq_eoi(p->irq);
    }
    spin_unlock(&d->evtchn->lock);
    return unmask != 0 ? evtchn_unmask(d, unmask) : 0;
}

int pirq_query(struct domain *d, unsigned int number, uint32_t *ret_flags)
{
    const struct pirq *p;
    int rc = 0;

    if (number >= NR_PIRQS) {
        return -EINVAL;
    }
    *ret_flags = 0;
    spin_lock(&d->evtchn->lock);
    p = pirq_find(d, number);
    if (p == NULL) {
        rc = number < irq_gsi_count() ? 0 : -EINVAL;
    } else if (irq_needs_eoi(p->irq)) {
        *ret_flags = XENIRQSTAT_needs_eoi | XENIRQSTAT_shared;
    }
    spin_unlock(&d->evtchn->lock);
    return rc;
}

int pirq_set_eoi_map(struct domain *d, mfn_t m, bool auto_unmask)
{
    struct pirq_domain *pd;
    int rc;

    rc = frame_use_hold(m, d->domid, true);
    if (rc != 0) {
        return -EINVAL;
    }
    spin_lock(&d->evtchn->lock);
    pd = pirqs_of(d);
    if (pd == NULL) {
        rc = -ENOMEM;
    } else if (pd->eoi_map != NULL) {
        rc = -EBUSY;
    } else {
        pd->eoi_map = mfn_to_ptr(m);
        pd->eoi_map_mfn = m;
        pd->auto_unmask = auto_unmask;
        for (unsigned int i = 0; i < NR_PIRQS; i++) {
            if (pd->pirq[i] != NULL) {
                eoi_map_update(pd, pd->pirq[i]);
            }
        }
    }
    spin_unlock(&d->evtchn->lock);
    if (rc != 0) {
        frame_use_release(m, true);
    }
    return rc;
}

void pirq_domain_destroy(struct domain *d)
{
    struct pirq_domain *pd;

    spin_lock(&d->evtchn->lock);
    pd = d->evtchn->pirqs;
    for (unsigned int i = 0; pd != NULL && i < NR_PIRQS; i++) {
        if (pd->pirq[i] != NULL) {
            pirq_drop(d, pd->pirq[i]);
        }
    }
    d->evtchn->pirqs = NULL;
    spin_unlock(&d->evtchn->lock);
    if (pd != NULL && pd->eoi_map != NULL) {
        frame_use_release(pd->eoi_map_mfn, true);
    }
    heap_free(pd);
}
