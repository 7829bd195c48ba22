/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn.c - storage of channels, sending, masks, the end of ports.
 */
#include "domain/evtchn.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "log/printk.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/evtchn_impl.h"
#include "domain/pirq.h"
#include "domain/virq.h"

/* ---- life ------------------------------------------------------------- */

int evtchn_domain_init(struct domain *d, uint32_t max_port)
{
    struct evtchn_domain *ed = heap_alloc(sizeof(*ed));

    if (ed == NULL) {
        return -ENOMEM;
    }
    ed->max_port = MIN(max_port, (uint32_t)EVTCHN_PORTS_FIFO - 1);
    ed->bucket_max = (unsigned int)(ed->max_port / EVTCHN_PER_BUCKET + 1);
    ed->bucket = heap_alloc(ed->bucket_max * sizeof(struct evtchn *));
    if (ed->bucket == NULL) {
        heap_free(ed);
        return -ENOMEM;
    }
    ed->free_hint = 1; /* port 0 means "none" in many places of the ABI */
    spin_lock_init(&ed->lock, "evtchn", LOCK_RANK_EVTCHN, IRQ_ANY);
    d->evtchn = ed;
    return 0;
}

/*
 * Close everything from where the last call stopped.  The progress stays when
 * all is closed: what comes after it may be interrupted, too.
 */
static int close_all(struct domain *d, bool (*should_stop)(void))
{
    struct evtchn_domain *ed = d->evtchn;
    evtchn_port_t end = (evtchn_port_t)(ed->bucket_count * EVTCHN_PER_BUCKET);

    while (ed->close_next < end) {
        evtchn_port_t port = ed->close_next++;
        int rc = evtchn_close(d, port);

        (void)rc; /* -EINVAL: it was free */
        if (port % 64 == 63 && should_stop != NULL && should_stop()) {
            return -ERESTART;
        }
    }
    return 0;
}

/*
 * Nothing is bound from here on, and one CPU closes what is: false: another
 * one is at it.  The event lock: who had got a port has bound it by now.
 */
static bool closing_begin(struct evtchn_domain *ed)
{
    if (atomic_xchg(&ed->closer, 1u) != 0) {
        return false;
    }
    spin_lock(&ed->lock);
    ed->closing = true;
    spin_unlock(&ed->lock);
    return true;
}

static void closing_pause(struct evtchn_domain *ed)
{
    __atomic_store_n(&ed->closer, 0, __ATOMIC_RELEASE);
}

int evtchn_reset(struct domain *d, bool (*should_stop)(void))
{
    struct evtchn_domain *ed = d->evtchn;
    int rc;

    if (!closing_begin(ed)) {
        return -ERESTART;
    }
    rc = close_all(d, should_stop);
    if (rc == 0) {
        rc = evtchn_fifo_destroy(d, should_stop);
    }
    if (rc == 0) {
        ed->close_next = 0;
        spin_lock(&ed->lock);
        ed->free_hint = 1;
        ed->closing = false;
        spin_unlock(&ed->lock);
    }
    closing_pause(ed);
    return rc;
}

int evtchn_domain_destroy(struct domain *d, bool (*should_stop)(void))
{
    struct evtchn_domain *ed = d->evtchn;
    int rc;

    if (ed == NULL) {
        return 0;
    }
    if (!closing_begin(ed)) {
        return -ERESTART;
    }
    rc = close_all(d, should_stop);
    if (rc == 0) {
        rc = evtchn_fifo_destroy(d, should_stop);
    }
    closing_pause(ed);
    if (rc == 0) {
        pirq_domain_destroy(d);
        virq_forget_domain(d);
    }
    return rc;
}

bool evtchn_domain_free(struct domain *d, unsigned int *budget)
{
    struct evtchn_domain *ed = d->evtchn;

    if (ed == NULL) {
        return true;
    }
    BUG_ON(ed->fifo != NULL || ed->going != NULL);
    for (; ed->bucket_count != 0; (*budget)--) {
        if (*budget == 0) {
            return false;
        }
        ed->bucket_count--;
        hv_page_free(ed->bucket[ed->bucket_count]);
    }
    heap_free(ed->bucket);
    heap_free(ed);
    d->evtchn = NULL;
    return true;
}

