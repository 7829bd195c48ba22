/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn.c, evtchn_bind.c, evtchn_2l.c, virq.c: bindings and their
 * ends, and the bitmaps seen from the guest's side.
 */
#include "tests/unit/domain/evtchn_machine.h"

#include "lib/errno.h"

/* ---- bindings ------------------------------------------------------------ */

static void ports_are_lowest_first(void **state)
{
    (void)state;
    assert_int_equal(ipi(&dom_a, 0), 1);
    assert_int_equal(ipi(&dom_a, 0), 2);
    assert_int_equal(ipi(&dom_a, 0), 3);
    assert_int_equal(evtchn_close(&dom_a, 2), 0);
    assert_int_equal(evtchn_close(&dom_a, 2), -EINVAL);
    assert_int_equal(evtchn_close(&dom_a, 0), -EINVAL);
    assert_int_equal(evtchn_close(&dom_a, 1U << 31), -EINVAL);
    assert_int_equal(ipi(&dom_a, 0), 2);
    assert_int_equal(ipi(&dom_a, 0), 4);
}

static void two_level_ends_at_4096(void **state)
{
    evtchn_port_t port;

    (void)state;
    for (unsigned int i = 1; i < EVTCHN_PORTS_2L; i++) {
        assert_int_equal(ipi(&dom_a, 0), i);
    }
    assert_int_equal(evtchn_bind_ipi(&dom_a, 0, &port), -ENOSPC);
}

static void limit_of_the_domain_holds(void **state)
{
    evtchn_port_t port;

    (void)state;
    evtchn_free(&dom_a);
    assert_int_equal(evtchn_domain_init(&dom_a, 2), 0);
    assert_int_equal(ipi(&dom_a, 0), 1);
    assert_int_equal(ipi(&dom_a, 0), 2);
    assert_int_equal(evtchn_bind_ipi(&dom_a, 0, &port), -ENOSPC);
}

static void interdomain_connects_sends_and_ends(void **state)
{
    evtchn_port_t pa, pb;
    struct evtchn_status s;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &pa), 0);
    assert_int_equal(evtchn_send(&dom_a, pa),
                     0); /* nobody there yet: dropped */
    assert_int_equal(evtchn_bind_interdomain(&dom_a, &dom_a, pa, &pb), -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, pa + 1, &pb),
                     -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, pa, &pb), 0);
    assert_true(pending_2l(1, pb)); /* once, for what was dropped */
    assert_int_equal(marks[1][0], 1);
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, pa, &pb), -EINVAL);

    assert_int_equal(evtchn_send(&dom_b, pb), 0);
    assert_true(pending_2l(0, pa));
    assert_int_equal(marks[0][0], 1);
    assert_int_equal(evtchn_send(&dom_b, pb), 0); /* pending already */
    assert_int_equal(marks[0][0], 1);

    assert_int_equal(evtchn_status(&dom_b, pb, &s), 0);
    assert_int_equal(s.status, EVTCHNSTAT_interdomain);
    assert_int_equal(s.u.interdomain.dom, dom_a.domid);
    assert_int_equal(s.u.interdomain.port, pa);

    assert_int_equal(evtchn_close(&dom_b, pb), 0);
    assert_int_equal(evtchn_status(&dom_a, pa, &s), 0);
    assert_int_equal(s.status, EVTCHNSTAT_unbound);
    assert_int_equal(s.u.unbound.dom, dom_b.domid);
    /* It may be bound once more by the same domain. */
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, pa, &pb), 0);
}

