/* SPDX-License-Identifier: MIT */
/*
 * domain/domain.c - life cycle of domains.
 *
 * Found by domid in a two-level table; a set of the domids in use finds the
 * next domain and the next free number.  None of it depends on how many there
 * are.
 */
#include "domain/domain.h"

#include <vigil/vigil_op.h>

#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/reboot.h"
#include "domain/account.h"
#include "domain/death.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/shared_info.h"
#include "domain/vcpu.h"
#include "domain/virq.h"
#include "domain/vtimer.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/idset.h"
#include "lib/string.h"
#include "log/printk.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "x86/atomic.h"
#include "x86/nospec.h"

#define CHUNK 512
#define CHUNKS (DOMID_FIRST_RESERVED / CHUNK + 1)

struct domain *dom0;

static SPINLOCK(list_lock, LOCK_RANK_DOMAIN_LIST, IRQ_ANY);
static struct domain **by_id[CHUNKS];
static struct idset in_use; /* domids */
static uint64_t claims; /* a: sum of outstanding_pages */
static domid_t rover; /* last domid given to "next free" */

static const struct {
    enum domain_state from, to;
} legal_move[] = {
    {DOMAIN_BUILDING, DOMAIN_RUNNING},  {DOMAIN_BUILDING, DOMAIN_SHUTDOWN},
    {DOMAIN_BUILDING, DOMAIN_DYING},    {DOMAIN_RUNNING, DOMAIN_SHUTDOWN},
    {DOMAIN_RUNNING, DOMAIN_DYING},     {DOMAIN_SHUTDOWN, DOMAIN_RUNNING},
    {DOMAIN_SHUTDOWN, DOMAIN_DYING},    {DOMAIN_DYING, DOMAIN_DEAD},
};

void domain_set_state(struct domain *d, enum domain_state to)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(legal_move); i++) {
        if (legal_move[i].from == d->state && legal_move[i].to == to) {
            d->state = to;
            return;
        }
    }
    panic("domain %u: illegal move from state %d to %d", d->domid,
          (int)d->state, (int)to);
}

struct domain *domain_peek(domid_t domid)
{
    struct domain **chunk;

    if (domid >= DOMID_FIRST_RESERVED) {
        return NULL;
    }
    domid = (domid_t)index_nospec(domid, DOMID_FIRST_RESERVED);
    chunk = by_id[domid / CHUNK];
    return chunk == NULL ? NULL : chunk[domid % CHUNK];
}

struct domain *domain_get(domid_t domid)
{
    struct domain *d;

    spin_lock(&list_lock);
    d = domain_peek(domid);
    if (d != NULL) {
        (void)atomic_add(&d->refs, 1u);
    }
    spin_unlock(&list_lock);
    return d;
}

struct domain *domain_next(domid_t domid)
{
    struct domain *found = NULL;
    unsigned int at;

    spin_lock(&list_lock);
    at = idset_next(&in_use, domid);
    if (at != IDSET_NONE) {
        found = domain_peek((domid_t)at);
        (void)atomic_add(&found->refs, 1u);
    }
    spin_unlock(&list_lock);
    return found;
}

static void free_domain(struct domain *d)
{
    unsigned int i;

    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            evtchn_vcpu_free(d->vcpu[i]);
            vcpu_free(d->vcpu[i]);
        }
    }
    evtchn_domain_free(d);
    grant_domain_free(d);
    heap_free(d->e820);
    heap_free(d->rights_space);
    heap_free(d);
}

void domain_put(struct domain *d)
{
    if (atomic_sub(&d->refs, 1u) == 1) {
        free_domain(d);
    }
}

/* list_lock held. */
static int publish(struct domain *d, domid_t domid)
{
    struct domain **chunk = by_id[domid / CHUNK];

    if (chunk == NULL) {
        chunk = heap_alloc(CHUNK * sizeof(*chunk));
        if (chunk == NULL) {
            return -ENOMEM;
        }
        by_id[domid / CHUNK] = chunk;
    }
    d->domid = domid;
    chunk[domid % CHUNK] = d;
    idset_add(&in_use, domid);
    return 0;
}

