/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_fifo.c - linked event words with priorities.
 *
 * An event word (one a port, in guest memory):
 *
 *   31 PENDING  30 MASKED  29 LINKED  28 BUSY   16..0 LINK: next port
 *
 * A pending, unmasked word is linked to the tail of a queue of its vcpu; the
 * control block has the head of each queue and a bit "ready" for each.  The
 * guest consumes from the head and clears LINKED as it takes a word; we only
 * append, and only we remember the tail.  BUSY asks the guest to leave a word
 * alone for a moment.
 *
 * Every word is the guest's to spoil: a spoiled link loses that guest's own
 * events and nothing else.  No loop here depends on what a word says.
 */
#include "domain/evtchn_impl.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "domain/frame_use.h"

#define WORD_PENDING   (1U << EVTCHN_FIFO_PENDING)
#define WORD_MASKED    (1U << EVTCHN_FIFO_MASKED)
#define WORD_LINKED    (1U << EVTCHN_FIFO_LINKED)
#define WORD_BUSY      (1U << EVTCHN_FIFO_BUSY)
#define WORD_LINK_MASK ((uint32_t)EVTCHN_FIFO_LINK_MASK)

#define SET_LINK_TRIES 4

/* NULL: the guest has not given the page yet.  Queue lock held. */
static event_word_t *word_of(const struct evtchn_fifo *fifo, evtchn_port_t port)
{
    uint64_t page = port / FIFO_WORDS_PER_PAGE;

    if (page >= fifo->page_count) {
        return NULL;
    }
    page = index_nospec(page, fifo->page_count);
    return &fifo->words[page][port % FIFO_WORDS_PER_PAGE];
}

/*
 * Append @link to the queue whose tail @word is.  False: the guest has taken
 * the tail already, so the queue is empty and @link becomes its head.
 */
static bool set_link(event_word_t *word, evtchn_port_t link)
{
    uint32_t w = READ_ONCE(*word);

    if (!(w & WORD_LINKED)) {
        return false;
    }
    if (atomic_cas(word, w, (w & ~WORD_LINK_MASK) | link)) {
        return true;
    }
    /* The guest is changing it at this moment: ask it to wait. */
    w = atomic_or(word, WORD_BUSY) | WORD_BUSY;
    for (unsigned int i = 0; i < SET_LINK_TRIES; i++) {
        if (!(w & WORD_LINKED)) {
            atomic_and(word, ~WORD_BUSY);
            return false;
        }
        if (atomic_cas(word, w, (w & ~(WORD_BUSY | WORD_LINK_MASK)) | link)) {
            return true;
        }
        w = READ_ONCE(*word);
    }
    /* It does not wait.  Its queue is its own; claim success and go on. */
    atomic_and(word, ~WORD_BUSY);
    return true;
}

/* Link a word that is pending.  Queue lock held. */
static struct vcpu *link_word(struct domain *d, struct evtchn *chn,
                              event_word_t *word)
{
    struct evtchn_fifo *fifo = d->evtchn->fifo;
    struct vcpu *v = d->vcpu[READ_ONCE(chn->vcpu)];
    struct vcpu *last = d->vcpu[chn->last_vcpu];
    uint8_t priority = READ_ONCE(chn->priority);
    evtchn_port_t *tail;
    bool linked = false;

    if ((READ_ONCE(*word) & (WORD_MASKED | WORD_LINKED)) != 0 || v == NULL ||
        v->evtchn == NULL || v->evtchn->block == NULL) {
        return NULL;
    }
    if (atomic_or(word, WORD_LINKED) & WORD_LINKED) {
        return NULL;
    }
    /*
     * If it is still remembered as a tail, the guest has emptied that queue:
     * nothing may be appended to it there, its link is about to serve here.
     */
    if (last != NULL && last->evtchn != NULL) {
        tail = &last->evtchn->tail[chn->last_priority];
        if (*tail == chn->port) {
            *tail = 0;
        }
    }
    chn->last_vcpu = (uint16_t)v->vcpu_id;
    chn->last_priority = priority;

    tail = &v->evtchn->tail[priority];
    if (*tail != 0) {
        event_word_t *tail_word = word_of(fifo, *tail);

        linked = tail_word != NULL && set_link(tail_word, chn->port);
    }
    if (!linked) {
        WRITE_ONCE(v->evtchn->block->head[priority], chn->port);
    }
    *tail = chn->port;
    if (!linked &&
        !atomic_test_and_set_bit(priority, &v->evtchn->block->ready)) {
        return v;
    }
    return NULL;
}

