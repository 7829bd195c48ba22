/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn*.c, virq.c: bindings and their ends, both ABIs seen from the
 * guest's side (a guest that consumes, and one that spoils its words).
 */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "lib/errno.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/evtchn.h"
#include "domain/evtchn_impl.h"
#include "domain/frame_use.h"
#include "domain/pirq.h"
#include "domain/virq.h"
#include "fake_hw.h"

#define PAGES 64
#define VCPUS 3

struct domain *dom0;

static struct domain a, b;
static struct vcpu vcpus[2][VCPUS];
static shared_info_t *si[2];
static unsigned int marks[2][VCPUS], kicks[2][VCPUS];
static int held[PAGES];
static bool hold_fails;
static unsigned int pirq_binds, pirq_unbinds;
static int pirq_answer;

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
    return d == &b;
}

void vcpu_mark_events_pending(struct vcpu *v)
{
    v->vcpu_info->evtchn_upcall_pending = 1;
    marks[idx(v->domain)][v->vcpu_id]++;
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

static void *page(unsigned int n)
{
    return mfn_to_ptr(mfn(n));
}

static int group_setup(void **state)
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

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(marks, 0, sizeof(marks));
    memset(kicks, 0, sizeof(kicks));
    memset(page(0), 0, PAGES * PAGE_SIZE);
    hold_fails = false;
    pirq_answer = 0;
    pirq_binds = pirq_unbinds = 0;
    make(&a, 0, 1);
    make(&b, 1, 2);
    dom0 = &a;
    return 0;
}

static int teardown(void **state)
{
    struct domain *d[] = {&a, &b};

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(evtchn_domain_destroy(d[i], NULL), 0);
        evtchn_domain_free(d[i]);
        assert_int_equal(d[i]->refs, 1);
        free(si[i]);
    }
    for (unsigned int i = 0; i < PAGES; i++) {
        assert_int_equal(held[i], 0);
    }
    return 0;
}

static evtchn_port_t ipi(struct domain *d, unsigned int vcpu)
{
    evtchn_port_t port = 0;

    assert_int_equal(evtchn_bind_ipi(d, vcpu, &port), 0);
    return port;
}

static bool pending_2l(unsigned int i, evtchn_port_t port)
{
    return (si[i]->evtchn_pending[port / 64] >> (port % 64)) & 1;
}

/* ---- bindings ------------------------------------------------------------ */

static void ports_are_lowest_first(void **state)
{
    (void)state;
    assert_int_equal(ipi(&a, 0), 1);
    assert_int_equal(ipi(&a, 0), 2);
    assert_int_equal(ipi(&a, 0), 3);
    assert_int_equal(evtchn_close(&a, 2), 0);
    assert_int_equal(evtchn_close(&a, 2), -EINVAL);
    assert_int_equal(evtchn_close(&a, 0), -EINVAL);
    assert_int_equal(evtchn_close(&a, 1U << 31), -EINVAL);
    assert_int_equal(ipi(&a, 0), 2);
    assert_int_equal(ipi(&a, 0), 4);
}

static void two_level_ends_at_4096(void **state)
{
    evtchn_port_t port;

    (void)state;
    for (unsigned int i = 1; i < EVTCHN_PORTS_2L; i++) {
        assert_int_equal(ipi(&a, 0), i);
    }
    assert_int_equal(evtchn_bind_ipi(&a, 0, &port), -ENOSPC);
}

static void limit_of_the_domain_holds(void **state)
{
    evtchn_port_t port;

    (void)state;
    evtchn_domain_free(&a);
    assert_int_equal(evtchn_domain_init(&a, 2), 0);
    assert_int_equal(ipi(&a, 0), 1);
    assert_int_equal(ipi(&a, 0), 2);
    assert_int_equal(evtchn_bind_ipi(&a, 0, &port), -ENOSPC);
}

