/* SPDX-License-Identifier: MIT */
/*
 * domain/domain.c - life cycle of domains.
 *
 * Found by domid in a two-level table; a set of the domids in use finds the
 * next domain and the next free number, however many there are.
 *
 * domain_get() takes no lock: it may look at a domain that is freed at this
 * moment.  So what once was a struct domain never becomes anything else
 * (spare): its count of references, 0 while it is none, can always be looked
 * at, and whoever got one looks whether it is still the one he looked for.
 */
#include "domain/domain.h"

#include <vigil/vigil_op.h>

#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/reboot.h"
#include "domain/account.h"
#include "domain/death.h"
#include "domain/domain_impl.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/sched.h"
#include "domain/shared_info.h"
#include "domain/vcpu.h"
#include "domain/virq.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/idset.h"
#include "lib/string.h"
#include "log/printk.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/nospec.h"

#define CHUNK 512
#define CHUNKS (DOMID_FIRST_RESERVED / CHUNK + 1)

struct domain *dom0;

/* Legend:  L list_lock   a atomic, read without */
static SPINLOCK(list_lock, LOCK_RANK_DOMAIN_LIST, IRQ_ANY);
static struct domain **by_id[CHUNKS]; /* a, L to change; chunks stay         */
static struct idset in_use;           /* L: domids, until the last reference */
static uint64_t instances;            /* L: domains made so far              */
static uint64_t given[IDSET_WORDS];   /* L: domids that some domain has had  */
static struct domain *spare;          /* L: see above                        */
static uint64_t claims;               /* a: sum of outstanding_pages         */
static domid_t rover;                 /* L: last given to "next free"        */

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
    /* Acquire: pairs with the releases in publish(). */
    chunk = __atomic_load_n(&by_id[domid / CHUNK], __ATOMIC_ACQUIRE);
    return chunk == NULL
               ? NULL
               : __atomic_load_n(&chunk[domid % CHUNK], __ATOMIC_ACQUIRE);
}

/* One more reference, unless there is none. */
static bool hold_if_any(struct domain *d)
{
    uint32_t refs = READ_ONCE(d->refs);

    while (refs != 0 && !atomic_cas(&d->refs, refs, refs + 1)) {
        refs = READ_ONCE(d->refs);
    }
    return refs != 0;
}

struct domain *domain_get(domid_t domid)
{
    for (;;) {
        struct domain *d = domain_peek(domid);

        if (d == NULL || !hold_if_any(d)) {
            return NULL;
        }
        if (likely(domain_peek(domid) == d)) {
            return d;
        }
        domain_put(d); /* it has gone, or is another one by now */
    }
}

struct domain *domain_next(domid_t domid)
{
    struct domain *found = NULL;
    unsigned int at;

    spin_lock(&list_lock);
    for (at = idset_next(&in_use, domid); at != IDSET_NONE && found == NULL;
         at = idset_next(&in_use, at + 1)) {
        found = domain_peek((domid_t)at); /* NULL: not yet, or no more */
    }
    if (found != NULL) {
        /* Listed: there is a reference for that as long as we have the lock. */
        domain_hold(found);
    }
    spin_unlock(&list_lock);
    return found;
}

uint64_t domain_instance(domid_t domid)
{
    const struct domain *d = domain_peek(domid);

    /* At what once was a struct domain one may always look. */
    return d == NULL ? 0 : READ_ONCE(d->instance);
}

static struct domain *struct_take(void)
{
    struct domain *d;

    spin_lock(&list_lock);
    d = spare;
    if (d != NULL) {
        spare = d->next_spare;
    }
    spin_unlock(&list_lock);
    if (d == NULL) {
        return heap_alloc(sizeof(*d));
    }
    /* refs is 0 and stays so: not to be written while others look at it. */
    memset(d, 0, offsetof(struct domain, refs));
    memset(&d->refs + 1, 0, sizeof(*d) - offsetof(struct domain, refs) -
                                sizeof(d->refs));
    return d;
}

void domain_struct_free(struct domain *d)
{
    spin_lock(&list_lock);
    /* Only now: whoever refers to the old one acts in the number's name. */
    if (d->domid != DOMID_INVALID) {
        idset_remove(&in_use, d->domid);
    }
    d->next_spare = spare;
    spare = d;
    spin_unlock(&list_lock);
}

static void free_domain(struct domain *d)
{
    unsigned int i;

    if (d->free_pv != NULL) {
        d->free_pv(d);
    }
    /* Its timer may be looking at the vcpus: before they go. */
    sched_domain_free(d);
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_free(d->vcpu[i]);
        }
    }
    shared_info_destroy(d);
    heap_free(d->e820);
    heap_free(d->rights_space);
    domain_rest_free(d);
}

