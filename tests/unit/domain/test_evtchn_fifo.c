/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_fifo.c seen from the guest's side: a guest that consumes its
 * queues, and one that spoils its words.
 */
#include "tests/unit/domain/evtchn_machine.h"

#include "lib/errno.h"

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
    assert_int_equal(evtchn_fifo_expand_array(&dom_a, mfn(10)), -EOPNOTSUPP);
    assert_int_equal(evtchn_fifo_expand_array(&dom_a, mfn(PAGES)), -EOPNOTSUPP);
    assert_int_equal(evtchn_set_priority(&dom_a, ipi(&dom_a, 0), 3),
                     -EOPNOTSUPP);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 4),
                     -EINVAL);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 4032),
                     -EINVAL);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(PAGES), 0),
                     -EINVAL);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 4024), 0);
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 0),
                     -EINVAL);
    assert_int_equal(evtchn_set_priority(&dom_a, 1, 16), -EINVAL);
    assert_int_equal(evtchn_set_priority(&dom_a, 99, 1), -EINVAL);
    assert_int_equal(held[1], 1);
}

static void fifo_links_in_order(void **state)
{
    evtchn_port_t p[3], head = 0;

    (void)state;
    use_fifo(&dom_a, 2);
    for (unsigned int i = 0; i < 3; i++) {
        p[i] = ipi(&dom_a, 0);
    }
    assert_int_equal(evtchn_send(&dom_a, p[0]), 0);
    assert_int_equal(marks[0][0], 1);
    assert_int_equal(block(0)->ready, 1U << 7);
    assert_int_equal(block(0)->head[7], p[0]);
    assert_int_equal(evtchn_send(&dom_a, p[2]), 0);
    assert_int_equal(evtchn_send(&dom_a, p[1]), 0);
    assert_int_equal(evtchn_send(&dom_a, p[2]), 0); /* linked already */
    assert_int_equal(marks[0][0], 1);
    assert_int_equal(consume(0, 7, &head), p[0]);
    assert_int_equal(consume(0, 7, &head), p[2]);
    /* Sent again while the queue is being consumed: to its end. */
    *words(10, p[0]) &= ~PENDING;
    assert_int_equal(evtchn_send(&dom_a, p[0]), 0);
    assert_int_equal(consume(0, 7, &head), p[1]);
    assert_int_equal(consume(0, 7, &head), p[0]);
    assert_int_equal(consume(0, 7, &head), 0);
    /* The tail was consumed: the next one starts the queue anew. */
    *words(10, p[1]) &= ~PENDING;
    assert_int_equal(evtchn_send(&dom_a, p[1]), 0);
    assert_int_equal(block(0)->head[7], p[1]);
    assert_int_equal(marks[0][0], 2);
}

static void fifo_masks_and_unmasks(void **state)
{
    evtchn_port_t p;

    (void)state;
    use_fifo(&dom_a, 2);
    p = ipi(&dom_a, 1);
    *words(10, p) = MASKED;
    assert_int_equal(evtchn_send(&dom_a, p), 0);
    assert_int_equal(*words(10, p), MASKED | PENDING);
    assert_int_equal(marks[0][1], 0);
    assert_true(evtchn_is_pending(&dom_a, p));
    assert_int_equal(evtchn_unmask(&dom_a, p), 0);
    assert_int_equal(*words(10, p), PENDING | LINKED);
    assert_int_equal(block(1)->head[7], p);
    assert_int_equal(marks[0][1], 1);
}

static void fifo_follows_priority_and_vcpu(void **state)
{
    evtchn_port_t p, q, head = 0;

    (void)state;
    use_fifo(&dom_a, 2);
    assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, p, &q), 0);
    assert_int_equal(evtchn_send(&dom_b, q), 0);
    assert_int_equal(consume(0, 7, &head), p);
    *words(10, p) &= ~PENDING;
    /* It is still the remembered tail of vcpu 0's queue 7. */
    assert_int_equal(evtchn_bind_vcpu(&dom_a, p, 1), 0);
    assert_int_equal(evtchn_set_priority(&dom_a, p, 0), 0);
    assert_int_equal(evtchn_send(&dom_b, q), 0);
    assert_int_equal(block(1)->head[0], p);
    assert_int_equal(block(1)->ready, 1);
    assert_int_equal(dom_a.evtchn->fifo->queue[0].tail[7], 0);
    /* Something else on the old queue is not chained behind it. */
    q = ipi(&dom_a, 0);
    assert_int_equal(evtchn_send(&dom_a, q), 0);
    assert_int_equal(block(0)->head[7], q);
    assert_int_equal(*words(10, p) & 0x1ffff, 0);
}

static void fifo_early_events_are_kept(void **state)
{
    evtchn_port_t early, port = 0;

    (void)state;
    early = ipi(&dom_a, 0);
    assert_int_equal(evtchn_send(&dom_a, early), 0); /* in the bitmaps */
    assert_int_equal(evtchn_fifo_init_control(&vcpus[0][0], mfn(1), 0), 0);
    assert_true(evtchn_is_pending(&dom_a, early));
    assert_int_equal(evtchn_fifo_expand_array(&dom_a, mfn(10)), 0);
    assert_int_equal(*words(10, early), PENDING | LINKED);
    /* and one whose page comes later */
    while (port < 1030) {
        port = ipi(&dom_a, 0);
    }
    assert_int_equal(evtchn_send(&dom_a, port), 0);
    assert_true(evtchn_is_pending(&dom_a, port));
    assert_int_equal(evtchn_fifo_expand_array(&dom_a, mfn(11)), 0);
    assert_int_equal(*(uint32_t *)((uint8_t *)page(11) + 4 * (port - 1024)),
                     PENDING | LINKED);
}

