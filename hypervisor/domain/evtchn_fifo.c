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
 *
 * Who links takes the queues of the vcpu, if nobody has them, and gives them back
 * (adr/0039).  If somebody has them, the channel is left on a list beside, and he
 * sees to it before he lets go: nobody waits.  A channel whose word was linked on
 * another vcpu's queues last goes there first, to be forgotten as a tail:
 *
 *   send -> the vcpu's queues -+-> linked there last: link
 *                              +-> else: left at those of `last`, which forget
 *                                  it, make these `last`, and leave it here
 *
 * What one sender does for others is bounded: a receiver that takes its events as
 * fast as several CPUs send them could else keep him for ever.  After STEPS_MAX
 * steps a timer goes on with the queues, as many steps at a time; meanwhile they
 * are held, and senders leave their channels.  To be here for so long, more than
 * a hundred sends must have come to this one vcpu while one went on.
 *
 * F1 to F14 are the steps of tests/model/evtchn_fifo.pml.
 */
#include "domain/evtchn_impl.h"

#include "x86/atomic.h"
#include "cpu/clock.h"
#include "cpu/timer.h"

#define WORD_PENDING   (1U << EVTCHN_FIFO_PENDING)
#define WORD_MASKED    (1U << EVTCHN_FIFO_MASKED)
#define WORD_LINKED    (1U << EVTCHN_FIFO_LINKED)
#define WORD_BUSY      (1U << EVTCHN_FIFO_BUSY)
#define WORD_LINK_MASK ((uint32_t)EVTCHN_FIFO_LINK_MASK)

#define SET_LINK_TRIES 4

/* Steps of one sender for others: then a timer does the rest, as many at once. */
#define STEPS_MAX 256
#define LATE_NS   100000

/* a: queues held with work left, through their next */
static struct evtchn_vcpu *late;
static struct timer late_timer = {.deadline_ns = TIMER_NEVER,
                                  .fn = evtchn_fifo_run_late};

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

static NOINLINE bool link_to(const struct evtchn_fifo *fifo, evtchn_port_t tail,
                             evtchn_port_t port)
{
    event_word_t *word = word_of(fifo, tail);

    return word != NULL && set_link(word, port);
}

/*
 * Link a word at the end of a queue of @q, which is held; it was linked there
 * last, if at all.  True: the vcpu is to be told.
 */
static inline bool link_here(struct evtchn_vcpu *q, unsigned int priority,
                             evtchn_port_t port, event_word_t *word)
{
    /* Acquire: the guest may be giving it just now, empty. */
    struct evtchn_fifo_control_block *block =
        __atomic_load_n(&q->block, __ATOMIC_ACQUIRE);
    evtchn_port_t tail = q->tail[priority];

    if (unlikely(block == NULL) ||
        unlikely((atomic_or(word, WORD_LINKED) & WORD_LINKED) != 0)) { /* F8 */
        return false;
    }
    q->tail[priority] = port;
    /* If it is the end itself, the guest has come there: the queue is empty. */
    if (tail != 0 && tail != port && link_to(q->fifo, tail, port)) {
        return false;
    }
    WRITE_ONCE(block->head[priority], port);
    return !atomic_test_and_set_bit(priority, &block->ready);
}

/* ---- whose turn it is --------------------------------------------------- */

/*
 * Have @chn looked at by who holds @q.  If nobody does, we do from here on, and
 * @q is on top of @held, with @chn to look at.
 */
static NOINLINE void leave_at(struct evtchn_vcpu *q, struct evtchn *chn,
                              struct evtchn_vcpu **held)
{
    uint32_t turn;

    /*
     * F1.  MB(evtchn_claim:A): the word is pending, and chn->last what it is,
     * before this; pairs with evtchn_claim:B.  It waits already: who takes it
     * from where it waits gives the claim up before he looks at the word, so he
     * sees what we did to it.
     */
    if (!atomic_cas(&chn->next, 0, TURN_HELD)) {
        return;
    }
    for (;;) {
        turn = READ_ONCE(q->turn);
        if (turn == 0) {
            WRITE_ONCE(chn->next, TURN_HELD);
            /* F2 */
            if (atomic_cas(&q->turn, 0, TURN_HELD)) {
                q->rest = chn->port;
                q->next = *held;
                *held = q;
                return;
            }
        } else {
            WRITE_ONCE(chn->next, turn);
            /* F3: it is not released meanwhile without our being seen. */
            if (atomic_cas(&q->turn, turn, TURN_HELD | chn->port)) {
                return;
            }
        }
    }
}

