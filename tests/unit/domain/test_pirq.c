/* SPDX-License-Identifier: MIT */
/*
 * domain/pirq.c: numbers, reservations, blocks of messages, events that follow
 * their vcpu.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "cpu/softirq.h"
#include "mm/heap.h"
#include "domain/evtchn_impl.h"
#include "domain/frame_use.h"
#include "domain/pirq.h"
#include "domain/rights.h"
#include "fake_hw.h"

#define GSIS 24U

static struct domain dom, other;
static struct evtchn_domain ed[2];
static struct evtchn channels[EVTCHN_PER_BUCKET], *bucket = channels;
static struct vcpu vcpu;
static void (*softirq)(void);
static void (*handler[NR_IRQS])(void *);
static void *handler_arg[NR_IRQS];
static bool is_level[NR_IRQS], msi_taken[NR_IRQS];
static unsigned int eois, storms, allocs, sent, sent_port, unmasked;
static unsigned int followed_irq, followed_cpu;
static int alloc_fails;
static unsigned int withdrawn;

/* ---- what the code under test calls -------------------------------------- */

void softirq_plug(enum softirq nr, void (*fn)(void))
{
    assert_int_equal(nr, SOFTIRQ_IRQ);
    softirq = fn;
}

void softirq_raise(enum softirq nr)
{
    assert_int_equal(nr, SOFTIRQ_IRQ);
}

void *heap_alloc(size_t bytes)
{
    if (alloc_fails != 0 && --alloc_fails == 0) {
        return NULL;
    }
    allocs++;
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    allocs -= p != NULL;
    free(p);
}

unsigned int irq_gsi_count(void)
{
    return GSIS;
}

void irq_storm_softirq(void)
{
    storms++;
}

int irq_bind(unsigned int irq, void (*fn)(void *arg), void *arg,
             const char *name)
{
    (void)name;
    if (handler[irq] != NULL) {
        return -EBUSY;
    }
    handler[irq] = fn;
    handler_arg[irq] = arg;
    return 0;
}

void irq_unbind(unsigned int irq)
{
    handler[irq] = NULL;
}

bool irq_needs_eoi(unsigned int irq)
{
    return is_level[irq];
}

void irq_eoi(unsigned int irq)
{
    (void)irq;
    eois++;
}

void irq_follow(unsigned int irq, cpu_t cpu)
{
    followed_irq = irq;
    followed_cpu = cpu;
}

int irq_msi_alloc(const struct msi_request *req, unsigned int *ret_first_irq)
{
    *ret_first_irq = 100;
    for (unsigned int i = 0; i < req->count; i++) {
        assert_false(msi_taken[100 + i]);
        msi_taken[100 + i] = true;
    }
    return 0;
}

void irq_msi_free(unsigned int irq)
{
    assert_true(msi_taken[irq]);
    msi_taken[irq] = false;
}

bool rights_irq_ok(struct domain *d, unsigned int pirq)
{
    return d == &dom && pirq != 13 && pirq != withdrawn;
}

void evtchn_set_pending(struct domain *d, evtchn_port_t port)
{
    assert_ptr_equal(d, &dom);
    sent++;
    sent_port = port;
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
    (void)d;
    unmasked = port;
    return 0;
}

int frame_use_hold(mfn_t m, domid_t owner, bool writable)
{
    (void)m;
    (void)owner;
    (void)writable;
    return -EINVAL;
}

void frame_use_release(mfn_t m, bool writable)
{
    (void)m;
    (void)writable;
}

