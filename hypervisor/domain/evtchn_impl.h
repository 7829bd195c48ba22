/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_impl.h - what the evtchn_*.c files share; for them only.
 *
 * Locks, in the order they are taken:
 *
 * The event lock (one a domain, both ends' in order of address for what
 * concerns a connection) guards states and bindings.
 *
 * A channel's own lock is what a sender takes, at its own end only: no other
 * domain's send ever takes that one.  Who ends a connection or frees a port
 * takes the lock of both ends' channels, in order of address, and so waits for
 * those who send.  Who binds needs it not: fields come before the state.
 *
 * The FIFO queues of a vcpu have no lock: who wants to link a channel there does
 * so if nobody else is at it, and leaves it with him otherwise (evtchn_fifo.c).
 *
 * What a sender uses at the other end (words, queues) goes only when all ports
 * are closed, each channel's lock has been taken once, and no queue is held:
 * whoever uses them holds one of those, or one that is connected, or the event
 * lock, or is the timer for what is late, which holds the queue.
 */
#ifndef VIGIL_DOMAIN_EVTCHN_IMPL_H
#define VIGIL_DOMAIN_EVTCHN_IMPL_H

#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/nospec.h"
#include "lib/bits.h"
#include "sync/spinlock.h"
#include "domain/evtchn.h"

#define EVTCHN_PER_BUCKET (PAGE_SIZE / sizeof(struct evtchn))

#define FIFO_WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define FIFO_PAGES_MAX      (EVTCHN_PORTS_FIFO / FIFO_WORDS_PER_PAGE)

/* evtchn.last: a vcpu's queue of a priority. */
#define FIFO_QUEUE(vcpu, priority) ((uint16_t)((vcpu) << 4 | (priority)))
#define FIFO_QUEUE_VCPU(queue)     ((unsigned int)(queue) >> 4)
#define FIFO_QUEUE_PRIORITY(queue) ((queue)&15U)

/*
 * The queues of a vcpu, and whose turn it is.  A channel that is to be looked at
 * waits on at most one vcpu's lists: its `next` is 0 unless it does, and else
 * TURN_HELD with the port behind it, 0 at the end.
 *
 *   turn == 0:                nobody holds the queues, nothing waits
 *   turn == TURN_HELD | port: somebody does; what others left, newest first
 *
 * Legend: E as in evtchn.h; Q who holds it; a atomic; c constant once shown
 */
#define TURN_HELD (1U << 31)
#define TURN_PORT (TURN_HELD - 1)

struct evtchn_vcpu {
    uint32_t turn;       /* a                                            */
    evtchn_port_t taken; /* Q: of what others left, newest first         */
    evtchn_port_t rest;  /* Q: and oldest first: looked at next          */
    evtchn_port_t looks_at; /* Q, read without: one of those, just now   */
    evtchn_port_t tail[EVTCHN_FIFO_MAX_QUEUES]; /* Q; 0: not known       */
    struct evtchn_fifo_control_block *block; /* E, read without: guest memory;
                                                NULL: not given yet        */
    mfn_t block_mfn;          /* E                                           */
    struct vcpu *vcpu;        /* c, once block is there                      */
    struct evtchn_fifo *fifo; /* c                                           */
    struct evtchn_vcpu *next; /* Q: another one that is held with it         */
    uint64_t spare;           /* 128 bytes: found by a shift                 */
};

/* Legend: E, Q as in evtchn.h; a atomic, only grows; c constant once shown */
struct evtchn_fifo {
    unsigned int page_count;             /* a, E to change           */
    event_word_t *words[FIFO_PAGES_MAX]; /* c: guest memory          */
    mfn_t page[FIFO_PAGES_MAX];          /* c */
    struct domain *domain;               /* c                        */
    struct evtchn_vcpu queue[];          /* of each vcpu, max_vcpus  */
};

