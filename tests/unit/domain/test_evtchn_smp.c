/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn*.c on several CPUs, each a thread: senders against a guest
 * that consumes its queues, and senders against who closes and resets.
 */
#include "tests/unit/domain/evtchn_machine.h"

#include <pthread.h>
#include <sched.h>

#include "lib/bits.h"
#include "lib/errno.h"

#define PENDING 0x80000000U
#define MASKED  0x40000000U
#define LINKED  0x20000000U
#define LINK    0x1ffffU

#define SENDERS 3
#define PORTS   16
#define SENDS   30000

static void must(bool it_is_so)
{
    if (!it_is_so) {
        abort(); /* cmocka's checks are for its own thread */
    }
}

static uint32_t *word_at(evtchn_port_t port)
{
    return (uint32_t *)page(10) + port;
}

static struct evtchn_fifo_control_block *block(unsigned int vcpu)
{
    return (void *)((uint8_t *)page(1 + vcpu) + 8 * vcpu);
}

static void use_fifo(struct domain *d, unsigned int first_page)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        must(evtchn_fifo_init_control(d->vcpu[i], mfn(first_page + i), 8 * i) ==
             0);
    }
    must(evtchn_fifo_expand_array(d, mfn(first_page + 9)) == 0);
}

/* ---- no event is lost ---------------------------------------------------- */

static evtchn_port_t ports[PORTS], ends[PORTS]; /* to send; what hears it */
static unsigned int asked[PORTS]; /* a: sends begun                    */
static unsigned int seen[PORTS];  /* the guest's: sends it has handled */
static unsigned int running;      /* a: threads that still send        */