bool evtchn_fifo_pend(struct domain *d, struct evtchn *chn, bool *ret_new)
{
    struct evtchn_domain *ed = d->evtchn;
    struct vcpu *tell = NULL;
    event_word_t *word;

    spin_lock(&ed->queue_lock);
    if (ed->fifo == NULL) {
        spin_unlock(&ed->queue_lock);
        return false;
    }
    word = word_of(ed->fifo, chn->port);
    if (word == NULL) {
        *ret_new = !chn->is_pending_early;
        chn->is_pending_early = true;
    } else {
        *ret_new = !(atomic_or(word, WORD_PENDING) & WORD_PENDING);
        tell = link_word(d, chn, word);
    }
    spin_unlock(&ed->queue_lock);
    if (tell != NULL) {
        vcpu_mark_events_pending(tell);
    }
    return true;
}

bool evtchn_fifo_unmask(struct domain *d, struct evtchn *chn)
{
    struct evtchn_domain *ed = d->evtchn;
    struct vcpu *tell = NULL;
    event_word_t *word;

    spin_lock(&ed->queue_lock);
    if (ed->fifo == NULL) {
        spin_unlock(&ed->queue_lock);
        return false;
    }
    word = word_of(ed->fifo, chn->port);
    if (word != NULL) {
        atomic_and(word, ~WORD_MASKED);
        if (READ_ONCE(*word) & WORD_PENDING) {
            tell = link_word(d, chn, word);
        }
    }
    spin_unlock(&ed->queue_lock);
    if (tell != NULL) {
        vcpu_mark_events_pending(tell);
    }
    return true;
}

bool evtchn_fifo_word(struct domain *d, const struct evtchn *chn,
                      uint32_t *ret_word)
{
    struct evtchn_domain *ed = d->evtchn;
    const event_word_t *word;
    bool is_fifo;

    spin_lock(&ed->queue_lock);
    is_fifo = ed->fifo != NULL;
    if (is_fifo) {
        word = word_of(ed->fifo, chn->port);
        if (word != NULL) {
            *ret_word = READ_ONCE(*word);
        } else {
            *ret_word = chn->is_pending_early ? WORD_PENDING : 0;
        }
    }
    spin_unlock(&ed->queue_lock);
    return is_fifo;
}

void evtchn_fifo_clear(struct domain *d, struct evtchn *chn)
{
    struct evtchn_domain *ed = d->evtchn;
    event_word_t *word;

    spin_lock(&ed->queue_lock);
    chn->is_pending_early = false;
    word = ed->fifo != NULL ? word_of(ed->fifo, chn->port) : NULL;
    if (word != NULL) {
        /* It stays linked until the guest has gone past it. */
        atomic_and(word, ~WORD_PENDING);
    }
    spin_unlock(&ed->queue_lock);
}

/* Bits that were pending in the bitmaps move to the words when they come. */
static void carry_over_2l(struct domain *d)
{
    struct evtchn_domain *ed = d->evtchn;

    for (evtchn_port_t port = 1; port < EVTCHN_PORTS_2L; port++) {
        struct evtchn *chn = evtchn_of(ed, port);

        if (chn == NULL) {
            break;
        }
        chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
        if (chn->state != EVTCHN_FREE && evtchn_2l_is_pending(d, chn)) {
            chn->is_pending_early = true;
        }
    }
}