struct evtchn_domain {
    struct spinlock lock;       /* LOCK_RANK_EVTCHN                     */
    evtchn_port_t max_port;     /* c                                    */
    evtchn_port_t free_hint;    /* E: no port below is free             */
    bool closing;               /* E: reset or destroyed: nothing binds */
    uint32_t closer;            /* a: a CPU is at it                    */
    evtchn_port_t close_next;   /* the closer's: progress               */
    evtchn_port_t wait_next;    /* the closer's: progress               */
    struct evtchn_fifo *going;  /* the closer's: taken away, not freed  */
    unsigned int bucket_count;  /* E, read without: only grows          */
    unsigned int bucket_max;    /* c                                    */
    struct evtchn **bucket;     /* c; entries E, as bucket_count        */
    struct evtchn_fifo *fifo;   /* E, read without: NULL: 2-level ABI   */
    struct pirq_domain *pirqs;  /* E: domain/pirq.c; NULL: none yet     */
};

_Static_assert(sizeof(struct evtchn) == 32, "channels fill a bucket");

/* The channel of a port that is known to have one. */
static inline struct evtchn *evtchn_at(const struct evtchn_domain *ed,
                                       evtchn_port_t port)
{
    return &ed->bucket[port / EVTCHN_PER_BUCKET][port % EVTCHN_PER_BUCKET];
}

/* The channel of a port, in any state; NULL: no bucket for it. */
static inline struct evtchn *evtchn_of(const struct evtchn_domain *ed,
                                       evtchn_port_t port)
{
    uint64_t b = port / EVTCHN_PER_BUCKET;
    /* Acquire: the bucket is stored before the count that shows it. */
    unsigned int count = __atomic_load_n(&ed->bucket_count, __ATOMIC_ACQUIRE);

    if (b >= count) {
        return NULL;
    }
    return &ed->bucket[index_nospec(b, count)][port % EVTCHN_PER_BUCKET];
}

static inline void evtchn_own_lock(struct evtchn *chn)
{
    while (unlikely(atomic_xchg(&chn->lock, (uint8_t)1) != 0)) {
        while (READ_ONCE(chn->lock) != 0) {
            cpu_relax();
        }
    }
}

static inline void evtchn_own_unlock(struct evtchn *chn)
{
    __atomic_store_n(&chn->lock, 0, __ATOMIC_RELEASE);
}

/**
 * evtchn_alloc_locked() - take the lowest free port
 * @d:       domain
 * @ret_chn: its channel, all defaults, still EVTCHN_FREE
 *
 * Context: event lock held.
 * Return:  0; -ENOSPC; -ENOMEM; -EINVAL @d is dying; -EBUSY being reset
 */
int evtchn_alloc_locked(struct domain *d, struct evtchn **ret_chn) MUST_CHECK;

/**
 * evtchn_free_locked() - a port is free again
 * @d:   domain
 * @chn: its channel; nothing is bound to it any more
 *
 * Context: event lock and channel's own lock held.
 * Return:  nothing.
 */
void evtchn_free_locked(struct domain *d, struct evtchn *chn);

/**
 * evtchn_lock_two() - the event locks of two domains, in the global order
 * @a: domain
 * @b: domain, may be @a
 *
 * Context: no lock of rank LOCK_RANK_EVTCHN or above held.
 * Return:  nothing.
 */
void evtchn_lock_two(struct domain *a, struct domain *b);

/**
 * evtchn_unlock_two() - undo evtchn_lock_two()
 * @a: domain
 * @b: domain
 *
 * Context: both held.
 * Return:  nothing.
 */
void evtchn_unlock_two(struct domain *a, struct domain *b);

/**
 * evtchn_pend() - make a channel pending by the domain's ABI, wake pollers
 * @d:   receiver
 * @chn: its channel
 *
 * Context: any but NMI/#MC and interrupt handlers; own lock held of the channel
 *          or of its other end, or the event lock of @d.
 * Return:  nothing.
 */
void evtchn_pend(struct domain *d, struct evtchn *chn);

/* ---- the two ABIs: same verbs ----------------------------------------- */

/* Set the pending bit.  True: it was not set before. */
static inline bool evtchn_2l_set(struct domain *d, const struct evtchn *chn)
{
    shared_info_t *si = d->shared_info;

    return likely(si != NULL) && likely(chn->port < EVTCHN_PORTS_2L) &&
           !atomic_test_and_set_bit(chn->port, si->evtchn_pending);
}