void domain_put(struct domain *d)
{
    if (atomic_sub(&d->refs, 1u) == 1) {
        free_domain(d);
    }
}

/* Room in the table for a domid.  list_lock held. */
static int reserve(domid_t domid)
{
    struct domain **chunk = by_id[domid / CHUNK];

    if (chunk == NULL) {
        chunk = heap_alloc(CHUNK * sizeof(*chunk));
        if (chunk == NULL) {
            return -ENOMEM;
        }
        __atomic_store_n(&by_id[domid / CHUNK], chunk, __ATOMIC_RELEASE);
    }
    idset_add(&in_use, domid);
    return 0;
}

static void list_set(domid_t domid, struct domain *d)
{
    spin_lock(&list_lock);
    __atomic_store_n(&by_id[domid / CHUNK][domid % CHUNK], d, __ATOMIC_RELEASE);
    spin_unlock(&list_lock);
}

void domain_publish(struct domain *d)
{
    list_set(d->domid, d);
    if (d->is_privileged) {
        __atomic_store_n(&dom0, d, __ATOMIC_RELEASE);
    }
}

/* list_lock held. */
static int choose_domid(domid_t wanted, domid_t *ret_domid)
{
    unsigned int next;

    if (wanted < DOMID_FIRST_RESERVED) {
        if (idset_next(&in_use, wanted) == wanted) {
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

int domain_create(domid_t domid, const struct xen_domctl_createdomain *config,
                  bool privileged, struct domain **ret_domain)
{
    struct domain *d = struct_take();
    int rc;

    if (d == NULL) {
        return -ENOMEM;
    }
    spin_lock_init(&d->lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    spin_lock_init(&d->console_lock, "console", LOCK_RANK_DOMAIN, IRQ_ANY);
    d->state = DOMAIN_BUILDING;
    d->is_privileged = privileged;
    d->create_flags = config->flags;
    d->page_list = FRAME_NONE;
    d->node_affinity = ~0ULL;
    d->max_pages = privileged ? UINT32_MAX : 0;
    d->controller_paused = !privileged;
    memcpy(d->handle, config->handle, sizeof(d->handle));
    d->domid = DOMID_INVALID;
    atomic_store(&d->refs, 1u);
    spin_lock(&list_lock);
    rc = choose_domid(domid, &domid);
    if (rc == 0) {
        rc = reserve(domid);
    }
    if (rc == 0) {
        d->domid = domid;
        d->instance = ++instances;
        d->is_renumbered = bitmap_test(given, domid);
        bitmap_set(given, domid);
    }
    spin_unlock(&list_lock);
    if (rc != 0) {
        domain_put(d);
        return rc;
    }
    rc = shared_info_init(d);
    if (rc == 0) {
        rc = evtchn_domain_init(d, config->max_evtchn_port);
    }
    if (rc == 0) {
        rc = grant_domain_init(d, config->max_grant_frames,
                               config->max_maptrack_frames,
                               XEN_DOMCTL_GRANT_version(config->grant_opts));
    }
    if (rc == 0) {
        rc = sched_domain_init(d);
    }
    if (rc != 0) {
        domain_put(d);
        return rc;
    }
    d->max_vcpus = config->max_vcpus;
    log_guest_init(&d->log, domid);
    *ret_domain = d;
    return 0;
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

bool domain_has_stopped(const struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        const struct vcpu *v = d->vcpu[i];

        if (v != NULL && v != current && !vcpu_is_off(v)) {
            return false;
        }
    }
    return true;
}

void domain_pause(struct domain *d)
{
    unsigned int i;

    /* Whoever pauses second may rely on it, too: not before all are held. */
    spin_lock(&d->lock);
    if (d->pause_count++ == 0) {
        for (i = 0; i < d->max_vcpus; i++) {
            if (d->vcpu[i] != NULL) {
                vcpu_hold(d->vcpu[i], VCPU_HOLD_PAUSED);
            }
        }
    }
    spin_unlock(&d->lock);
    while (!domain_has_stopped(d)) {
        cpu_relax();
    }
}

void domain_unpause(struct domain *d)
{
    unsigned int i;

    spin_lock(&d->lock);
    if (--d->pause_count == 0) {
        for (i = 0; i < d->max_vcpus; i++) {
            if (d->vcpu[i] != NULL) {
                vcpu_release(d->vcpu[i], VCPU_HOLD_PAUSED);
            }
        }
    }
    spin_unlock(&d->lock);
}

/* Domain lock held: it orders this against domain_resume(). */
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

/*
 * The first reason a domain ends for is the one that counts; false: there was
 * one before.  @code: VIGIL_DEATH_*.
 */
static bool shutdown_begin(struct domain *d, unsigned int reason, uint32_t code)
{
    spin_lock(&d->lock);
    if (d->shutting_down || domain_is_dying(d)) {
        spin_unlock(&d->lock);
        return false;
    }
    d->shutting_down = true;
    d->shutdown_code = reason;
    d->death_code = code;
    domain_set_state(d, DOMAIN_SHUTDOWN);
    stop_all(d);
    spin_unlock(&d->lock);
    return true;
}

static void shutdown_tell(struct domain *d, unsigned int reason)
{
    evtchn_port_t port = READ_ONCE(d->suspend_port);

    pr_info("domain: d%u shut down, reason %u", d->domid, reason);
    if (reason == SHUTDOWN_suspend && port != 0 && evtchn_send(d, port) == 0) {
        return;
    }
    virq_raise_global(VIRQ_DOM_EXC);
}

void domain_tell_suspend(struct domain *d, evtchn_port_t port)
{
    spin_lock(&d->lock);
    d->suspend_port = port;
    spin_unlock(&d->lock);
}

/* Whose registers the record of its death shows. */
static struct vcpu *witness(struct domain *d)
{
    return current != NULL && current->domain == d ? current : d->vcpu[0];
}

void domain_shutdown(struct domain *d, unsigned int reason)
{
    uint32_t code = reason == SHUTDOWN_crash      ? VIGIL_DEATH_GUEST_CRASH
                    : reason == SHUTDOWN_watchdog ? VIGIL_DEATH_WATCHDOG
                                                  : VIGIL_DEATH_NONE;

    if (domain_is_dom0(d)) {
        host_shutdown(reason);
        return;
    }
    if (!shutdown_begin(d, reason, code)) {
        return;
    }
    if (reason == SHUTDOWN_crash) {
        death_record(d, witness(d), code, "SCHEDOP_shutdown(crash)");
    } else if (reason == SHUTDOWN_watchdog) {
        death_record(d, d->vcpu[0], code, "SCHEDOP_shutdown(watchdog)");
    }
    shutdown_tell(d, reason);
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
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            vcpu_release(d->vcpu[i], VCPU_HOLD_STOPPED);
        }
    }
    spin_unlock(&d->lock);
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
    if (shutdown_begin(d, SHUTDOWN_crash, code)) {
        death_record(d, witness(d), code, text);
        shutdown_tell(d, SHUTDOWN_crash);
    }
}

void domain_destroy_begin(struct domain *d)
{
    spin_lock(&d->lock);
    if (domain_is_dying(d)) {
        spin_unlock(&d->lock);
        return;
    }
    domain_set_state(d, DOMAIN_DYING);
    domain_claim(d, 0); /* it will not populate what it claimed */
    stop_all(d);
    spin_unlock(&d->lock);
}

/* Frames between two looks at what else there is to do. */
#define FRAMES_PER_STEP 512

int domain_relinquish_frames(struct domain *d, bool (*should_stop)(void))
{
    struct frame *f = account_pagelist_resume(d);
    unsigned int seen = 0;

    while (f != NULL) {
        struct frame *next;
        uint32_t freed = account_release_run(d, f, FRAMES_PER_STEP, &next);

        if (freed == 0) {
            int rc = account_release(d, f);

            (void)rc; /* frames held by others stay until they let go */
        }
        seen += MAX(freed, 1U);
        f = next;
        if (f != NULL && seen >= FRAMES_PER_STEP && should_stop()) {
            account_pagelist_stop(d, f);
            return -ERESTART;
        }
        seen %= FRAMES_PER_STEP;
    }
    account_pagelist_stop(d, NULL);
    return 0;
}

static void finish(struct domain *d)
{
    list_set(d->domid, NULL);
    log_guest_end(&d->log);
    pr_info("domain: d%u is gone", d->domid);
    virq_raise_global(VIRQ_DOM_EXC);
    domain_put(d);
}

void domain_destroy_end(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->relinquished) {
        spin_unlock(&d->lock);
        return;
    }
    d->relinquished = true;
    spin_unlock(&d->lock);
    virq_raise_global(VIRQ_DOM_EXC);
    domain_frame_gone(d);
}

void domain_frame_gone(struct domain *d)
{
    bool is_last;

    /* DYING comes before relinquished, which the end itself looks at. */
    if (likely(READ_ONCE(d->state) != DOMAIN_DYING)) {
        return;
    }
    spin_lock(&d->lock);
    is_last =
        d->state == DOMAIN_DYING && d->relinquished && d->tot_pages == 0;
    if (is_last) {
        domain_set_state(d, DOMAIN_DEAD); /* nobody else finds it so */
    }
    spin_unlock(&d->lock);
    if (is_last) {
        finish(d);
    }
}
