/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sched_op: SCHEDOP_poll blocks only while somebody knows of it.
 */
#include "tests/unit/unit.h"

#include "lib/xen_abi.h"
#include "cpu/clock.h"
#include "domain/evtchn.h"
#include "domain/sched.h"
#include "hypercall/call.h"
#include "fake_hw.h"

#define PORT    5U
#define UNKNOWN 77U

static struct domain d;
static struct vcpu v;
static evtchn_port_t ports[2];
static struct sched_poll poll;
static bool pending[UNKNOWN], upcall;
static uint64_t armed;

/*
 * Another CPU ends an earlier poll: it takes the port away before call
 * number end_at, and lets the vcpu go before call number release_at.
 */
static unsigned int calls, end_at, release_at;

static void others_turn(void)
{
    calls++;
    if (calls == end_at) {
        vcpu_poll_end(&v);
    }
    if (calls == release_at) {
        v.hold &= ~VCPU_HOLD_BLOCKED;
    }
}

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    others_turn();
    if (va == 0) {
        return -EFAULT;
    }
    memcpy(dst, (const void *)va, bytes);
    return 0;
}

void vcpu_hold(struct vcpu *who, uint32_t why)
{
    others_turn();
    who->hold |= why;
    others_turn();
}

void vcpu_release(struct vcpu *who, uint32_t why)
{
    others_turn();
    who->hold &= ~why;
}

bool evtchn_port_usable(struct domain *who, evtchn_port_t port)
{
    assert_ptr_equal(who, &d);
    others_turn();
    return port != UNKNOWN;
}

bool evtchn_is_pending(struct domain *who, evtchn_port_t port)
{
    assert_ptr_equal(who, &d);
    others_turn();
    return pending[port];
}

bool evtchn_vcpu_has_pending(const struct vcpu *who)
{
    assert_ptr_equal(who, &v);
    others_turn();
    return upcall;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    assert_ptr_equal(t, &v.poll_timer);
    others_turn();
    armed = deadline_ns;
}

/* ---- not reached ---------------------------------------------------------- */

void vcpu_block(void)
{
    abort();
}

/* libc has one, too, and calls it: nothing that could harm. */
void sched_yield(void)
{
}

int sched_set_affinity(struct vcpu *who, cpumask_t hard, cpumask_t soft)
{
    (void)who;
    (void)hard;
    (void)soft;
    abort();
}

void domain_shutdown(struct domain *who, unsigned int reason)
{
    (void)who;
    (void)reason;
    abort();
}

struct domain *domain_get(domid_t domid)
{
    (void)domid;
    abort();
}

void domain_put(struct domain *who)
{
    (void)who;
    abort();
}

/* ---- the cases ------------------------------------------------------------ */

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    memset(pending, 0, sizeof(pending));
    memset(&poll, 0, sizeof(poll));
    v.domain = &d;
    this_cpu()->current_vcpu = &v;
    upcall = false;
    armed = 0;
    calls = end_at = release_at = 0;
    ports[0] = PORT;
    ports[1] = PORT + 1;
    poll.nr_ports = 1;
    set_xen_guest_handle(poll.ports, ports);
    return 0;
}

static int64_t do_poll(void)
{
    return do_sched_op(SCHEDOP_poll, (uintptr_t)&poll, 0, 0, 0);
}

static bool blocked(void)
{
    return (v.hold & VCPU_HOLD_BLOCKED) != 0;
}

static void test_blocks(void **state)
{
    (void)state;
    poll.timeout = 1234;
    assert_int_equal(do_poll(), 0);
    assert_true(blocked());
    assert_int_equal(v.poll_port, PORT);
    assert_int_equal(d.pollers, 1);
    assert_int_equal(armed, 1234);
    set_up(NULL);
    poll.nr_ports = 2;
    assert_int_equal(do_poll(), 0);
    assert_true(blocked());
    assert_int_equal(v.poll_port, EVTCHN_POLL_SEVERAL);
    assert_int_equal(armed, 0);
}

static void test_does_not_block(void **state)
{
    (void)state;
    for (unsigned int nr = 0; nr < 3; nr++) {
        set_up(NULL);
        poll.nr_ports = nr;
        upcall = nr == 0;
        pending[nr == 2 ? PORT + 1 : PORT] = nr != 0;
        assert_int_equal(do_poll(), 0);
        assert_false(blocked());
        assert_int_equal(d.pollers, 0);
    }
}

/* Whoever made it pending has found nobody to wake. */
static void test_nmi_or_mc_waits(void **state)
{
    (void)state;
    for (unsigned int nr = 0; nr < 3; nr++) {
        for (unsigned int mce = 0; mce < 2; mce++) {
            set_up(NULL);
            poll.nr_ports = nr;
            poll.timeout = 1234;
            v.nmi_pending = mce == 0;
            v.mce_pending = mce == 1;
            assert_int_equal(do_poll(), 0);
            assert_false(blocked());
            assert_int_equal(d.pollers, 0);
            assert_int_equal(armed, 0);
        }
    }
}

static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(do_sched_op(SCHEDOP_poll, 0, 0, 0, 0), -EFAULT);
    for (unsigned int nr = 1; nr < 3; nr++) {
        set_up(NULL);
        poll.nr_ports = nr;
        ports[nr - 1] = UNKNOWN;
        assert_int_equal(do_poll(), -EINVAL);
        assert_false(blocked());
        assert_int_equal(d.pollers, 0);
    }
    poll.nr_ports = 129;
    assert_int_equal(do_poll(), -EINVAL);
}

/*
 * A vcpu that is blocked and waits for no port is lost: an event finds nobody
 * who polls.  Whoever takes the port away lets it go after that.
 */
static void test_end_of_an_earlier_poll(void **state)
{
    unsigned int last;

    (void)state;
    assert_int_equal(do_poll(), 0);
    last = calls + 1; /* so far nobody has come in between */
    for (unsigned int end = 1; end <= last; end++) {
        for (unsigned int release = end; release <= last; release++) {
            set_up(NULL);
            end_at = end;
            release_at = release;
            assert_int_equal(do_poll(), 0);
            while (calls < last) {
                others_turn();
            }
            assert_true(!blocked() || v.poll_port == PORT);
            assert_int_equal(d.pollers, v.poll_port != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_blocks, set_up),
        cmocka_unit_test_setup(test_does_not_block, set_up),
        cmocka_unit_test_setup(test_nmi_or_mc_waits, set_up),
        cmocka_unit_test_setup(test_errors, set_up),
        cmocka_unit_test_setup(test_end_of_an_earlier_poll, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
