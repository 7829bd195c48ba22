/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_fifo_pages.c - what a guest gives for the FIFO ABI: its control
 * blocks and pages of event words, until a reset or its end.
 */
#include "domain/evtchn_impl.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "domain/frame_use.h"

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

static struct evtchn_fifo *fifo_alloc(struct domain *d)
{
    struct evtchn_fifo *fifo =
        heap_alloc(sizeof(*fifo) + d->max_vcpus * sizeof(struct evtchn_vcpu));

    if (fifo == NULL) {
        return NULL;
    }
    fifo->domain = d;
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        fifo->queue[i].fifo = fifo;
    }
    return fifo;
}

int evtchn_fifo_init_control(struct vcpu *v, mfn_t m, uint32_t offset)
{
    struct domain *d = v->domain;
    struct evtchn_domain *ed = d->evtchn;
    struct evtchn_fifo *fifo, *fresh;
    struct evtchn_fifo_control_block *block;
    struct evtchn_vcpu *q;
    int rc;

    if (offset % 8 != 0 ||
        offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block)) {
        return -EINVAL;
    }
    rc = frame_use_hold(m, d->domid, true);
    if (rc != 0) {
        return -EINVAL;
    }
    fresh = fifo_alloc(d); /* the first vcpu needs it */
    if (fresh == NULL) {
        rc = -ENOMEM;
        goto out_release;
    }

    spin_lock(&ed->lock);
    fifo = ed->fifo != NULL ? ed->fifo : fresh;
    q = &fifo->queue[v->vcpu_id];
    if (domain_is_dying(d) || ed->closing || q->block != NULL) {
        spin_unlock(&ed->lock);
        rc = -EINVAL;
        goto out_free;
    }
    block = (void *)((uint8_t *)mfn_to_ptr(m) + offset);
    memset(block, 0, sizeof(*block));
    q->vcpu = v;
    q->block_mfn = m;
    __atomic_store_n(&q->block, block, __ATOMIC_RELEASE);
    if (fifo == fresh) {
        (void)atomic_xchg(&ed->fifo, fifo);
        fresh = NULL;
        carry_over_2l(d);
    }
    spin_unlock(&ed->lock);
    heap_free(fresh);
    return 0;

out_free:
    heap_free(fresh);
out_release:
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

/* Nobody finds them from here on; who has found them is waited for. */
static void take_away(struct evtchn_domain *ed)
{
    spin_lock(&ed->lock);
    ed->going = ed->fifo;
    __atomic_store_n(&ed->fifo, NULL, __ATOMIC_RELEASE);
    spin_unlock(&ed->lock);
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

static bool is_held(const struct evtchn_fifo *fifo)
{
    for (unsigned int i = 0; i < fifo->domain->max_vcpus; i++) {
        if (atomic_load(&fifo->queue[i].turn) != 0) {
            return true;
        }
    }
    return false;
}

/*
 * Nobody sends any more.  What is held still is late, or another CPU's timer is
 * at it just now; it becomes less with each round.
 */
static int wait_for_late(const struct evtchn_fifo *fifo,
                         bool (*should_stop)(void))
{
    while (is_held(fifo)) {
        evtchn_fifo_run_late(NULL);
        cpu_relax();
        if (should_stop != NULL && should_stop()) {
            return -ERESTART;
        }
    }
    return 0;
}

/* One of them.  It may be the last that held the frame: asked after each. */
static bool give_back_one(struct evtchn_fifo *fifo)
{
    for (unsigned int i = 0; i < fifo->domain->max_vcpus; i++) {
        struct evtchn_vcpu *q = &fifo->queue[i];

        if (q->block != NULL) {
            q->block = NULL;
            frame_use_release(q->block_mfn, true);
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
        take_away(ed);
    }
    if (ed->going == NULL) {
        return 0;
    }
    rc = wait_for_users(ed, should_stop);
    if (rc == 0) {
        rc = wait_for_late(ed->going, should_stop);
    }
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