static uint32_t rnd(uint32_t *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

static void *sender(void *arg)
{
    uint32_t seed = (uint32_t)(uintptr_t)arg;

    fake_cpu = (unsigned int)(uintptr_t)arg;
    for (unsigned int i = 0; i < SENDS; i++) {
        unsigned int n = rnd(&seed) % PORTS;

        (void)atomic_add(&asked[n], 1U);
        must(evtchn_send(&dom_a, ports[n]) == 0);
        if (rnd(&seed) % 16 == 0) {
            must(evtchn_unmask(&dom_a, ends[n]) == 0);
        }
        if (rnd(&seed) % 4 == 0) {
            (void)sched_yield(); /* else one CPU's turn is all there is */
        }
    }
    (void)atomic_sub(&running, 1U);
    return NULL;
}

/* Events go to other queues all the time. */
static void *mover(void *arg)
{
    uint32_t seed = 99;

    fake_cpu = (unsigned int)(uintptr_t)arg;
    while (atomic_load(&running) != 0) {
        evtchn_port_t port = ends[rnd(&seed) % PORTS];

        must(evtchn_bind_vcpu(&dom_a, port, rnd(&seed) % VCPUS) == 0);
        must(evtchn_set_priority(&dom_a, port, 6 + rnd(&seed) % 3) == 0);
        (void)sched_yield();
    }
    return NULL;
}

static void handle(evtchn_port_t port)
{
    for (unsigned int n = 0; n < PORTS; n++) {
        if (ends[n] == port) {
            seen[n] = atomic_load(&asked[n]);
        }
    }
}

/* As Linux does it.  Return: there was something. */
static bool consume(unsigned int vcpu, evtchn_port_t head[16])
{
    struct evtchn_fifo_control_block *cb = block(vcpu);
    uint32_t ready = atomic_xchg(&cb->ready, 0);
    bool any = ready != 0;

    while (ready != 0) {
        unsigned int q = bit_lowest(ready);
        evtchn_port_t port = head[q] != 0 ? head[q] : READ_ONCE(cb->head[q]);
        uint32_t w;

        must(port != 0 && port < 1024);
        do {
            w = READ_ONCE(*word_at(port));
        } while (!atomic_cas(word_at(port), w, w & ~(LINKED | LINK)));
        head[q] = w & LINK;
        if (head[q] == 0) {
            ready &= ~(1U << q);
        }
        if ((READ_ONCE(*word_at(port)) & (PENDING | MASKED)) == PENDING) {
            (void)atomic_and(word_at(port), ~PENDING);
            handle(port);
        }
        ready |= atomic_xchg(&cb->ready, 0);
    }
    return any;
}

static void no_event_is_lost(void **state)
{
    evtchn_port_t head[VCPUS][16] = {{0}};
    pthread_t thread[SENDERS + 1];
    bool any;

    (void)state;
    use_fifo(&dom_a, 1);
    for (unsigned int i = 0; i < PORTS; i++) {
        must(evtchn_alloc_unbound(&dom_a, dom_a.domid, &ports[i]) == 0);
        must(evtchn_bind_interdomain(&dom_a, &dom_a, ports[i], &ends[i]) == 0);
        seen[i] = asked[i] = 0;
    }
    running = SENDERS;
    for (uintptr_t i = 0; i < SENDERS; i++) {
        must(pthread_create(&thread[i], NULL, sender, (void *)(i + 1)) == 0);
    }
    must(pthread_create(&thread[SENDERS], NULL, mover,
                        (void *)(uintptr_t)(SENDERS + 1)) == 0);
    do {
        any = atomic_load(&running) != 0; /* before a last look */
        for (unsigned int v = 0; v < VCPUS; v++) {
            any |= consume(v, head[v]);
        }
    } while (any);
    for (unsigned int i = 0; i < SENDERS + 1; i++) {
        must(pthread_join(thread[i], NULL) == 0);
    }
    for (unsigned int i = 0; i < PORTS; i++) {
        assert_true(asked[i] > 0);
        assert_int_equal(seen[i], asked[i]);
    }
}

/* ---- sending to what is taken down -------------------------------------- */

static evtchn_port_t port_a, port_b; /* a: connected just now, perhaps */

static unsigned int bold_sent; /* a: a bit for each that has sent */

static void *bold_sender(void *arg)
{
    fake_cpu = (unsigned int)(uintptr_t)arg;
    while (atomic_load(&running) != 0) {
        if (evtchn_send(&dom_a, atomic_load(&port_a)) == 0) {
            (void)atomic_or(&bold_sent, 1U << (fake_cpu - 1));
        }
        (void)!evtchn_unmask(&dom_b, atomic_load(&port_b));
        evtchn_set_pending(&dom_b, atomic_load(&port_b));
        (void)evtchn_is_pending(&dom_b, atomic_load(&port_b));
    }
    return NULL;
}

/* The sanitizer tells if a sender uses what a reset has given back. */
static void reset_waits_for_senders(void **state)
{
    pthread_t thread[SENDERS];
    unsigned int all = (1U << SENDERS) - 1;

    (void)state;
    running = 1;
    bold_sent = 0;
    for (uintptr_t i = 0; i < SENDERS; i++) {
        must(pthread_create(&thread[i], NULL, bold_sender, (void *)(i + 1)) ==
             0);
    }
    /* Longer where the machine is too busy to run them all. */
    for (unsigned int round = 0;
         round < 1500 || (atomic_load(&bold_sent) != all && round < 1000000);
         round++) {
        evtchn_port_t a, b;

        use_fifo(&dom_b, 20);
        must(evtchn_alloc_unbound(&dom_a, dom_b.domid, &a) == 0);
        must(evtchn_bind_interdomain(&dom_b, &dom_a, a, &b) == 0);
        atomic_store(&port_a, a);
        atomic_store(&port_b, b);
        if (round % 2 == 0) {
            must(evtchn_close(&dom_b, b) == 0);
        }
        must(evtchn_reset(&dom_b, NULL) == 0);
        must(evtchn_close(&dom_a, a) == 0);
        for (unsigned int i = 20; i < 30; i++) {
            assert_int_equal(held[i], 0);
        }
    }
    atomic_store(&running, 0);
    for (unsigned int i = 0; i < SENDERS; i++) {
        must(pthread_join(thread[i], NULL) == 0);
    }
    assert_int_equal(bold_sent, all);
}

/* One CPU is at a reset: another one comes again; nothing is bound. */
static void one_resets(void **state)
{
    evtchn_port_t port;

    (void)state;
    dom_a.evtchn->closer = 1;
    assert_int_equal(evtchn_reset(&dom_a, NULL), -ERESTART);
    dom_a.evtchn->closer = 0;
    dom_a.evtchn->closing = true;
    assert_int_equal(evtchn_alloc_unbound(&dom_a, 2, &port), -EBUSY);
    assert_int_equal(evtchn_bind_ipi(&dom_a, 0, &port), -EBUSY);
    assert_int_equal(evtchn_reset(&dom_a, NULL), 0);
    assert_int_equal(evtchn_bind_ipi(&dom_a, 0, &port), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, evtchn_setup, evtchn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(no_event_is_lost),
        T(reset_waits_for_senders),
        T(one_resets),
    };

    return cmocka_run_group_tests(tests, evtchn_group_setup, NULL);
}
