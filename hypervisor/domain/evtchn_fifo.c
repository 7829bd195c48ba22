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

/* NULL: the guest has not given the page yet. */
static event_word_t *word_of(const struct evtchn_fifo *fifo, evtchn_port_t port)
{
    uint64_t page = port / FIFO_WORDS_PER_PAGE;
    /* Acquire: the page is stored before the count that shows it. */
    unsigned int count = __atomic_load_n(&fifo->page_count, __ATOMIC_ACQUIRE);

    if (page >= count) {
        return NULL;
    }
    page = index_nospec(page, count);
    return &fifo->words[page][port % FIFO_WORDS_PER_PAGE];
}

/* Of what init_control made complete before; NULL: it has not. */
static struct evtchn_fifo *fifo_of(const struct evtchn_domain *ed)
{
    return __atomic_load_n(&ed->fifo, __ATOMIC_ACQUIRE);
}

static struct evtchn_vcpu *queues_of(const struct domain *d, unsigned int vcpu)
{
    const struct vcpu *v = d->vcpu[vcpu];

    return v == NULL ? NULL : __atomic_load_n(&v->evtchn, __ATOMIC_ACQUIRE);
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

/*
 * Lock the queues the word was linked on last, or, where that vcpu has none,
 * @now.  Only who holds that lock, and has set LINKED, changes what was last.
 */
static struct evtchn_vcpu *lock_last(const struct domain *d,
                                     const struct evtchn *chn,
                                     struct evtchn_vcpu *now)
{
    for (;;) {
        uint16_t last = READ_ONCE(chn->last);
        struct evtchn_vcpu *q = queues_of(d, FIFO_QUEUE_VCPU(last));

        q = q != NULL ? q : now;
        spin_lock(&q->lock);
        if (likely(READ_ONCE(chn->last) == last)) {
            return q;
        }
        spin_unlock(&q->lock);
    }
}

/* Append to a queue, whose lock is held.  True: the vcpu is to be told. */
static bool queue_append(const struct evtchn_fifo *fifo, struct evtchn_vcpu *q,
                         unsigned int priority, evtchn_port_t port)
{
    evtchn_port_t *tail = &q->tail[priority];
    bool linked = false;

    if (*tail != 0) {
        event_word_t *tail_word = word_of(fifo, *tail);

        linked = tail_word != NULL && set_link(tail_word, port);
    }
    if (!linked) {
        WRITE_ONCE(q->block->head[priority], port);
    }
    *tail = port;
    return !linked && !atomic_test_and_set_bit(priority, &q->block->ready);
}

/*
 * Link a word that is pending.  Several CPUs may do so at once: who sets LINKED
 * links it.  It is set with the queues locked where it was last: so long,
 * nobody appends anything to it there, for it is not LINKED.
 */
static struct vcpu *link_word(struct domain *d, const struct evtchn_fifo *fifo,
                              struct evtchn *chn, event_word_t *word)
{
    unsigned int vcpu = READ_ONCE(chn->vcpu);
    unsigned int priority = READ_ONCE(chn->priority);
    struct evtchn_vcpu *q = queues_of(d, vcpu), *old;
    unsigned int last;
    bool tell;

    if ((READ_ONCE(*word) & (WORD_MASKED | WORD_LINKED)) != 0 || q == NULL) {
        return NULL;
    }
    old = lock_last(d, chn, q);
    if (atomic_or(word, WORD_LINKED) & WORD_LINKED) {
        spin_unlock(&old->lock);
        return NULL;
    }
    /*
     * If it is still remembered as a tail, the guest has emptied that queue:
     * nothing may be appended to it there, its link is about to serve here.
     */
    last = FIFO_QUEUE_PRIORITY(chn->last);
    if (old->tail[last] == chn->port) {
        old->tail[last] = 0;
    }
    WRITE_ONCE(chn->last, FIFO_QUEUE(vcpu, priority));
    if (unlikely(old != q)) {
        spin_unlock(&old->lock);
        spin_lock(&q->lock);
    }
    tell = queue_append(fifo, q, priority, chn->port);
    spin_unlock(&q->lock);
    return tell ? d->vcpu[vcpu] : NULL;
}

enum evtchn_pended evtchn_fifo_pend(struct domain *d, struct evtchn *chn)
{
    const struct evtchn_fifo *fifo = fifo_of(d->evtchn);
    struct vcpu *tell;
    event_word_t *word;
    uint32_t before;