/* ---- ports ------------------------------------------------------------ */

/* Highest port + 1 in the ABI the domain uses. */
static evtchn_port_t port_limit(const struct evtchn_domain *ed)
{
    uint32_t limit = ed->max_port + 1;

    return ed->fifo != NULL ? limit : MIN(limit, EVTCHN_PORTS_2L);
}

/* A free port whose word is still in a queue: the guest has yet to pass it. */
static bool port_is_busy(struct domain *d, struct evtchn *chn)
{
    uint32_t word;

    return evtchn_fifo_word(d, chn, &word) &&
           (word & (1U << EVTCHN_FIFO_LINKED)) != 0;
}

static int bucket_add(struct evtchn_domain *ed)
{
    struct evtchn *b;

    if (ed->bucket_count == ed->bucket_max) {
        return -ENOSPC;
    }
    b = hv_page_alloc();
    if (b == NULL) {
        return -ENOMEM;
    }
    for (unsigned int i = 0; i < EVTCHN_PER_BUCKET; i++) {
        b[i].port = (evtchn_port_t)(ed->bucket_count * EVTCHN_PER_BUCKET + i);
        b[i].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
        b[i].last = FIFO_QUEUE(0, EVTCHN_FIFO_PRIORITY_DEFAULT);
    }
    ed->bucket[ed->bucket_count] = b;
    /* Release: pairs with the acquire in evtchn_of(). */
    __atomic_store_n(&ed->bucket_count, ed->bucket_count + 1, __ATOMIC_RELEASE);
    return 0;
}

int evtchn_alloc_locked(struct domain *d, struct evtchn **ret_chn)
{
    struct evtchn_domain *ed = d->evtchn;
    evtchn_port_t first_busy = 0;

    if (domain_is_dying(d)) {
        return -EINVAL; /* INV-DOM-1 */
    }
    if (ed->closing) {
        return -EBUSY;
    }
    for (evtchn_port_t port = ed->free_hint; port < port_limit(ed); port++) {
        struct evtchn *chn = evtchn_of(ed, port);

        if (chn == NULL) {
            int rc = bucket_add(ed);

            if (rc != 0) {
                return rc;
            }
            chn = evtchn_of(ed, port);
        }
        if (chn->state != EVTCHN_FREE) {
            continue;
        }
        if (port_is_busy(d, chn)) {
            first_busy = first_busy != 0 ? first_busy : port;
            continue;
        }
        ed->free_hint = first_busy != 0 ? first_busy : port + 1;
        WRITE_ONCE(chn->vcpu, 0);
        WRITE_ONCE(chn->priority, EVTCHN_FIFO_PRIORITY_DEFAULT);
        *ret_chn = chn;
        return 0;
    }
    return -ENOSPC;
}

void evtchn_free_locked(struct domain *d, struct evtchn *chn)
{
    struct evtchn_domain *ed = d->evtchn;

    /* Not pending before it is free: a new user must not see an old event. */
    WRITE_ONCE(chn->state, EVTCHN_FREE);
    if (ed->fifo != NULL) {
        evtchn_fifo_clear(d, chn);
    } else {
        WRITE_ONCE(chn->is_pending_early, false);
        (void)evtchn_2l_clear(d, chn);
    }
    chn->u.interdomain.remote = NULL; /* the largest of the union */
    chn->u.interdomain.remote_port = 0;
    if (chn->port < ed->free_hint && chn->port != 0) {
        ed->free_hint = chn->port;
    }
}

void evtchn_lock_two(struct domain *a, struct domain *b)
{
    struct spinlock *la = &a->evtchn->lock, *lb = &b->evtchn->lock;

    if (la == lb) {
        spin_lock(la);
    } else if ((uintptr_t)la < (uintptr_t)lb) {
        spin_lock(la);
        spin_lock(lb);
    } else {
        spin_lock(lb);
        spin_lock(la);
    }
}

void evtchn_unlock_two(struct domain *a, struct domain *b)
{
    spin_unlock(&a->evtchn->lock);
    if (a != b) {
        spin_unlock(&b->evtchn->lock);
    }
}

/* ---- sending ---------------------------------------------------------- */