static void interdomain_connects_sends_and_ends(void **state)
{
    evtchn_port_t pa, pb;
    struct evtchn_status s;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(&a, b.domid, &pa), 0);
    assert_int_equal(evtchn_send(&a, pa), 0); /* nobody there yet: dropped */
    assert_int_equal(evtchn_bind_interdomain(&a, &a, pa, &pb), -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(&b, &a, pa + 1, &pb), -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(&b, &a, pa, &pb), 0);
    assert_true(pending_2l(1, pb)); /* once, for what was dropped */
    assert_int_equal(marks[1][0], 1);
    assert_int_equal(evtchn_bind_interdomain(&b, &a, pa, &pb), -EINVAL);

    assert_int_equal(evtchn_send(&b, pb), 0);
    assert_true(pending_2l(0, pa));
    assert_int_equal(marks[0][0], 1);
    assert_int_equal(evtchn_send(&b, pb), 0); /* pending already */
    assert_int_equal(marks[0][0], 1);

    assert_int_equal(evtchn_status(&b, pb, &s), 0);
    assert_int_equal(s.status, EVTCHNSTAT_interdomain);
    assert_int_equal(s.u.interdomain.dom, a.domid);
    assert_int_equal(s.u.interdomain.port, pa);

    assert_int_equal(evtchn_close(&b, pb), 0);
    assert_int_equal(evtchn_status(&a, pa, &s), 0);
    assert_int_equal(s.status, EVTCHNSTAT_unbound);
    assert_int_equal(s.u.unbound.dom, b.domid);
    /* It may be bound once more by the same domain. */
    assert_int_equal(evtchn_bind_interdomain(&b, &a, pa, &pb), 0);
}

static void a_domain_connects_to_itself(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(&a, a.domid, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(&a, &a, p, &q), 0);
    assert_int_not_equal(p, q);
    assert_int_equal(evtchn_send(&a, q), 0);
    assert_true(pending_2l(0, p));
    assert_int_equal(evtchn_close(&a, p), 0);
    assert_int_equal(evtchn_close(&a, q), 0);
}

static void virqs_are_bound_once(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    assert_int_equal(evtchn_bind_virq(&a, NR_VIRQS, 0, &p), -EINVAL);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_CONSOLE, 1, &p), -EINVAL);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_TIMER, VCPUS, &p), -ENOENT);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_TIMER, 1, &p), 0);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_TIMER, 1, &q), -EEXIST);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_TIMER, 2, &q), 0);
    virq_raise(&vcpus[0][1], VIRQ_TIMER);
    assert_true(pending_2l(0, p));
    assert_false(pending_2l(0, q));
    assert_int_equal(marks[0][1], 1);
    virq_raise(&vcpus[0][0], VIRQ_TIMER); /* unbound: nothing */
    assert_int_equal(marks[0][0], 0);
    assert_int_equal(evtchn_bind_vcpu(&a, p, 0), -EINVAL);
    assert_int_equal(evtchn_send(&a, p), -EINVAL);
    assert_int_equal(evtchn_close(&a, p), 0);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_TIMER, 1, &q), 0);
}

static void global_virqs_go_to_their_handler(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    a.is_privileged = true;
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_DOM_EXC, 0, &p), 0);
    assert_int_equal(evtchn_bind_vcpu(&a, p, 2), 0);
    virq_raise_global(VIRQ_DOM_EXC);
    assert_true(pending_2l(0, p));
    assert_int_equal(marks[0][2], 1);
    assert_int_equal(virq_get_handler(VIRQ_DOM_EXC), a.domid);

    assert_int_equal(virq_set_handler(VIRQ_TIMER, &b), -EINVAL);
    assert_int_equal(virq_set_handler(VIRQ_DOM_EXC, &b), 0);
    assert_int_equal(evtchn_bind_virq(&b, VIRQ_DOM_EXC, 0, &q), 0);
    virq_raise_global(VIRQ_DOM_EXC);
    assert_true(pending_2l(1, q));
    assert_int_equal(evtchn_close(&a, p), 0);
    assert_int_equal(evtchn_bind_virq(&a, VIRQ_DOM_EXC, 0, &p), 0);
    /* b dies: back to the control domain, its reference given back */
    assert_int_equal(b.refs, 2);
    virq_forget_domain(&b);
    assert_int_equal(virq_get_handler(VIRQ_DOM_EXC), a.domid);
}

static void pirqs_bind_or_leave_no_port(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    pirq_answer = -EBUSY;
    assert_int_equal(evtchn_bind_pirq(&a, 9, true, &p), -EBUSY);
    pirq_answer = 0;
    assert_int_equal(evtchn_bind_pirq(&a, 9, true, &p), 0);
    assert_int_equal(p, 1);
    evtchn_set_pending(&a, p);
    assert_true(pending_2l(0, p));
    assert_int_equal(evtchn_bind_vcpu(&a, p, 1), 0);
    assert_int_equal(evtchn_close(&a, p), 0);
    assert_int_equal(pirq_unbinds, 1);
    assert_false(pending_2l(0, p)); /* the next user starts clean */
    q = ipi(&a, 0);
    assert_int_equal(q, p);
}