    if (fifo == NULL) {
        return EVTCHN_PENDED_NOT;
    }
    word = word_of(fifo, chn->port);
    if (unlikely(word == NULL)) {
        bool was_early = atomic_xchg(&chn->is_pending_early, true);

        /*
         * MB(evtchn_early:A): the note before this look; pairs with
         * evtchn_early:B.  The page may have come just now: then one of us two
         * takes the note back.
         */
        word = word_of(fifo, chn->port);
        if (word == NULL || !atomic_xchg(&chn->is_pending_early, false)) {
            return was_early ? EVTCHN_PENDED_BEFORE : EVTCHN_PENDED_NOW;
        }
    }
    before = atomic_or(word, WORD_PENDING);
    tell = link_word(d, fifo, chn, word);
    if (tell != NULL) {
        vcpu_mark_events_pending(tell);
    }
    return (before & WORD_PENDING) != 0 ? EVTCHN_PENDED_BEFORE
                                        : EVTCHN_PENDED_NOW;
}

bool evtchn_fifo_unmask(struct domain *d, struct evtchn *chn)
{
    const struct evtchn_fifo *fifo = fifo_of(d->evtchn);
    struct vcpu *tell = NULL;
    event_word_t *word;

    if (fifo == NULL) {
        return false;
    }
    word = word_of(fifo, chn->port);
    if (word != NULL &&
        ((atomic_and(word, ~WORD_MASKED) & WORD_PENDING) != 0)) {
        tell = link_word(d, fifo, chn, word);
    }
    if (tell != NULL) {
        vcpu_mark_events_pending(tell);
    }
    return true;
}

bool evtchn_fifo_word(struct domain *d, struct evtchn *chn, uint32_t *ret_word)
{
    const struct evtchn_fifo *fifo;

    evtchn_own_lock(chn);
    fifo = fifo_of(d->evtchn);
    if (fifo != NULL) {
        const event_word_t *word = word_of(fifo, chn->port);

        if (word != NULL) {
            *ret_word = READ_ONCE(*word);
        } else {
            *ret_word = READ_ONCE(chn->is_pending_early) ? WORD_PENDING : 0;
        }
    }
    evtchn_own_unlock(chn);
    return fifo != NULL;
}

void evtchn_fifo_clear(struct domain *d, struct evtchn *chn)
{
    const struct evtchn_fifo *fifo = fifo_of(d->evtchn);
    event_word_t *word = fifo != NULL ? word_of(fifo, chn->port) : NULL;

    WRITE_ONCE(chn->is_pending_early, false);
    if (word != NULL) {
        /* It stays linked until the guest has gone past it. */
        atomic_and(word, ~WORD_PENDING);
    }
}

/*
 * Bits that were pending in the bitmaps move to the words when they come.
 * MB(evtchn_switch:B): the ABI has changed before this look (a locked operation
 * each); pairs with evtchn_switch:A.
 */
static void carry_over_2l(struct domain *d)
{
    for (evtchn_port_t port = 1; port < EVTCHN_PORTS_2L; port++) {
        struct evtchn *chn = evtchn_of(d->evtchn, port);

        if (chn == NULL) {
            break;
        }
        if (chn->state != EVTCHN_FREE && evtchn_2l_clear(d, chn)) {
            (void)evtchn_fifo_pend(d, chn);
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
    if (domain_is_dying(d) || ed->closing || v->evtchn != NULL) {
        spin_unlock(&ed->lock);
        rc = -EINVAL;
        goto out_free;
    }
    page = mfn_to_ptr(m);
    ev->block = (void *)(page + offset);
    ev->block_mfn = m;
    spin_lock_init(&ev->lock, "evtchn_queue", LOCK_RANK_EVTCHN_QUEUE, IRQ_ANY);
    memset(ev->block, 0, sizeof(*ev->block));
    __atomic_store_n(&v->evtchn, ev, __ATOMIC_RELEASE);
    if (ed->fifo == NULL) {
        (void)atomic_xchg(&ed->fifo, fifo);
        fifo = NULL;
        carry_over_2l(d);
    }
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
    if (fifo == NULL || ed->closing || domain_is_dying(d)) {
        rc = -EOPNOTSUPP;
    } else if (fifo->page_count == FIFO_PAGES_MAX) {
        rc = -ENOSPC;
    }
    if (rc != 0) {
        spin_unlock(&ed->lock);
        frame_use_release(m, true);
        return rc;
    }
    first = (evtchn_port_t)(fifo->page_count * FIFO_WORDS_PER_PAGE);
    fifo->words[fifo->page_count] = mfn_to_ptr(m);
    fifo->page[fifo->page_count] = m;
    (void)atomic_add(&fifo->page_count, 1u);

    /*
     * What came before there was a word for it.  MB(evtchn_early:B): the page
     * before this look (locked above); pairs with evtchn_early:A.
     */
    for (evtchn_port_t port = first; port < first + FIFO_WORDS_PER_PAGE;
         port++) {
        struct evtchn *chn = evtchn_of(ed, port);

        if (chn == NULL) {
            break;
        }
        if (READ_ONCE(chn->is_pending_early) &&
            atomic_xchg(&chn->is_pending_early, false)) {
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
    struct evtchn_vcpu *ev = v->evtchn;

    v->evtchn = NULL;
    if (ev != NULL) {
        frame_use_release(ev->block_mfn, true);
        heap_free(ev);
    }
}

/* Nobody finds them from here on; who has found them is waited for. */
static void take_away(struct domain *d)
{
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn_fifo *fifo;

    spin_lock(&ed->lock);
    fifo = ed->fifo;
    __atomic_store_n(&ed->fifo, NULL, __ATOMIC_RELEASE);
    /* Without it no vcpu has queues. */
    for (unsigned int i = 0; fifo != NULL && i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v != NULL) {
            fifo->queues[i] = v->evtchn;
            __atomic_store_n(&v->evtchn, NULL, __ATOMIC_RELEASE);
        }
    }
    spin_unlock(&ed->lock);
    ed->going = fifo;
    ed->wait_next = 0;
}

/* Ports between two questions whether to stop. */
#define WAITS_PER_STEP 256

/*
 * Until nobody uses any more what was taken away: see evtchn_impl.h.  Nothing
 * is bound meanwhile, so no port is added behind us or anew.
 */
static int wait_for_users(struct evtchn_domain *ed, bool (*should_stop)(void))
{
    struct evtchn *chn;

    while ((chn = evtchn_of(ed, ed->wait_next)) != NULL) {
        evtchn_own_lock(chn);
        evtchn_own_unlock(chn);
        ed->wait_next++;
        if (ed->wait_next % WAITS_PER_STEP == 0 && should_stop != NULL &&
            should_stop()) {
            return -ERESTART;
        }
    }
    return 0;
}

/* One of them.  It may be the last that held the frame: asked after each. */
static bool give_back_one(struct evtchn_fifo *fifo)
{
    for (unsigned int i = 0; i < MAX_VCPUS; i++) {
        struct evtchn_vcpu *q = fifo->queues[i];

        if (q != NULL) {
            fifo->queues[i] = NULL;
            frame_use_release(q->block_mfn, true);
            heap_free(q);
            return true;
        }
    }
    if (fifo->page_count == 0) {
        return false;
    }
    fifo->page_count--;
    frame_use_release(fifo->page[fifo->page_count], true);
    return true;
}

int evtchn_fifo_destroy(struct domain *d, bool (*should_stop)(void))
{
    struct evtchn_domain *ed = d->evtchn;
    int rc;

    if (ed->going == NULL) {
        take_away(d);
    }
    if (ed->going == NULL) {
        return 0;
    }
    rc = wait_for_users(ed, should_stop);
    if (rc != 0) {
        return rc;
    }
    while (give_back_one(ed->going)) {
        if (should_stop != NULL && should_stop()) {
            return -ERESTART;
        }
    }
    heap_free(ed->going);
    ed->going = NULL;
    return 0;
}