static int setup(void **state)
{
    static struct vcpu *one = &vcpu;

    (void)state;
    fake_hw_reset();
    memset(ed, 0, sizeof(ed));
    memset(handler, 0, sizeof(handler));
    memset(channels, 0, sizeof(channels));
    memset(is_level, 0, sizeof(is_level));
    eois = storms = sent = sent_port = unmasked = followed_irq = 0;
    alloc_fails = 0;
    dom = (struct domain){.domid = 0, .evtchn = &ed[0], .max_vcpus = 1};
    other = (struct domain){.domid = 1, .evtchn = &ed[1]};
    dom.vcpu[0] = one;
    vcpu.processor = 5;
    for (unsigned int i = 0; i < 2; i++) {
        spin_lock_init(&ed[i].lock, "evtchn", LOCK_RANK_EVTCHN, IRQ_ANY);
        ed[i].bucket = &bucket;
        ed[i].bucket_count = 1;
    }
    pirq_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pirq_domain_destroy(&dom);
    for (unsigned int i = 0; i < NR_IRQS; i++) {
        assert_false(msi_taken[i]);
        assert_null(handler[i]);
    }
    assert_int_equal(allocs, 0);
    return 0;
}

static int bind(unsigned int pirq, evtchn_port_t port)
{
    int rc;

    spin_lock(&ed[0].lock);
    rc = pirq_bind(&dom, pirq, port, false);
    spin_unlock(&ed[0].lock);
    return rc;
}

static void pins_keep_their_number(void **state)
{
    unsigned int pirq;
    uint32_t flags;

    (void)state;
    assert_int_equal(pirq_map_gsi(&dom, 9, 9, &pirq), 0);
    assert_int_equal(pirq_map_gsi(&dom, 9, 9, &pirq), 0);
    assert_int_equal(pirq_map_gsi(&dom, 9, 10, &pirq), -EINVAL);
    assert_int_equal(pirq_map_gsi(&dom, 10, 9, &pirq), -EINVAL);
    assert_int_equal(pirq_map_gsi(&dom, GSIS, GSIS, &pirq), -EINVAL);
    assert_int_equal(pirq_map_gsi(&dom, 13, 13, &pirq), -EPERM);
    assert_int_equal(pirq_map_gsi(&other, 9, 9, &pirq), -EPERM);
    assert_int_equal(pirq_map_gsi(&dom, 11, PIRQ_ANY, &pirq), 0);
    assert_int_equal(pirq, 11);
    assert_int_equal(pirq_of_irq(&dom, 11), 11);
    is_level[9] = true;
    assert_int_equal(pirq_query(&dom, 9, &flags), 0);
    assert_int_equal(flags, XENIRQSTAT_needs_eoi | XENIRQSTAT_shared);
    assert_int_equal(pirq_query(&dom, 11, &flags), 0);
    assert_int_equal(flags, 0);
    assert_int_equal(pirq_query(&dom, NR_PIRQS, &flags), -EINVAL);
    assert_int_equal(pirq_eoi(&dom, 9), 0);
    assert_int_equal(eois, 0); /* not bound */
    assert_int_equal(bind(9, 3), 0);
    assert_int_equal(pirq_eoi(&dom, 9), 0);
    assert_int_equal(eois, 1);
    assert_int_equal(pirq_eoi(&dom, NR_PIRQS), -EINVAL);
}

static void a_right_that_has_gone(void **state)
{
    struct msi_request req = {.count = 1};
    unsigned int pirq;

    (void)state;
    assert_int_equal(pirq_map_gsi(&dom, 9, 9, &pirq), 0);
    withdrawn = 9;
    assert_int_equal(bind(9, 3), -EPERM);
    assert_null(handler[9]);
    withdrawn = 0;
    assert_int_equal(bind(9, 3), 0);
    /* A message is the device's for which it was made: no number to lose. */
    assert_int_equal(pirq_map_msi(&dom, &req, PIRQ_ANY, &pirq), 0);
    withdrawn = 100; /* its interrupt here */
    assert_int_equal(bind(pirq, 4), 0);
    withdrawn = 0;
}