/* Tell the vcpu of a pending bit that is not masked. */
static inline void evtchn_2l_select(struct domain *d, const struct evtchn *chn)
{
    struct vcpu *v = d->vcpu[READ_ONCE(chn->vcpu)];

    /* Registering vcpu_info selects every word: nothing is lost before. */
    if (v != NULL &&
        !atomic_test_and_set_bit(chn->port / 64,
                                 &v->vcpu_info->evtchn_pending_sel)) {
        vcpu_mark_events_pending(v);
    }
}

/* Tell the vcpu of a pending bit, unless it is masked. */
static inline void evtchn_2l_tell(struct domain *d, const struct evtchn *chn)
{
    if (!bit_is_set(chn->port, d->shared_info->evtchn_mask)) {
        evtchn_2l_select(d, chn);
    }
}

/**
 * evtchn_2l_unmask() - clear the mask bit; tell the vcpu if pending
 * @d:   domain
 * @chn: its channel
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void evtchn_2l_unmask(struct domain *d, struct evtchn *chn);

/**
 * evtchn_2l_is_pending() - look at the pending bit
 * @d:   domain
 * @chn: its channel
 *
 * Context: any.
 * Return:  true: set
 */
bool evtchn_2l_is_pending(struct domain *d, const struct evtchn *chn);

/**
 * evtchn_2l_is_masked() - look at the mask bit
 * @d:   domain
 * @chn: its channel
 *
 * Context: any.
 * Return:  true: set
 */
bool evtchn_2l_is_masked(struct domain *d, const struct evtchn *chn);

/**
 * evtchn_2l_clear() - clear the pending bit
 * @d:   domain
 * @chn: its channel
 *
 * Context: any but NMI/#MC.
 * Return:  true: it was set
 */
bool evtchn_2l_clear(struct domain *d, struct evtchn *chn);

enum evtchn_pended {
    EVTCHN_PENDED_NOT,    /* the domain does not use this ABI */
    EVTCHN_PENDED_BEFORE, /* it was pending already           */
    EVTCHN_PENDED_NOW,
};

/**
 * evtchn_fifo_pend() - set the word pending, link it, tell the vcpu
 * @d:   receiver
 * @chn: its channel
 *
 * Context: as evtchn_pend().
 * Return:  what became of it
 */
enum evtchn_pended evtchn_fifo_pend(struct domain *d, struct evtchn *chn);

/**
 * evtchn_fifo_unmask() - clear the mask; link and tell if pending
 * @d:   domain
 * @chn: its channel
 *
 * Context: any but NMI/#MC; channel's own lock held.
 * Return:  false: the domain does not use the FIFO ABI, nothing done
 */
bool evtchn_fifo_unmask(struct domain *d, struct evtchn *chn);

/**
 * evtchn_fifo_word() - a channel's event word now; takes its own lock
 * @d:        domain
 * @chn:      its channel
 * @ret_word: the word; PENDING alone if it waits for its page; else 0
 *
 * Context: any but NMI/#MC.
 * Return:  false: the domain does not use the FIFO ABI
 */
bool evtchn_fifo_word(struct domain *d, struct evtchn *chn, uint32_t *ret_word);

/**
 * evtchn_fifo_clear() - a port is being freed: it is not pending any more
 * @d:   domain
 * @chn: its channel
 *
 * Context: any but NMI/#MC; channel's own lock held.
 * Return:  nothing.
 */
void evtchn_fifo_clear(struct domain *d, struct evtchn *chn);

/**
 * evtchn_fifo_run_late() - a step further with the queues that have too much
 * @arg: not used
 *
 * A timer calls it; who destroys queues, too.
 * Context: any but NMI/#MC and interrupt handlers.
 * Return:  nothing.
 */
void evtchn_fifo_run_late(void *arg);

/**
 * evtchn_fifo_destroy() - give back all pages; 2-level from here on
 * @d:           domain; nothing is bound, and nothing can be
 * @should_stop: asked now and then; NULL: never stop
 *
 * Context: any but NMI/#MC, on the CPU that is the closer; event lock not held.
 * Return:  0; -ERESTART call again
 */
int evtchn_fifo_destroy(struct domain *d, bool (*should_stop)(void)) MUST_CHECK;

#endif