static void dying_domains_gain_no_port(void **state)
{
    evtchn_port_t p;

    (void)state;
    a.state = DOMAIN_DYING;
    assert_int_equal(evtchn_bind_ipi(&a, 0, &p), -EINVAL);
    assert_int_equal(evtchn_alloc_unbound(&a, b.domid, &p), -EINVAL);
}

static bool stop_always(void)
{
    return true;
}

static void destruction_can_be_interrupted(void **state)
{
    evtchn_port_t pa, pb;
    unsigned int steps = 0;

    (void)state;
    for (unsigned int i = 0; i < 300; i++) {
        assert_int_equal(evtchn_alloc_unbound(&a, b.domid, &pa), 0);
        assert_int_equal(evtchn_bind_interdomain(&b, &a, pa, &pb), 0);
    }
    a.state = DOMAIN_DYING;
    while (evtchn_domain_destroy(&a, stop_always) == -ERESTART) {
        steps++;
    }
    assert_true(steps >= 4);
    for (evtchn_port_t port = 1; port <= 300; port++) {
        struct evtchn_status s;

        assert_int_equal(evtchn_status(&a, port, &s), 0);
        assert_int_equal(s.status, EVTCHNSTAT_closed);
        assert_int_equal(evtchn_status(&b, port, &s), 0);
        assert_int_equal(s.status, EVTCHNSTAT_unbound);
    }
}

/* ---- 2-level ------------------------------------------------------------- */

static void masked_events_wait(void **state)
{
    evtchn_port_t p = ipi(&a, 1);

    (void)state;
    si[0]->evtchn_mask[0] = 1UL << p;
    assert_int_equal(evtchn_send(&a, p), 0);
    assert_true(pending_2l(0, p));
    assert_int_equal(marks[0][1], 0);
    assert_int_equal(evtchn_unmask(&a, p), 0);
    assert_int_equal(si[0]->evtchn_mask[0], 0);
    assert_int_equal(marks[0][1], 1);
    assert_int_equal(si[0]->vcpu_info[1].evtchn_pending_sel, 1);
    assert_int_equal(evtchn_unmask(&a, p), 0); /* was not masked: nothing */
    assert_int_equal(marks[0][1], 1);
    assert_true(evtchn_is_pending(&a, p));
    assert_true(evtchn_vcpu_has_pending(&vcpus[0][1]));
}

static void pollers_are_woken(void **state)
{
    evtchn_port_t p = ipi(&a, 0), q = ipi(&a, 0);

    (void)state;
    si[0]->evtchn_mask[0] = ~0UL;
    vcpus[0][1].poll_port = p;
    vcpus[0][2].poll_port = EVTCHN_POLL_SEVERAL;
    assert_int_equal(evtchn_send(&a, q), 0);
    assert_int_equal(kicks[0][1], 0);
    assert_int_equal(kicks[0][2], 1);
    assert_int_equal(evtchn_send(&a, p), 0);
    assert_int_equal(kicks[0][1], 1);
    assert_int_equal(vcpus[0][1].poll_port, 0);
    assert_true(evtchn_port_usable(&a, p));
    assert_false(evtchn_port_usable(&a, 100000));
}

/* ---- FIFO: the guest's side ---------------------------------------------- */

#define PENDING 0x80000000U
#define MASKED  0x40000000U
#define LINKED  0x20000000U

static uint32_t *words(unsigned int first_page, evtchn_port_t port)
{
    return (uint32_t *)page(first_page) + port;
}

static void use_fifo(struct domain *d, unsigned int vcpu_count)
{
    for (unsigned int i = 0; i < vcpu_count; i++) {
        assert_int_equal(
            evtchn_fifo_init_control(d->vcpu[i], mfn(1 + i), 8 * i), 0);
    }
    assert_int_equal(evtchn_fifo_expand_array(d, mfn(10)), 0);
}

static struct evtchn_fifo_control_block *block(unsigned int vcpu)
{
    return (void *)((uint8_t *)page(1 + vcpu) + 8 * vcpu);
}

