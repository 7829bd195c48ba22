/* SPDX-License-Identifier: MIT */
/*
 * domain/pirq.c - physical interrupts of domains.
 *
 * The event lock of the domain guards its numbers and their bindings.
 *
 * The softirq has no lock.  It says in users[] that it looks at an irq's pirq;
 * whoever takes that away first makes it unfindable, then waits until nobody
 * looks.
 */
#include "domain/pirq.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
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
    evtchn_port_t port; /* 0: not bound                            */
    bool is_msi;
    unsigned int group; /* MSI: numbers from this one on that come
                           and go together; 0: not the first of them */
};

/* Linux takes the numbers below for ISA interrupts. */
#define ISA_PIRQS 16U

struct pirq_domain {
    struct pirq *pirq[NR_PIRQS];
    uint64_t reserved[NR_PIRQS / 64]; /* by pirq_reserve(), not mapped */
    uint64_t *eoi_map; /* guest memory; NULL: none */
    mfn_t eoi_map_mfn;
    bool auto_unmask;
};

/* Set by the interrupt handler, taken by the softirq, on any CPU. */
static uint64_t fired[NR_IRQS / 64];
static struct pirq *by_irq[NR_IRQS]; /* bound ones */
static uint32_t users[NR_IRQS];

static void pirq_fired(void *arg)
{
    const struct pirq *p = arg;

    (void)atomic_or(&fired[p->irq / 64], BIT(p->irq % 64));
    softirq_raise(SOFTIRQ_IRQ);
}

/* Next time where the vcpu is that hears of it. */
static void follow_vcpu(const struct pirq *p)
{
    const struct evtchn *chn = evtchn_of(p->domain->evtchn, p->port);
    const struct vcpu *v =
        chn != NULL ? domain_vcpu(p->domain, READ_ONCE(chn->vcpu)) : NULL;

    if (v != NULL) {
        irq_follow(p->irq, READ_ONCE(v->processor));
    }
}

static void send_event(unsigned int irq)
{
    const struct pirq *p;

    (void)atomic_add(&users[irq], 1U); /* MB(pirq_users:A), pairs with */
    p = atomic_load(&by_irq[irq]);     /* pirq_forget:B                */
    if (p != NULL) {
        evtchn_set_pending(p->domain, p->port);
        follow_vcpu(p);
    }
    (void)atomic_sub(&users[irq], 1U);
}

static void pirq_softirq(void)
{
    irq_storm_softirq();
    for (unsigned int w = 0; w < ARRAY_SIZE(fired); w++) {
        uint64_t bits = READ_ONCE(fired[w]);

        if (bits == 0) {
            continue;
        }
        bits = atomic_xchg(&fired[w], 0);
        while (bits != 0) {
            send_event(w * 64 + bit_lowest(bits));
            bits &= bits - 1;
        }
    }
}

/*
 * No softirq knows a bound irq's pirq any more.  One that does is on another
 * CPU and takes no lock but the channel's own and the queue's, neither of
 * which anybody holds who comes here.
 */
static void pirq_forget(unsigned int irq)
{
    atomic_store(&by_irq[irq], NULL); /* MB(pirq_forget:B), pairs with */
                                      /* pirq_users:A                  */
    while (atomic_load(&users[irq]) != 0) {
        cpu_relax();
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

/* Neither mapped nor reserved. */
static bool number_is_free(const struct pirq_domain *pd, unsigned int number)
{
    return pd->pirq[number] == NULL && !bit_is_set(number, pd->reserved);
}

/* @count free numbers in a row, from @first on below @end; PIRQ_ANY: none. */
static int find_between(const struct pirq_domain *pd, unsigned int first,
                        unsigned int end, unsigned int count)
{
    unsigned int run = 0;

    for (unsigned int i = first; i < end; i++) {
        run = number_is_free(pd, i) ? run + 1 : 0;
        if (run == count) {
            return (int)(i + 1 - count);
        }
    }
    return PIRQ_ANY;
}

/* @count free numbers in a row above those of the GSIs. */
static int find_free(const struct pirq_domain *pd, unsigned int count)
{
    return find_between(pd, MAX(irq_gsi_count(), ISA_PIRQS), NR_PIRQS, count);
}

static int pirq_add(struct domain *d, unsigned int number, unsigned int irq,
                    unsigned int group, bool is_msi)
{
    struct pirq_domain *pd = d->evtchn->pirqs;
    struct pirq *p = heap_alloc(sizeof(*p));

    if (p == NULL) {
        return -ENOMEM;
    }
    p->domain = d;
    p->number = number;
    p->irq = irq;
    p->group = group;
    p->is_msi = is_msi;
    pd->pirq[number] = p;
    pd->reserved[number / 64] &= ~BIT(number % 64);
    return 0;
}

int pirq_reserve(struct domain *d, bool is_gsi, unsigned int *ret_pirq)
{
    struct pirq_domain *pd;
    int number, rc = 0;

    spin_lock(&d->evtchn->lock);
    pd = pirqs_of(d);
    if (pd == NULL || domain_is_dying(d)) {
        rc = pd == NULL ? -ENOMEM : -EINVAL;
        goto out_unlock;
    }
    number = is_gsi ? find_between(pd, ISA_PIRQS,
                                   MIN(irq_gsi_count(), NR_PIRQS), 1)
                    : find_free(pd, 1);
    if (number == PIRQ_ANY) {
        rc = -ENOSPC;
        goto out_unlock;
    }
    pd->reserved[number / 64] |= BIT((unsigned int)number % 64);
    *ret_pirq = (unsigned int)number;
out_unlock:
    spin_unlock(&d->evtchn->lock);
    return rc;
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
        wanted = gsi < NR_PIRQS && number_is_free(pd, gsi) ? (int)gsi
                                                           : find_free(pd, 1);
    }
    if (wanted == PIRQ_ANY) {
        rc = -ENOSPC;
    } else if (wanted < 0 || wanted >= (int)NR_PIRQS ||
               pd->pirq[wanted] != NULL) {
        rc = -EINVAL;
    } else {
        rc = pirq_add(d, (unsigned int)wanted, gsi, 1, false);
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
        pirq_forget(p->irq);
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
        rc = pirq_add(d, (unsigned int)wanted + i, irq + i,
                      i == 0 ? req->count : 0, true);
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
    struct pirq_domain *pd;
    const struct pirq *p;
    int rc = -EINVAL;

    spin_lock(&d->evtchn->lock);
    pd = d->evtchn->pirqs;
    p = pirq_find(d, number);
    if (p != NULL && p->group != 0) {
        /* Nobody asks for the others of a block: Linux frees the first. */
        for (unsigned int i = 0, count = p->group; i < count; i++) {
            pirq_drop(d, pd->pirq[number + i]);
        }
        rc = 0;
    } else if (p == NULL && pd != NULL && number < NR_PIRQS &&
               bit_is_set(number, pd->reserved)) {
        pd->reserved[number / 64] &= ~BIT(number % 64);
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
    /* Mapped while it had the right to it, which may have gone since. */
    if (!p->is_msi && !rights_irq_ok(d, p->irq)) {
        return -EPERM;
    }
    p->port = port;
    /* Before the handler can run; another domain's claim is not touched. */
    if (!atomic_cas(&by_irq[p->irq], (struct pirq *)NULL, p)) {
        p->port = 0;
        return -EBUSY;
    }
    rc = irq_bind(p->irq, pirq_fired, p, "guest");
    if (rc != 0) {
        pirq_forget(p->irq);
        p->port = 0;
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
    pirq_forget(p->irq);
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