/*
 * Link a word if it is pending and neither masked nor linked; @q is held.  Where
 * @q is not the queues the channel was linked on last, or is not those of its
 * vcpu, it is left there; true: the vcpu is to be told.
 */
static bool link_held(struct evtchn_vcpu *q, struct evtchn *chn,
                      event_word_t *word, struct evtchn_vcpu **held)
{
    struct evtchn_fifo *fifo = q->fifo;
    uint16_t last = READ_ONCE(chn->last); /* F4 */
    struct evtchn_vcpu *next = &fifo->queue[FIFO_QUEUE_VCPU(last)];

    if (likely(next == q)) {
        unsigned int vcpu = READ_ONCE(chn->vcpu);
        unsigned int priority = READ_ONCE(chn->priority);

        /* Only we link it: it stays so, unless the guest spoils it.  F5 */
        if ((READ_ONCE(*word) & (WORD_PENDING | WORD_MASKED | WORD_LINKED)) !=
            WORD_PENDING) {
            return false;
        }
        /*
         * If it is still remembered as a tail, the guest has emptied that
         * queue: nothing may be appended to it there, its link is about to
         * serve elsewhere.  F6
         */
        if (q->tail[FIFO_QUEUE_PRIORITY(last)] == chn->port) {
            q->tail[FIFO_QUEUE_PRIORITY(last)] = 0;
        }
        next = &fifo->queue[vcpu];
        /* F7: whoever holds @next may link it from here on. */
        WRITE_ONCE(chn->last, FIFO_QUEUE(vcpu, priority));
        if (likely(next == q)) {
            return link_here(q, priority, chn->port, word);
        }
    }
    leave_at(next, chn, held);
    return false;
}

static struct evtchn *waiting(const struct evtchn_vcpu *q, evtchn_port_t port)
{
    return evtchn_at(q->fifo->domain->evtchn, port);
}

/*
 * One step of who holds @q, all of them short.  True: @q is not held any more;
 * nothing waits there.
 */
static bool queue_step(struct evtchn_vcpu *q, struct evtchn_vcpu **held)
{
    struct evtchn *chn;

    if (q->taken != 0) {
        /* F9: the newest is first there; the oldest comes first here. */
        chn = waiting(q, q->taken);
        q->taken = READ_ONCE(chn->next) & TURN_PORT;
        WRITE_ONCE(chn->next, TURN_HELD | q->rest);
        q->rest = chn->port;
        return false;
    }
    if (q->rest != 0) {
        event_word_t *word = word_of(q->fifo, q->rest);
        bool tell;

        chn = waiting(q, q->rest);
        WRITE_ONCE(q->looks_at, chn->port);
        /*
         * F10.  MB(evtchn_claim:B): the claim is given up before the look at the
         * word and at chn->last; pairs with evtchn_claim:A.  MB(evtchn_look:A):
         * looks_at before that look; pairs with evtchn_look:B.
         */
        q->rest = atomic_xchg(&chn->next, 0) & TURN_PORT;
        tell = word != NULL && link_held(q, chn, word, held);
        __atomic_store_n(&q->looks_at, 0, __ATOMIC_RELEASE);
        if (tell) {
            vcpu_mark_events_pending(q->vcpu);
        }
        return false;
    }
    /* F11: the last look and the release are one. */
    if (atomic_cas(&q->turn, TURN_HELD, 0)) {
        return true;
    }
    q->taken = atomic_xchg(&q->turn, TURN_HELD) & TURN_PORT; /* F12 */
    return false;
}

/* What is held here and has too much waiting: a timer goes on with it. */
static void put_late(struct evtchn_vcpu *held)
{
    struct evtchn_vcpu *first, *q;

    while ((q = held) != NULL) {
        held = q->next;
        do {
            first = READ_ONCE(late);
            q->next = first;
        } while (!atomic_cas(&late, first, q)); /* F13 */
        /* Only the first: else it could be put off for ever. */
        if (first == NULL) {
            timer_set(&late_timer, clock_now_ns() + LATE_NS);
        }
    }
}