/* SCHEDOP_poll: whoever waits for this port may run again. */
static void wake_pollers(struct domain *d, evtchn_port_t port)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];
        evtchn_port_t polled;

        if (v == NULL) {
            continue;
        }
        polled = READ_ONCE(v->poll_port);
        if (polled != 0 && (polled == port || polled == EVTCHN_POLL_SEVERAL)) {
            vcpu_poll_end(v);
            vcpu_kick(v);
        }
    }
}

/* It was set in the bitmap: somebody polls, or the ABI has changed since. */
static NOINLINE void pended_2l(struct domain *d, struct evtchn *chn,
                               bool is_new)
{
    if (is_new) {
        evtchn_2l_tell(d, chn);
        wake_pollers(d, chn->port);
    }
    /*
     * MB(evtchn_switch:A): the bit before this look, and the one in
     * evtchn_pend(); pairs with evtchn_switch:B.  One of us sees what the other
     * did: a bit that was set while the guest went over to the FIFO ABI is
     * carried over.
     */
    if (READ_ONCE(d->evtchn->fifo) != NULL && evtchn_2l_clear(d, chn)) {
        (void)evtchn_fifo_pend(d, chn);
        wake_pollers(d, chn->port);
    }
}

static NOINLINE void pend_fifo(struct domain *d, struct evtchn *chn)
{
    enum evtchn_pended pended = evtchn_fifo_pend(d, chn);

    if (pended == EVTCHN_PENDED_NOW && unlikely(READ_ONCE(d->pollers) != 0)) {
        wake_pollers(d, chn->port);
    }
    if (unlikely(pended == EVTCHN_PENDED_NOT)) { /* being reset */
        pended_2l(d, chn, evtchn_2l_set(d, chn));
    }
}

/* What comes last in each case is called last: nothing is saved for it. */
void evtchn_pend(struct domain *d, struct evtchn *chn)
{
    bool is_new;

    if (READ_ONCE(d->evtchn->fifo) != NULL) {
        pend_fifo(d, chn);
        return;
    }
    is_new = evtchn_2l_set(d, chn);
    if (unlikely(READ_ONCE(d->evtchn->fifo) != NULL) ||
        unlikely(READ_ONCE(d->pollers) != 0)) {
        pended_2l(d, chn, is_new);
        return;
    }
    if (is_new) {
        evtchn_2l_tell(d, chn);
    }
}

void evtchn_set_pending(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn;

    if (d->evtchn == NULL) {
        return;
    }
    chn = evtchn_of(d->evtchn, port);
    if (chn != NULL) {
        evtchn_own_lock(chn);
        if (chn->state != EVTCHN_FREE) {
            evtchn_pend(d, chn);
        }
        evtchn_own_unlock(chn);
    }
}

int evtchn_send(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn = evtchn_of(d->evtchn, port);
    enum evtchn_state state;
    int rc = 0;

    if (chn == NULL) {
        return -EINVAL;
    }
    evtchn_own_lock(chn);
    /* Acquire: what it is bound to was stored before. */
    state = (enum evtchn_state)__atomic_load_n(&chn->state, __ATOMIC_ACQUIRE);
    if (likely(state == EVTCHN_INTERDOMAIN)) {
        /* Whoever cuts the connection needs our lock: the end is there. */
        struct domain *r = chn->u.interdomain.remote;

        evtchn_pend(r, evtchn_at(r->evtchn, chn->u.interdomain.remote_port));
    } else if (state == EVTCHN_IPI) {
        evtchn_pend(d, chn);
    } else if (state != EVTCHN_UNBOUND) { /* that end is gone or yet to come */
        rc = -EINVAL;
    }
    evtchn_own_unlock(chn);
    return rc;
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn = evtchn_of(d->evtchn, port);
    int rc = -EINVAL;

    if (chn == NULL) {
        return rc;
    }
    evtchn_own_lock(chn);
    if (chn->state != EVTCHN_FREE) {
        rc = 0;
        if (!evtchn_fifo_unmask(d, chn)) {
            evtchn_2l_unmask(d, chn);
        }
    }
    evtchn_own_unlock(chn);
    return rc;
}