static void an_event_follows_its_vcpu(void **state)
{
    unsigned int pirq;

    (void)state;
    assert_int_equal(pirq_map_gsi(&dom, 9, 9, &pirq), 0);
    assert_int_equal(bind(9, 3), 0);
    assert_int_equal(bind(9, 4), -EEXIST);
    assert_int_equal(bind(10, 4), -EINVAL);
    handler[9](handler_arg[9]);
    assert_int_equal(sent, 0); /* an interrupt handler sets a bit */
    softirq();
    assert_int_equal(storms, 1);
    assert_int_equal(sent, 1);
    assert_int_equal(sent_port, 3);
    assert_int_equal(followed_irq, 9);
    assert_int_equal(followed_cpu, 5);
    softirq();
    assert_int_equal(sent, 1);
    /* It came, and was taken away before the softirq ran. */
    handler[9](handler_arg[9]);
    spin_lock(&ed[0].lock);
    pirq_unbind(&dom, 9, 4); /* another port's */
    assert_non_null(handler[9]);
    pirq_unbind(&dom, 9, 3);
    spin_unlock(&ed[0].lock);
    assert_null(handler[9]);
    softirq();
    assert_int_equal(sent, 1);
}

static void a_block_goes_as_one(void **state)
{
    struct msi_request req = {.count = 4};
    unsigned int pirq, one;

    (void)state;
    assert_int_equal(pirq_map_msi(&dom, &req, PIRQ_ANY, &pirq), 0);
    assert_int_equal(pirq, GSIS);
    assert_int_equal(bind(pirq + 2, 3), 0);
    assert_int_equal(pirq_unmap(&dom, pirq + 1), -EINVAL);
    assert_int_equal(pirq_unmap(&dom, pirq), 0);
    assert_int_equal(pirq_unmap(&dom, pirq), -EINVAL);
    for (unsigned int i = 0; i < 4; i++) {
        assert_false(msi_taken[100 + i]);
        assert_int_equal(pirq_of_irq(&dom, 100 + i), PIRQ_ANY);
    }
    /* No room, no memory, numbers in use: nothing stays behind. */
    assert_int_equal(pirq_map_gsi(&dom, 9, 30, &one), 0);
    assert_int_equal(pirq_map_msi(&dom, &req, 27, &pirq), -EINVAL);
    assert_int_equal(pirq_map_msi(&dom, &req, NR_PIRQS - 3, &pirq), -EINVAL);
    alloc_fails = 3;
    assert_int_equal(pirq_map_msi(&dom, &req, PIRQ_ANY, &pirq), -ENOMEM);
    assert_false(msi_taken[100] || msi_taken[103]);
    assert_int_equal(pirq_map_msi(&dom, &req, PIRQ_ANY, &pirq), 0);
}

static void a_reserved_number_is_kept(void **state)
{
    struct msi_request req = {.count = 1};
    unsigned int first, second, pirq, n = 0;

    (void)state;
    assert_int_equal(pirq_reserve(&dom, false, &first), 0);
    assert_int_equal(first, GSIS);
    assert_int_equal(pirq_map_msi(&dom, &req, PIRQ_ANY, &pirq), 0);
    assert_int_equal(pirq, first + 1);
    assert_int_equal(pirq_unmap(&dom, pirq), 0);
    assert_int_equal(pirq_map_msi(&dom, &req, (int)first, &pirq), 0);
    assert_int_equal(pirq, first);
    assert_int_equal(pirq_unmap(&dom, first), 0);
    assert_int_equal(pirq_unmap(&dom, first), -EINVAL);
    assert_int_equal(pirq_reserve(&dom, true, &second), 0);
    assert_int_equal(second, 16);
    assert_int_equal(pirq_map_gsi(&dom, 16, PIRQ_ANY, &pirq), 0);
    assert_int_equal(pirq, GSIS);
    while (pirq_reserve(&dom, false, &second) == 0) {
        n++;
    }
    assert_int_equal(n, NR_PIRQS - GSIS - 1);
    assert_int_equal(pirq_map_msi(&dom, &req, PIRQ_ANY, &pirq), -ENOSPC);
    dom.state = DOMAIN_DYING;
    assert_int_equal(pirq_reserve(&dom, true, &second), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(pins_keep_their_number),
        T(a_right_that_has_gone),
        T(an_event_follows_its_vcpu),
        T(a_block_goes_as_one),
        T(a_reserved_number_is_kept),
    };

    return UNIT_RUN(tests);
}
