/* SPDX-License-Identifier: MIT */
/*
 * domain/domain.c on several CPUs, each a thread: domains are looked up while
 * they are made, ended and freed, and their memory becomes other domains.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>

#include "lib/errno.h"
#include "x86/atomic.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/reboot.h"
#include "mm/heap.h"
#include "domain/account.h"
#include "domain/death.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/shared_info.h"
#include "domain/vcpu.h"
#include "domain/virq.h"
#include "domain/vtimer.h"
#include "fake_hw.h"
/* The system has one of that name. */
#define sched_yield hv_sched_yield
#include "domain/sched.h"
#undef sched_yield

#define LOOKERS 3
#define IDS     4 /* 1 .. IDS */
#define LIVES   100000

static unsigned int freed; /* a */

/* ---- what the code under test calls ---- */

void *heap_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

int shared_info_init(struct domain *d)
{
    d->shared_info = calloc(1, 64);
    return 0;
}

void shared_info_destroy(struct domain *d)
{
    if (d->shared_info == NULL) {
        return; /* it never got so far */
    }
    /* With the last reference. */
    if (READ_ONCE(d->refs) != 0) {
        abort();
    }
    free(d->shared_info);
    d->shared_info = NULL;
    (void)atomic_add(&freed, 1U);
}

int evtchn_domain_init(struct domain *d, uint32_t max_port)
{
    (void)d;
    (void)max_port;
    return 0;
}

void evtchn_domain_free(struct domain *d)
{
    (void)d;
}

int grant_domain_init(struct domain *d, int32_t frames, int32_t pages)
{
    (void)d;
    (void)frames;
    (void)pages;
    return 0;
}

void grant_domain_free(struct domain *d)
{
    (void)d;
}

void virq_raise_global(unsigned int virq)
{
    (void)virq;
}

int sched_domain_init(struct domain *d)
{
    (void)d;
    return 0;
}

void sched_domain_free(struct domain *d)
{
    (void)d;
}

/* There are no vcpus, and no frames; Dom0 does not end. */
#define NEVER(type, name, ...)                                                 \
    type name(__VA_ARGS__)                                                     \
    {                                                                          \
        abort();                                                               \
    }
#pragma GCC diagnostic ignored "-Wunused-parameter"
NEVER(void, evtchn_vcpu_free, struct vcpu *v)
NEVER(void, vcpu_free, struct vcpu *v)
NEVER(void, vcpu_hold, struct vcpu *v, uint32_t why)
NEVER(void, vcpu_release, struct vcpu *v, uint32_t why)
NEVER(void, vtimer_destroy, struct vcpu *v)
NEVER(bool, vcpu_is_off, const struct vcpu *v)
NEVER(void, death_record, struct domain *d, struct vcpu *v, uint32_t code,
      const char *text)
NEVER(const char *, death_name, uint32_t code)
NEVER(struct frame *, account_pagelist_resume, struct domain *d)
NEVER(void, account_pagelist_stop, struct domain *d, const struct frame *f)
NEVER(uint32_t, account_release_run, struct domain *d, struct frame *f,
      uint32_t max, struct frame **ret_next)
NEVER(int, account_release, struct domain *d, struct frame *f)
NEVER(void, blackbox_clean, const char *reason)
NEVER(void, crash_dom0, const char *fmt, ...)
NEVER(void, machine_restart, void)
NEVER(void, machine_poweroff, void)
NEVER(void, machine_halt, void)

/* ---- */

static const struct xen_domctl_createdomain config = {.max_vcpus = 1};

static uint32_t running;     /* a */
static unsigned int sightings; /* a */

static void *looker(void *arg)
{
    unsigned int seen = 0;

    fake_cpu = (unsigned int)(uintptr_t)arg;
    for (unsigned int i = 0; atomic_load(&running) != 0; i++) {
        domid_t id = (domid_t)(1 + i % IDS);
        struct domain *d = domain_get(id);

        if (d != NULL) {
            /* Ours: nobody frees it or makes another one of it. */
            if (d->domid != id || READ_ONCE(d->refs) == 0 ||
                d->shared_info == NULL) {
                abort();
            }
            if (i % 8 == 0) {
                (void)sched_yield();
            }
            if (d->domid != id || d->shared_info == NULL) {
                abort();
            }
            domain_put(d);
            seen++;
        }
        if (i % 64 == 0) {
            d = domain_next(1);
            if (d != NULL) {
                domain_put(d);
            }
            (void)sched_yield();
        }
    }
    (void)atomic_add(&sightings, seen);
    return NULL;
}

static void lookups_against_destruction(void **state)
{
    pthread_t thread[LOOKERS];
    unsigned int made = 0;

    (void)state;
    running = 1;
    sightings = freed = 0;
    for (uintptr_t i = 0; i < LOOKERS; i++) {
        assert_int_equal(
            pthread_create(&thread[i], NULL, looker, (void *)(i + 1)), 0);
    }
    for (unsigned int i = 0; i < LIVES; i++) {
        struct domain *d;

        /* Each time another number: memory of one becomes another. */
        assert_int_equal(
            domain_create((domid_t)(1 + i * 7 % IDS), &config, false, &d), 0);
        assert_null(domain_peek(d->domid)); /* not before it is whole */
        domain_publish(d);
        made++;
        if (i % 16 == 0) {
            (void)sched_yield();
        }
        domain_destroy_begin(d);
        assert_true(domain_has_stopped(d));
        domain_destroy_end(d);
    }
    atomic_store(&running, 0);
    for (unsigned int i = 0; i < LOOKERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_true(sightings > 0);
    assert_int_equal(freed, made);
    assert_null(domain_next(1));
}

/* A number stays taken from the creation to the end. */
static void numbers(void **state)
{
    struct domain *d, *e;

    (void)state;
    assert_int_equal(domain_create(9, &config, false, &d), 0);
    assert_int_equal(domain_create(9, &config, false, &e), -EEXIST);
    assert_null(domain_get(9));
    assert_null(domain_next(1));
    domain_publish(d);
    e = domain_next(1);
    assert_ptr_equal(e, d);
    assert_int_equal(d->refs, 2);
    domain_destroy_begin(d);
    domain_destroy_end(d);
    assert_null(domain_get(9));
    assert_int_equal(d->refs, 1); /* ours */
    domain_put(d);
    assert_int_equal(domain_create(9, &config, false, &d), 0);
    domain_publish(d);
    domain_destroy_begin(d);
    domain_destroy_end(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(lookups_against_destruction),
    };

    fake_hw_reset();
    return UNIT_RUN(tests);
}