/* Do what waits at all we hold, and let go of them. */
static NOINLINE void work_off(struct evtchn_vcpu *held)
{
    unsigned int steps = STEPS_MAX;
    struct evtchn_vcpu *q;

    while ((q = held) != NULL) {
        held = q->next;
        while (!queue_step(q, &held)) {
            if (--steps == 0) {
                q->next = held;
                put_late(q);
                return;
            }
        }
    }
}

/* Each of them is held, by nobody but this list. */
void evtchn_fifo_run_late(void *arg)
{
    struct evtchn_vcpu *q = atomic_xchg(&late, NULL), *next;

    (void)arg;
    for (; q != NULL; q = next) {
        next = q->next;
        q->next = NULL;
        work_off(q);
    }
}

/* We hold @q, and something came meanwhile. */
static NOINLINE void link_others(struct evtchn_vcpu *q, bool tell)
{
    if (tell) {
        vcpu_mark_events_pending(q->vcpu);
    }
    q->next = NULL;
    work_off(q);
}

/* We hold @q, and it is not the queue @chn was linked on last. */
static NOINLINE void link_moved(struct evtchn_vcpu *q, struct evtchn *chn,
                                event_word_t *word)
{
    struct evtchn_vcpu *held = NULL;

    if (link_held(q, chn, word, &held)) {
        vcpu_mark_events_pending(q->vcpu);
    }
    q->next = held;
    work_off(q);
}

/* Another CPU held @q just now. */
static NOINLINE void link_late(struct evtchn_vcpu *q, struct evtchn *chn)
{
    struct evtchn_vcpu *held = NULL;

    leave_at(q, chn, &held);
    work_off(held);
}

/*
 * Link a word that is pending.  Several CPUs may do so at once: one of them holds
 * the queues, the others leave the channel with him.
 */
static inline void link_word(struct evtchn_fifo *fifo, struct evtchn *chn,
                             event_word_t *word)
{
    unsigned int vcpu = READ_ONCE(chn->vcpu);
    unsigned int priority = READ_ONCE(chn->priority);
    struct evtchn_vcpu *q = &fifo->queue[vcpu];
    bool tell;

    if ((READ_ONCE(*word) & (WORD_MASKED | WORD_LINKED)) != 0) {
        return;
    }
    if (unlikely(!atomic_cas(&q->turn, 0, TURN_HELD))) { /* F14 */
        link_late(q, chn);
        return;
    }
    if (unlikely(READ_ONCE(chn->last) != FIFO_QUEUE(vcpu, priority))) {
        link_moved(q, chn, word);
        return;
    }
    tell = link_here(q, priority, chn->port, word);
    if (unlikely(!atomic_cas(&q->turn, TURN_HELD, 0))) { /* as F11 */
        link_others(q, tell);
    } else if (tell) {
        vcpu_mark_events_pending(q->vcpu);
    }
}

enum evtchn_pended evtchn_fifo_pend(struct domain *d, struct evtchn *chn)
{
    struct evtchn_fifo *fifo = fifo_of(d->evtchn);
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
    link_word(fifo, chn, word);
    return (before & WORD_PENDING) != 0 ? EVTCHN_PENDED_BEFORE
                                        : EVTCHN_PENDED_NOW;
}

bool evtchn_fifo_unmask(struct domain *d, struct evtchn *chn)
{
    struct evtchn_fifo *fifo = fifo_of(d->evtchn);
    event_word_t *word;

    if (fifo == NULL) {
        return false;
    }
    word = word_of(fifo, chn->port);
    if (word != NULL &&
        ((atomic_and(word, ~WORD_MASKED) & WORD_PENDING) != 0)) {
        link_word(fifo, chn, word);
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
        const struct evtchn_vcpu *q;

        /*
         * It stays linked until the guest has gone past it.  MB(evtchn_look:B):
         * not pending before the look at looks_at; pairs with evtchn_look:A.
         * Who looks at it later leaves it alone; who looks now does so where it
         * was linked last, holds no lock of its, and is done in a moment.
         */
        atomic_and(word, ~WORD_PENDING);
        q = &fifo->queue[FIFO_QUEUE_VCPU(READ_ONCE(chn->last))];
        while (unlikely(READ_ONCE(q->looks_at) == chn->port)) {
            cpu_relax();
        }
    }
}