bool evtchn_is_pending(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn = evtchn_of(d->evtchn, port);
    uint32_t word;

    if (chn == NULL) {
        return false;
    }
    if (evtchn_fifo_word(d, chn, &word)) {
        return (word & (1U << EVTCHN_FIFO_PENDING)) != 0;
    }
    return evtchn_2l_is_pending(d, chn);
}

bool evtchn_port_usable(struct domain *d, evtchn_port_t port)
{
    return evtchn_of(d->evtchn, port) != NULL && port <= d->evtchn->max_port;
}

bool evtchn_vcpu_has_pending(const struct vcpu *v)
{
    return READ_ONCE(v->vcpu_info->evtchn_upcall_pending) != 0;
}

/* ---- looking ---------------------------------------------------------- */

int evtchn_status(struct domain *d, evtchn_port_t port,
                  struct evtchn_status *ret_status)
{
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn *chn;

    spin_lock(&ed->lock);
    chn = evtchn_of(ed, port);
    if (chn == NULL) {
        spin_unlock(&ed->lock);
        return -EINVAL;
    }
    ret_status->u.interdomain.dom = 0; /* the largest of the union */
    ret_status->u.interdomain.port = 0;
    ret_status->vcpu = chn->vcpu;
    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_FREE:
        ret_status->status = EVTCHNSTAT_closed;
        break;
    case EVTCHN_UNBOUND:
        ret_status->status = EVTCHNSTAT_unbound;
        ret_status->u.unbound.dom = chn->u.unbound.remote;
        break;
    case EVTCHN_INTERDOMAIN:
        ret_status->status = EVTCHNSTAT_interdomain;
        ret_status->u.interdomain.dom = chn->u.interdomain.remote->domid;
        ret_status->u.interdomain.port = chn->u.interdomain.remote_port;
        break;
    case EVTCHN_PIRQ:
        ret_status->status = EVTCHNSTAT_pirq;
        ret_status->u.pirq = chn->u.pirq;
        break;
    case EVTCHN_VIRQ:
        ret_status->status = EVTCHNSTAT_virq;
        ret_status->u.virq = chn->u.virq;
        break;
    case EVTCHN_IPI:
        ret_status->status = EVTCHNSTAT_ipi;
        break;
    }
    spin_unlock(&ed->lock);
    return 0;
}

unsigned int evtchn_count(const struct domain *d)
{
    unsigned int count = 0;

    for (evtchn_port_t port = 0;; port++) {
        const struct evtchn *chn = evtchn_of(d->evtchn, port);

        if (chn == NULL) {
            return count;
        }
        count += READ_ONCE(chn->state) != EVTCHN_FREE;
    }
}

static const char *const state_name[] = {
    [EVTCHN_FREE] = "free",
    [EVTCHN_UNBOUND] = "unbound",
    [EVTCHN_INTERDOMAIN] = "interdomain",
    [EVTCHN_PIRQ] = "pirq",
    [EVTCHN_VIRQ] = "virq",
    [EVTCHN_IPI] = "ipi",
};

static bool port_is_masked(struct domain *d, struct evtchn *chn)
{
    uint32_t word;

    if (evtchn_fifo_word(d, chn, &word)) {
        return (word & (1U << EVTCHN_FIFO_MASKED)) != 0;
    }
    return evtchn_2l_is_masked(d, chn);
}

void evtchn_dump(struct domain *d)
{
    struct evtchn_domain *ed = d->evtchn;

    pr_info("event channels of d%u (%s):", d->domid,
            ed->fifo != NULL ? "FIFO" : "2-level");
    for (evtchn_port_t port = 1;; port++) {
        struct evtchn_status s;
        struct evtchn *chn = evtchn_of(ed, port);

        if (chn == NULL) {
            break;
        }
        if (evtchn_status(d, port, &s) != 0 || s.status == EVTCHNSTAT_closed) {
            continue;
        }
        pr_info("  port %u: %s vcpu %u pending %d masked %d remote d%u port %u",
                port, state_name[chn->state], s.vcpu,
                evtchn_is_pending(d, port), port_is_masked(d, chn),
                s.status == EVTCHNSTAT_interdomain ? s.u.interdomain.dom
                                                   : s.u.unbound.dom,
                s.status == EVTCHNSTAT_interdomain ? s.u.interdomain.port : 0);
    }
}