/* Take the next port of a queue as a guest does; 0: empty. */
static evtchn_port_t consume(unsigned int vcpu, unsigned int q,
                             evtchn_port_t *head)
{
    struct evtchn_fifo_control_block *cb = block(vcpu);
    evtchn_port_t port = *head != 0 ? *head : cb->head[q];
    uint32_t w;

    if (port == 0) {
        return 0;
    }
    w = *words(10, port);
    *words(10, port) = w & ~(LINKED | 0x1ffffU);
    *head = w & 0x1ffff;
    if (*head == 0) {
        cb->ready &= ~(1U << q);
        cb->head[q] = 0;
    }
    return port;
}

static void fifo_refuses_nonsense(void **state)
{
    (void)state;
    assert_int_equal(evtchn_fifo_expand_array(&a, mfn(10)), -EOPNOTSUPP);
    assert_int_equal(evtchn_fifo_expand_array(&a, mfn(PAGES)), -EOPNOTSUPP);
    assert_int_equal(evtchn_set_priority(&a, ipi(&a, 0), 3), -EOPNOTSUPP);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 4),
                     -EINVAL);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 4032),
                     -EINVAL);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(PAGES), 0),
                     -EINVAL);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 4024), 0);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 0),
                     -EINVAL);
    assert_int_equal(evtchn_set_priority(&a, 1, 16), -EINVAL);
    assert_int_equal(evtchn_set_priority(&a, 99, 1), -EINVAL);
    assert_int_equal(held[1], 1);
}

static void fifo_links_in_order(void **state)
{
    evtchn_port_t p[3], head = 0;

    (void)state;
    use_fifo(&a, 2);
    for (unsigned int i = 0; i < 3; i++) {
        p[i] = ipi(&a, 0);
    }
    assert_int_equal(evtchn_send(&a, p[0]), 0);
    assert_int_equal(marks[0][0], 1);
    assert_int_equal(block(0)->ready, 1U << 7);
    assert_int_equal(block(0)->head[7], p[0]);
    assert_int_equal(evtchn_send(&a, p[2]), 0);
    assert_int_equal(evtchn_send(&a, p[1]), 0);
    assert_int_equal(evtchn_send(&a, p[2]), 0); /* linked already */
    assert_int_equal(marks[0][0], 1);
    assert_int_equal(consume(0, 7, &head), p[0]);
    assert_int_equal(consume(0, 7, &head), p[2]);
    /* Sent again while the queue is being consumed: to its end. */
    *words(10, p[0]) &= ~PENDING;
    assert_int_equal(evtchn_send(&a, p[0]), 0);
    assert_int_equal(consume(0, 7, &head), p[1]);
    assert_int_equal(consume(0, 7, &head), p[0]);
    assert_int_equal(consume(0, 7, &head), 0);
    /* The tail was consumed: the next one starts the queue anew. */
    *words(10, p[1]) &= ~PENDING;
    assert_int_equal(evtchn_send(&a, p[1]), 0);
    assert_int_equal(block(0)->head[7], p[1]);
    assert_int_equal(marks[0][0], 2);
}

static void fifo_masks_and_unmasks(void **state)
{
    evtchn_port_t p;

    (void)state;
    use_fifo(&a, 2);
    p = ipi(&a, 1);
    *words(10, p) = MASKED;
    assert_int_equal(evtchn_send(&a, p), 0);
    assert_int_equal(*words(10, p), MASKED | PENDING);
    assert_int_equal(marks[0][1], 0);
    assert_true(evtchn_is_pending(&a, p));
    assert_int_equal(evtchn_unmask(&a, p), 0);
    assert_int_equal(*words(10, p), PENDING | LINKED);
    assert_int_equal(block(1)->head[7], p);
    assert_int_equal(marks[0][1], 1);
}