/* list_lock held. */
static int choose_domid(domid_t wanted, domid_t *ret_domid)
{
    unsigned int next;

    if (wanted < DOMID_FIRST_RESERVED) {
        if (domain_peek(wanted) != NULL) {
            return -EEXIST;
        }
        *ret_domid = wanted;
        return 0;
    }
    /* Numbers are used again as late as possible. */
    next = idset_next_free(&in_use, rover + 1U);
    if (next >= DOMID_FIRST_RESERVED) {
        next = idset_next_free(&in_use, 1);
    }
    if (next >= DOMID_FIRST_RESERVED) {
        return -ENOMEM;
    }
    rover = (domid_t)next;
    *ret_domid = rover;
    return 0;
}

static void unpublish(struct domain *d)
{
    spin_lock(&list_lock);
    by_id[d->domid / CHUNK][d->domid % CHUNK] = NULL;
    idset_remove(&in_use, d->domid);
    spin_unlock(&list_lock);
}

int domain_create(domid_t domid, const struct xen_domctl_createdomain *config,
                  bool privileged, struct domain **ret_domain)
{
    struct domain *d = heap_alloc(sizeof(*d));
    int rc;

    if (d == NULL) {
        return -ENOMEM;
    }
    spin_lock_init(&d->lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    d->refs = 1;
    d->state = DOMAIN_BUILDING;
    d->is_privileged = privileged;
    d->create_flags = config->flags;
    d->max_vcpus = config->max_vcpus;
    d->page_list = FRAME_NONE;
    d->max_pages = privileged ? UINT32_MAX : 0;
    d->controller_paused = !privileged;
    memcpy(d->handle, config->handle, sizeof(d->handle));
    spin_lock(&list_lock);
    rc = choose_domid(domid, &domid);
    if (rc == 0) {
        rc = publish(d, domid);
    }
    spin_unlock(&list_lock);
    if (rc != 0) {
        goto out_free;
    }
    rc = shared_info_init(d);
    if (rc != 0) {
        goto out_unpublish;
    }
    rc = evtchn_domain_init(d, config->max_evtchn_port);
    if (rc != 0) {
        goto out_shared_info;
    }
    rc = grant_domain_init(d, config->max_grant_frames,
                           config->max_maptrack_frames);
    if (rc != 0) {
        goto out_evtchn;
    }
    if (privileged) {
        dom0 = d;
    }
    *ret_domain = d;
    return 0;

out_evtchn:
    evtchn_domain_free(d);
out_shared_info:
    shared_info_destroy(d);
out_unpublish:
    unpublish(d);
out_free:
    heap_free(d);
    return rc;
}

void domain_claim(struct domain *d, uint32_t pages)
{
    (void)atomic_add(&claims, (uint64_t)pages - d->outstanding_pages);
    d->outstanding_pages = pages;
}

uint64_t domain_claims(void)
{
    return READ_ONCE(claims);
}

void domain_pause(struct domain *d)
{
    unsigned int i;

    if (atomic_add(&d->pause_count, 1u) != 0) {
        return;
    }
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_hold(d->vcpu[i], VCPU_HOLD_PAUSED);
        }
    }
}

void domain_unpause(struct domain *d)
{
    unsigned int i;

    if (atomic_sub(&d->pause_count, 1u) != 1) {
        return;
    }
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_release(d->vcpu[i], VCPU_HOLD_PAUSED);
        }
    }
}

static void stop_all(struct domain *d)
{
    unsigned int i;

    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_hold(d->vcpu[i], VCPU_HOLD_STOPPED);
        }
    }
}

/* The control domain's end is the machine's. */
static void host_shutdown(unsigned int reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        pr_notice("Dom0 asked for power off");
        blackbox_clean("Dom0 powered the machine off");
        machine_poweroff();
    case SHUTDOWN_reboot:
        pr_notice("Dom0 asked for a reboot");
        blackbox_clean("Dom0 rebooted the machine");
        machine_restart();
    case SHUTDOWN_crash:
        crash_dom0("Dom0 crashed: its kernel said so (SHUTDOWN_crash)");
    case SHUTDOWN_watchdog:
        crash_dom0("Dom0 crashed: its watchdog fired");
    default:
        pr_notice("Dom0 shut down with reason %u: halting", reason);
        blackbox_clean("Dom0 shut down");
        machine_halt();
    }
}