int evtchn_fifo_init_control(struct vcpu *v, mfn_t m, uint32_t offset)
{
    struct domain *d = v->domain;
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn_vcpu *ev = NULL;
    struct evtchn_fifo *fifo = NULL;
    uint8_t *page;
    int rc;

    if (offset % 8 != 0 ||
        offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block)) {
        return -EINVAL;
    }
    rc = frame_use_hold(m, d->domid, true);
    if (rc != 0) {
        return -EINVAL;
    }
    ev = heap_alloc(sizeof(*ev));
    fifo = heap_alloc(sizeof(*fifo));
    if (ev == NULL || fifo == NULL) {
        rc = -ENOMEM;
        goto out_free;
    }

    spin_lock(&ed->lock);
    if (domain_is_dying(d) || v->evtchn != NULL) {
        spin_unlock(&ed->lock);
        rc = -EINVAL;
        goto out_free;
    }
    page = mfn_to_ptr(m);
    ev->block = (void *)(page + offset);
    ev->block_mfn = m;
    spin_lock(&ed->queue_lock);
    memset(ev->block, 0, sizeof(*ev->block));
    v->evtchn = ev;
    if (ed->fifo == NULL) {
        carry_over_2l(d);
        ed->fifo = fifo;
        fifo = NULL;
    }
    spin_unlock(&ed->queue_lock);
    spin_unlock(&ed->lock);
    heap_free(fifo);
    return 0;

out_free:
    heap_free(fifo);
    heap_free(ev);
    frame_use_release(m, true);
    return rc;
}

int evtchn_fifo_expand_array(struct domain *d, mfn_t m)
{
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn_fifo *fifo;
    evtchn_port_t first;
    int rc;

    if (READ_ONCE(ed->fifo) == NULL) {
        return -EOPNOTSUPP; /* whatever the frame is; looked at again below */
    }
    rc = frame_use_hold(m, d->domid, true);
    if (rc != 0) {
        return -EINVAL;
    }
    spin_lock(&ed->lock);
    fifo = ed->fifo;
    if (fifo == NULL || domain_is_dying(d)) {
        rc = -EOPNOTSUPP;
    } else if (fifo->page_count == FIFO_PAGES_MAX) {
        rc = -ENOSPC;
    }
    if (rc != 0) {
        spin_unlock(&ed->lock);
        frame_use_release(m, true);
        return rc;
    }
    spin_lock(&ed->queue_lock);
    first = (evtchn_port_t)(fifo->page_count * FIFO_WORDS_PER_PAGE);
    fifo->words[fifo->page_count] = mfn_to_ptr(m);
    fifo->page[fifo->page_count] = m;
    fifo->page_count++;
    spin_unlock(&ed->queue_lock);

    /* What came before there was a word for it. */
    for (evtchn_port_t port = first; port < first + FIFO_WORDS_PER_PAGE;
         port++) {
        struct evtchn *chn = evtchn_of(ed, port);

        if (chn == NULL) {
            break;
        }
        if (chn->is_pending_early) {
            chn->is_pending_early = false;
            evtchn_pend(d, chn);
        }
    }
    spin_unlock(&ed->lock);
    return 0;
}

int evtchn_set_priority(struct domain *d, evtchn_port_t port, uint32_t priority)
{
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn *chn;
    int rc = 0;

    if (priority > EVTCHN_FIFO_PRIORITY_MIN) {
        return -EINVAL;
    }
    spin_lock(&ed->lock);
    chn = evtchn_of(ed, port);
    if (chn == NULL || chn->state == EVTCHN_FREE) {
        rc = -EINVAL;
    } else if (ed->fifo == NULL) {
        rc = -EOPNOTSUPP;
    } else {
        /* Takes effect when it is linked next; no need to move it now. */
        WRITE_ONCE(chn->priority, (uint8_t)priority);
    }
    spin_unlock(&ed->lock);
    return rc;
}

void evtchn_vcpu_free(struct vcpu *v)
{
    struct evtchn_domain *ed = v->domain->evtchn;
    struct evtchn_vcpu *ev;

    spin_lock(&ed->queue_lock);
    ev = v->evtchn;
    v->evtchn = NULL;
    spin_unlock(&ed->queue_lock);
    if (ev != NULL) {
        frame_use_release(ev->block_mfn, true);
        heap_free(ev);
    }
}

void evtchn_fifo_destroy(struct domain *d)
{
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn_fifo *fifo;

    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            evtchn_vcpu_free(d->vcpu[i]);
        }
    }
    spin_lock(&ed->queue_lock);
    fifo = ed->fifo;
    ed->fifo = NULL;
    spin_unlock(&ed->queue_lock);
    if (fifo == NULL) {
        return;
    }
    for (unsigned int i = 0; i < fifo->page_count; i++) {
        frame_use_release(fifo->page[i], true);
    }
    heap_free(fifo);
}