/* A port is for a domain, not for whoever has its number by now. */
static void a_number_given_again_is_a_stranger(void **state)
{
    evtchn_port_t never_bound, left, early, q;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &never_bound),
                     0);
    assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &left), 0);
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, left, &q), 0);
    assert_int_equal(evtchn_close(&dom_b, q), 0);

    dom_b.instance++;
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, never_bound, &q),
                     -EINVAL);
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, left, &q),
                     -EINVAL);

    /* Made for it before there was one of that number: the first may. */
    dom_b.domid = 9;
    assert_int_equal(evtchn_alloc_unbound(&dom_a, 2, &early), 0);
    dom_b.domid = 2;
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, early, &q), 0);
    assert_int_equal(evtchn_close(&dom_b, q), 0);
    dom_b.instance++;
    assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, early, &q),
                     -EINVAL);
}

static void a_domain_connects_to_itself(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_a.domid, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(&dom_a, &dom_a, p, &q), 0);
    assert_int_not_equal(p, q);
    assert_int_equal(evtchn_send(&dom_a, q), 0);
    assert_true(pending_2l(0, p));
    assert_int_equal(evtchn_close(&dom_a, p), 0);
    assert_int_equal(evtchn_close(&dom_a, q), 0);
}

static void virqs_are_bound_once(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    assert_int_equal(evtchn_bind_virq(&dom_a, NR_VIRQS, 0, &p), -EINVAL);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_CONSOLE, 1, &p), -EINVAL);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_TIMER, VCPUS, &p), -ENOENT);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_TIMER, 1, &p), 0);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_TIMER, 1, &q), -EEXIST);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_TIMER, 2, &q), 0);
    virq_raise(&vcpus[0][1], VIRQ_TIMER);
    assert_true(pending_2l(0, p));
    assert_false(pending_2l(0, q));
    assert_int_equal(marks[0][1], 1);
    virq_raise(&vcpus[0][0], VIRQ_TIMER); /* unbound: nothing */
    assert_int_equal(marks[0][0], 0);
    assert_int_equal(evtchn_bind_vcpu(&dom_a, p, 0), -EINVAL);
    assert_int_equal(evtchn_send(&dom_a, p), -EINVAL);
    assert_int_equal(evtchn_close(&dom_a, p), 0);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_TIMER, 1, &q), 0);
}

static void global_virqs_go_to_their_handler(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    dom_a.is_privileged = true;
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_DOM_EXC, 0, &p), 0);
    assert_int_equal(evtchn_bind_vcpu(&dom_a, p, 2), 0);
    virq_raise_global(VIRQ_DOM_EXC);
    assert_true(pending_2l(0, p));
    assert_int_equal(marks[0][2], 1);
    assert_int_equal(virq_get_handler(VIRQ_DOM_EXC), dom_a.domid);

    assert_int_equal(virq_set_handler(VIRQ_TIMER, &dom_b), -EINVAL);
    assert_int_equal(virq_set_handler(VIRQ_DOM_EXC, &dom_b), 0);
    assert_int_equal(evtchn_bind_virq(&dom_b, VIRQ_DOM_EXC, 0, &q), 0);
    virq_raise_global(VIRQ_DOM_EXC);
    assert_true(pending_2l(1, q));
    assert_int_equal(evtchn_close(&dom_a, p), 0);
    assert_int_equal(evtchn_bind_virq(&dom_a, VIRQ_DOM_EXC, 0, &p), 0);
    /* dom_b dies: back to the control domain, its reference given back */
    assert_int_equal(dom_b.refs, 2);
    virq_forget_domain(&dom_b);
    assert_int_equal(virq_get_handler(VIRQ_DOM_EXC), dom_a.domid);
}

static void pirqs_bind_or_leave_no_port(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    pirq_answer = -EBUSY;
    assert_int_equal(evtchn_bind_pirq(&dom_a, 9, true, &p), -EBUSY);
    pirq_answer = 0;
    assert_int_equal(evtchn_bind_pirq(&dom_a, 9, true, &p), 0);
    assert_int_equal(p, 1);
    evtchn_set_pending(&dom_a, p);
    assert_true(pending_2l(0, p));
    assert_int_equal(evtchn_bind_vcpu(&dom_a, p, 1), 0);
    assert_int_equal(evtchn_close(&dom_a, p), 0);
    assert_int_equal(pirq_unbinds, 1);
    assert_false(pending_2l(0, p)); /* the next user starts clean */
    q = ipi(&dom_a, 0);
    assert_int_equal(q, p);
}