void domain_shutdown(struct domain *d, unsigned int reason)
{
    if (domain_is_dom0(d)) {
        host_shutdown(reason);
        return;
    }
    spin_lock(&d->lock);
    if (d->shutting_down || domain_is_dying(d)) {
        spin_unlock(&d->lock);
        return;
    }
    d->shutting_down = true;
    d->shutdown_code = reason;
    domain_set_state(d, DOMAIN_SHUTDOWN);
    spin_unlock(&d->lock);
    stop_all(d);
    if (reason == SHUTDOWN_crash && d->death_code == VIGIL_DEATH_NONE) {
        d->death_code = VIGIL_DEATH_GUEST_CRASH;
        death_record(d,
                     current != NULL && current->domain == d ? current
                                                             : d->vcpu[0],
                     VIGIL_DEATH_GUEST_CRASH, "SCHEDOP_shutdown(crash)");
    } else if (reason == SHUTDOWN_watchdog) {
        d->death_code = VIGIL_DEATH_WATCHDOG;
        death_record(d, d->vcpu[0], VIGIL_DEATH_WATCHDOG,
                     "SCHEDOP_shutdown(watchdog)");
    }
    pr_info("domain: d%u shut down, reason %u", d->domid, reason);
    virq_raise_global(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
    unsigned int i;

    spin_lock(&d->lock);
    if (d->state != DOMAIN_SHUTDOWN) {
        spin_unlock(&d->lock);
        return;
    }
    d->shutting_down = false;
    d->death_code = VIGIL_DEATH_NONE;
    domain_set_state(d, DOMAIN_RUNNING);
    spin_unlock(&d->lock);
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_release(d->vcpu[i], VCPU_HOLD_STOPPED);
        }
    }
}

void domain_crash(struct domain *d, uint32_t code, const char *fmt, ...)
{
    char text[VIGIL_DEATH_TEXT_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (domain_is_dom0(d)) {
        crash_dom0("Dom0 was killed: %s: %s", death_name(code), text);
    }
    if (d->shutting_down || domain_is_dying(d)) {
        return;
    }
    d->death_code = code;
    death_record(d,
                 current != NULL && current->domain == d ? current
                                                         : d->vcpu[0],
                 code, text);
    domain_shutdown(d, SHUTDOWN_crash);
}

void domain_destroy_begin(struct domain *d)
{
    unsigned int i;

    spin_lock(&d->lock);
    if (domain_is_dying(d)) {
        spin_unlock(&d->lock);
        return;
    }
    domain_set_state(d, DOMAIN_DYING);
    domain_claim(d, 0); /* it will not populate what it claimed */
    spin_unlock(&d->lock);
    stop_all(d);
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vtimer_destroy(d->vcpu[i]);
        }
    }
}

/* Frames between two looks at what else there is to do. */
#define FRAMES_PER_STEP 512

int domain_relinquish_frames(struct domain *d, bool (*should_stop)(void))
{
    struct frame *f = account_pagelist_resume(d, d->page_cursor);
    unsigned int seen = 0;

    while (f != NULL) {
        struct frame *next;
        uint32_t freed = account_release_run(d, f, FRAMES_PER_STEP, &next);

        if (freed == 0 && (f->flags & FRAME_F_ALLOCATED) != 0) {
            int rc = account_release(d, f);

            (void)rc; /* frames held by others stay until they let go */
        }
        seen += MAX(freed, 1U);
        f = next;
        if (f != NULL && seen >= FRAMES_PER_STEP && should_stop()) {
            d->page_cursor = account_pagelist_cursor(f);
            return -ERESTART;
        }
        seen %= FRAMES_PER_STEP;
    }
    d->page_cursor = 0;
    return 0;
}

static void finish(struct domain *d)
{
    domain_set_state(d, DOMAIN_DEAD);
    unpublish(d);
    if (d->free_pv != NULL) {
        d->free_pv(d);
    }
    pr_info("domain: d%u is gone", d->domid);
    virq_raise_global(VIRQ_DOM_EXC);
    domain_put(d);
}

void domain_destroy_end(struct domain *d)
{
    if (d->relinquished) {
        return;
    }
    d->relinquished = true;
    shared_info_destroy(d);
    virq_raise_global(VIRQ_DOM_EXC);
    domain_frame_gone(d);
}

void domain_frame_gone(struct domain *d)
{
    if (d->state == DOMAIN_DYING && d->relinquished && d->tot_pages == 0) {
        finish(d);
    }
}
