/* SPDX-License-Identifier: MIT */
#include "tests/unit/domain/evtchn_machine.h"

#include <sys/mman.h>

#include "lib/errno.h"
#include "cpu/clock.h"
#include "cpu/timer.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/frame_use.h"
#include "domain/pirq.h"
#include "fake_hw.h"

struct domain *dom0;

struct domain dom_a, dom_b;
struct vcpu vcpus[2][VCPUS];
shared_info_t *si[2];
unsigned int marks[2][VCPUS], kicks[2][VCPUS];
int held[PAGES];
unsigned int pirq_unbinds;
int pirq_answer;

struct timer *late_timer;
void (*on_mark)(void);
static bool hold_fails;
static unsigned int pirq_binds;

/* ---- what the code under test calls ------------------------------------ */

void *heap_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

void *hv_page_alloc(void)
{
    void *p = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

    memset(p, 0, PAGE_SIZE);
    return p;
}

void hv_page_free(void *p)
{
    free(p);
}

int frame_use_hold(mfn_t m, domid_t owner, bool writable)
{
    (void)owner;
    assert_true(writable);
    if (hold_fails || mfn_x(m) >= PAGES) {
        return -EINVAL;
    }
    held[mfn_x(m)]++;
    return 0;
}

void frame_use_release(mfn_t m, bool writable)
{
    assert_true(writable);
    assert_true(held[mfn_x(m)] > 0);
    held[mfn_x(m)]--;
}

static unsigned int idx(const struct domain *d)
{
    return d == &dom_b;
}

void vcpu_mark_events_pending(struct vcpu *v)
{
    v->vcpu_info->evtchn_upcall_pending = 1;
    marks[idx(v->domain)][v->vcpu_id]++;
    if (on_mark != NULL) {
        on_mark();
    }
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    assert_true(deadline_ns > clock_now_ns());
    atomic_store(&late_timer, t);
}

uint64_t clock_now_ns(void)
{
    return 1000;
}

void vcpu_kick(struct vcpu *v)
{
    kicks[idx(v->domain)][v->vcpu_id]++;
}

void domain_put(struct domain *d)
{
    assert_true(d->refs > 1);
    d->refs--;
}

uint64_t domain_instance(domid_t domid)
{
    return domid == dom_a.domid ? dom_a.instance
           : domid == dom_b.domid ? dom_b.instance : 0;
}

int pirq_bind(struct domain *d, unsigned int pirq, evtchn_port_t port,
              bool share)
{
    (void)d;
    (void)pirq;
    (void)port;
    (void)share;
    pirq_binds += pirq_answer == 0;
    return pirq_answer;
}

void pirq_unbind(struct domain *d, unsigned int pirq, evtchn_port_t port)
{
    (void)d;
    (void)pirq;
    (void)port;
    pirq_unbinds++;
}

void pirq_init(void)
{
}

void pirq_domain_destroy(struct domain *d)
{
    (void)d;
}

/* ---- set-up ------------------------------------------------------------- */

void *page(unsigned int n)
{
    return mfn_to_ptr(mfn(n));
}

int evtchn_group_setup(void **state)
{
    void *want = (void *)DIRECTMAP_VA;

    (void)state;
    assert_ptr_equal(mmap(want, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                          0),
                     want);
    return 0;
}

static void make(struct domain *d, unsigned int i, domid_t domid)
{
    memset(d, 0, sizeof(*d));
    d->domid = domid;
    d->instance = 10U + domid;
    d->refs = 1;
    d->state = DOMAIN_RUNNING;
    d->max_vcpus = VCPUS;
    si[i] = calloc(1, PAGE_SIZE);
    d->shared_info = si[i];
    for (unsigned int n = 0; n < VCPUS; n++) {
        struct vcpu *v = &vcpus[i][n];

        memset(v, 0, sizeof(*v));
        v->domain = d;
        v->vcpu_id = n;
        v->vcpu_info = &si[i]->vcpu_info[n];
        d->vcpu[n] = v;
    }
    assert_int_equal(evtchn_domain_init(d, UINT32_MAX), 0);
}

int evtchn_setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(marks, 0, sizeof(marks));
    memset(kicks, 0, sizeof(kicks));
    memset(page(0), 0, PAGES * PAGE_SIZE);
    hold_fails = false;
    late_timer = NULL;
    on_mark = NULL;
    pirq_answer = 0;
    pirq_binds = pirq_unbinds = 0;
    make(&dom_a, 0, 1);
    make(&dom_b, 1, 2);
    dom0 = &dom_a;
    return 0;
}

void evtchn_free(struct domain *d)
{
    unsigned int budget = UINT32_MAX;

    assert_true(evtchn_domain_free(d, &budget));
    assert_null(d->evtchn);
}

int evtchn_teardown(void **state)
{
    struct domain *d[] = {&dom_a, &dom_b};

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(evtchn_domain_destroy(d[i], NULL), 0);
        evtchn_free(d[i]);
        assert_int_equal(d[i]->refs, 1);
        free(si[i]);
    }
    for (unsigned int i = 0; i < PAGES; i++) {
        assert_int_equal(held[i], 0);
    }
    return 0;
}

evtchn_port_t ipi(struct domain *d, unsigned int vcpu)
{
    evtchn_port_t port = 0;

    assert_int_equal(evtchn_bind_ipi(d, vcpu, &port), 0);
    return port;
}

bool pending_2l(unsigned int i, evtchn_port_t port)
{
    return (si[i]->evtchn_pending[port / 64] >> (port % 64)) & 1;
}