static void fifo_busy_ports_are_not_reused(void **state)
{
    evtchn_port_t p, head = 0;

    (void)state;
    use_fifo(&dom_a, 1);
    p = ipi(&dom_a, 0);
    assert_int_equal(evtchn_send(&dom_a, p), 0);
    assert_int_equal(evtchn_close(&dom_a, p), 0);
    assert_int_equal(*words(10, p), LINKED);
    assert_int_equal(ipi(&dom_a, 0), p + 1);
    assert_int_equal(consume(0, 7, &head), p);
    assert_int_equal(ipi(&dom_a, 0), p);
}

static void fifo_survives_a_spoiling_guest(void **state)
{
    evtchn_port_t p[8];

    (void)state;
    use_fifo(&dom_a, 2);
    for (unsigned int i = 0; i < 8; i++) {
        p[i] = ipi(&dom_a, i % 2);
    }
    srand(1);
    for (unsigned int i = 0; i < 20000; i++) {
        uint32_t junk = (uint32_t)rand() << 1 ^ (uint32_t)rand();

        *words(10, (evtchn_port_t)rand() % 16) = junk;
        block(0)->head[junk % 16] = junk;
        block(1)->ready = junk;
        switch (rand() % 4) {
        case 0:
            assert_int_equal(evtchn_unmask(&dom_a, p[junk % 8]), 0);
            break;
        case 1:
            assert_int_equal(
                evtchn_set_priority(&dom_a, p[junk % 8], junk % 16), 0);
            break;
        default:
            assert_int_equal(evtchn_send(&dom_a, p[junk % 8]), 0);
            break;
        }
    }
}

static void reset_goes_back_to_two_level(void **state)
{
    evtchn_port_t p;

    (void)state;
    use_fifo(&dom_a, 2);
    p = ipi(&dom_a, 0);
    assert_int_equal(evtchn_reset(&dom_a, NULL), 0);
    assert_int_equal(held[1] + held[2] + held[10], 0);
    assert_int_equal(ipi(&dom_a, 0), p);
    assert_int_equal(evtchn_send(&dom_a, p), 0);
    assert_true(pending_2l(0, p));
    use_fifo(&dom_a, 2); /* and forth again */
}

static bool stop_always(void)
{
    return true;
}

/* Queues of 2 vcpus, 2 pages, and MANY ports. */
#define MANY 2000U

static void many_ports(void)
{
    use_fifo(&dom_a, 2);
    assert_int_equal(evtchn_fifo_expand_array(&dom_a, mfn(11)), 0);
    for (unsigned int i = 0; i < MANY; i++) {
        (void)ipi(&dom_a, 0);
    }
}

static unsigned int held_by_fifo(void)
{
    return (unsigned int)(held[1] + held[2] + held[10] + held[11]);
}

/* No more than so many ports are closed or waited for, or a page given back,
   between two questions; and nothing is bound until the end. */
static void reset_is_a_step_at_a_time(void **state)
{
    unsigned int before = 4, closing = 0, waiting = 0, giving = 0;
    evtchn_port_t port;

    (void)state;
    many_ports();
    assert_int_equal(held_by_fifo(), before);
    while (evtchn_reset(&dom_a, stop_always) == -ERESTART) {
        assert_int_equal(evtchn_bind_ipi(&dom_a, 0, &port), -EBUSY);
        assert_true(before - held_by_fifo() <= 1);
        if (dom_a.evtchn->fifo != NULL) {
            closing++;
        } else if (held_by_fifo() == 4) {
            waiting++;
        } else {
            giving++;
        }
        before = held_by_fifo();
    }
    assert_int_equal(held_by_fifo(), 0);
    assert_true(closing >= MANY / 64 - 1);
    assert_true(waiting >= MANY / 256 - 1);
    assert_true(giving >= 4);
    assert_int_equal(ipi(&dom_a, 0), 1);
}

/* Who destroys goes on where a reset was left, at any of its steps. */
static void destruction_takes_up_a_reset(void **state)
{
    (void)state;
    for (unsigned int stops = 1; stops < 60; stops++) {
        evtchn_free(&dom_a);
        assert_int_equal(evtchn_domain_init(&dom_a, UINT32_MAX), 0);
        many_ports();
        for (unsigned int i = 0; i < stops; i++) {
            if (evtchn_reset(&dom_a, stop_always) == 0) {
                break;
            }
        }
        while (evtchn_domain_destroy(&dom_a, stop_always) == -ERESTART) {
        }
        assert_int_equal(held_by_fifo(), 0);
    }
}

static void buckets_are_freed_a_few_at_a_time(void **state)
{
    unsigned int budget, calls = 0;

    (void)state;
    many_ports();
    assert_int_equal(evtchn_domain_destroy(&dom_a, NULL), 0);
    do {
        budget = 3;
        calls++;
    } while (!evtchn_domain_free(&dom_a, &budget));
    assert_int_equal(calls, (MANY / EVTCHN_PER_BUCKET + 1 + 2) / 3);
    assert_int_equal(budget, 3 * calls - (MANY / EVTCHN_PER_BUCKET + 1));
    assert_int_equal(evtchn_domain_init(&dom_a, UINT32_MAX), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, evtchn_setup, evtchn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(fifo_refuses_nonsense),
        T(fifo_links_in_order),
        T(fifo_masks_and_unmasks),
        T(fifo_follows_priority_and_vcpu),
        T(fifo_early_events_are_kept),
        T(fifo_busy_ports_are_not_reused),
        T(fifo_survives_a_spoiling_guest),
        T(reset_goes_back_to_two_level),
        T(reset_is_a_step_at_a_time),
        T(destruction_takes_up_a_reset),
        T(buckets_are_freed_a_few_at_a_time),
    };

    return cmocka_run_group_tests(tests, evtchn_group_setup, NULL);
}