static void dying_domains_gain_no_port(void **state)
{
    evtchn_port_t p;

    (void)state;
    dom_a.state = DOMAIN_DYING;
    assert_int_equal(evtchn_bind_ipi(&dom_a, 0, &p), -EINVAL);
    assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &p), -EINVAL);
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
        assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &pa), 0);
        assert_int_equal(evtchn_bind_interdomain(&dom_b, &dom_a, pa, &pb), 0);
    }
    dom_a.state = DOMAIN_DYING;
    while (evtchn_domain_destroy(&dom_a, stop_always) == -ERESTART) {
        steps++;
    }
    assert_true(steps >= 4);
    for (evtchn_port_t port = 1; port <= 300; port++) {
        struct evtchn_status s;

        assert_int_equal(evtchn_status(&dom_a, port, &s), 0);
        assert_int_equal(s.status, EVTCHNSTAT_closed);
        assert_int_equal(evtchn_status(&dom_b, port, &s), 0);
        assert_int_equal(s.status, EVTCHNSTAT_unbound);
    }
}

/* ---- 2-level ------------------------------------------------------------- */

static void masked_events_wait(void **state)
{
    evtchn_port_t p = ipi(&dom_a, 1);

    (void)state;
    si[0]->evtchn_mask[0] = 1UL << p;
    assert_int_equal(evtchn_send(&dom_a, p), 0);
    assert_true(pending_2l(0, p));
    assert_int_equal(marks[0][1], 0);
    assert_int_equal(evtchn_unmask(&dom_a, p), 0);
    assert_int_equal(si[0]->evtchn_mask[0], 0);
    assert_int_equal(marks[0][1], 1);
    assert_int_equal(si[0]->vcpu_info[1].evtchn_pending_sel, 1);
    assert_int_equal(evtchn_unmask(&dom_a, p), 0); /* was not masked: nothing */
    assert_int_equal(marks[0][1], 1);
    assert_true(evtchn_is_pending(&dom_a, p));
    assert_true(evtchn_vcpu_has_pending(&vcpus[0][1]));
}

static void pollers_are_woken(void **state)
{
    evtchn_port_t p = ipi(&dom_a, 0), q = ipi(&dom_a, 0);

    (void)state;
    si[0]->evtchn_mask[0] = ~0UL;
    vcpu_poll_begin(&vcpus[0][1], p);
    vcpu_poll_begin(&vcpus[0][2], EVTCHN_POLL_SEVERAL);
    assert_int_equal(evtchn_send(&dom_a, q), 0);
    assert_int_equal(kicks[0][1], 0);
    assert_int_equal(kicks[0][2], 1);
    assert_int_equal(evtchn_send(&dom_a, p), 0);
    assert_int_equal(kicks[0][1], 1);
    assert_int_equal(vcpus[0][1].poll_port, 0);
    assert_true(evtchn_port_usable(&dom_a, p));
    assert_false(evtchn_port_usable(&dom_a, 100000));
}

#define T(f) cmocka_unit_test_setup_teardown(f, evtchn_setup, evtchn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ports_are_lowest_first),
        T(two_level_ends_at_4096),
        T(limit_of_the_domain_holds),
        T(interdomain_connects_sends_and_ends),
        T(a_number_given_again_is_a_stranger),
        T(a_domain_connects_to_itself),
        T(virqs_are_bound_once),
        T(global_virqs_go_to_their_handler),
        T(pirqs_bind_or_leave_no_port),
        T(dying_domains_gain_no_port),
        T(destruction_can_be_interrupted),
        T(masked_events_wait),
        T(pollers_are_woken),
    };

    return cmocka_run_group_tests(tests, evtchn_group_setup, NULL);
}