static void fifo_follows_priority_and_vcpu(void **state)
{
    evtchn_port_t p, q, head = 0;

    (void)state;
    use_fifo(&a, 2);
    assert_int_equal(evtchn_alloc_unbound(&a, b.domid, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(&b, &a, p, &q), 0);
    assert_int_equal(evtchn_send(&b, q), 0);
    assert_int_equal(consume(0, 7, &head), p);
    *words(10, p) &= ~PENDING;
    /* It is still the remembered tail of vcpu 0's queue 7. */
    assert_int_equal(evtchn_bind_vcpu(&a, p, 1), 0);
    assert_int_equal(evtchn_set_priority(&a, p, 0), 0);
    assert_int_equal(evtchn_send(&b, q), 0);
    assert_int_equal(block(1)->head[0], p);
    assert_int_equal(block(1)->ready, 1);
    assert_int_equal(vcpus[0][0].evtchn->tail[7], 0);
    /* Something else on the old queue is not chained behind it. */
    q = ipi(&a, 0);
    assert_int_equal(evtchn_send(&a, q), 0);
    assert_int_equal(block(0)->head[7], q);
    assert_int_equal(*words(10, p) & 0x1ffff, 0);
}

static void fifo_early_events_are_kept(void **state)
{
    evtchn_port_t early, port = 0;

    (void)state;
    early = ipi(&a, 0);
    assert_int_equal(evtchn_send(&a, early), 0); /* in the bitmaps */
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 0), 0);
    assert_true(evtchn_is_pending(&a, early));
    assert_int_equal(evtchn_fifo_expand_array(&a, mfn(10)), 0);
    assert_int_equal(*words(10, early), PENDING | LINKED);
    /* and one whose page comes later */
    while (port < 1030) {
        port = ipi(&a, 0);
    }
    assert_int_equal(evtchn_send(&a, port), 0);
    assert_true(evtchn_is_pending(&a, port));
    assert_int_equal(evtchn_fifo_expand_array(&a, mfn(11)), 0);
    assert_int_equal(*(uint32_t *)((uint8_t *)page(11) + 4 * (port - 1024)),
                     PENDING | LINKED);
}

static void fifo_busy_ports_are_not_reused(void **state)
{
    evtchn_port_t p, head = 0;

    (void)state;
    use_fifo(&a, 1);
    p = ipi(&a, 0);
    assert_int_equal(evtchn_send(&a, p), 0);
    assert_int_equal(evtchn_close(&a, p), 0);
    assert_int_equal(*words(10, p), LINKED);
    assert_int_equal(ipi(&a, 0), p + 1);
    assert_int_equal(consume(0, 7, &head), p);
    assert_int_equal(ipi(&a, 0), p);
}

static void fifo_survives_a_spoiling_guest(void **state)
{
    evtchn_port_t p[8];

    (void)state;
    use_fifo(&a, 2);
    for (unsigned int i = 0; i < 8; i++) {
        p[i] = ipi(&a, i % 2);
    }
    srand(1);
    for (unsigned int i = 0; i < 20000; i++) {
        uint32_t junk = (uint32_t)rand() << 1 ^ (uint32_t)rand();

        *words(10, (evtchn_port_t)rand() % 16) = junk;
        block(0)->head[junk % 16] = junk;
        block(1)->ready = junk;
        switch (rand() % 4) {
        case 0:
            assert_int_equal(evtchn_unmask(&a, p[junk % 8]), 0);
            break;
        case 1:
            assert_int_equal(evtchn_set_priority(&a, p[junk % 8], junk % 16),
                             0);
            break;
        default:
            assert_int_equal(evtchn_send(&a, p[junk % 8]), 0);
            break;
        }
    }
}

static void reset_goes_back_to_two_level(void **state)
{
    evtchn_port_t p;

    (void)state;
    use_fifo(&a, 2);
    p = ipi(&a, 0);
    assert_int_equal(evtchn_reset(&a, NULL), 0);
    assert_int_equal(held[1] + held[2] + held[10], 0);
    assert_int_equal(ipi(&a, 0), p);
    assert_int_equal(evtchn_send(&a, p), 0);
    assert_true(pending_2l(0, p));
    use_fifo(&a, 2); /* and forth again */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ports_are_lowest_first),
        T(two_level_ends_at_4096),
        T(limit_of_the_domain_holds),
        T(interdomain_connects_sends_and_ends),
        T(a_domain_connects_to_itself),
        T(virqs_are_bound_once),
        T(global_virqs_go_to_their_handler),
        T(pirqs_bind_or_leave_no_port),
        T(dying_domains_gain_no_port),
        T(destruction_can_be_interrupted),
        T(masked_events_wait),
        T(pollers_are_woken),
        T(fifo_refuses_nonsense),
        T(fifo_links_in_order),
        T(fifo_masks_and_unmasks),
        T(fifo_follows_priority_and_vcpu),
        T(fifo_early_events_are_kept),
        T(fifo_busy_ports_are_not_reused),
        T(fifo_survives_a_spoiling_guest),
        T(reset_goes_back_to_two_level),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
