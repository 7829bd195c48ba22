/* SPDX-License-Identifier: MIT */
/*
 * timer - time goes forward and timers fire once, in order, never early.
 *
 * Claim: system time is monotonic; a singleshot timer raises VIRQ_TIMER once,
 * not before its time; setting it again replaces it; a time already past fires
 * at once; stopping it prevents it.  The same timer by set_timer_op.
 * SCHEDOP_poll and SCHEDOP_block wake for it.
 * Plan: bind VIRQ_TIMER, stop the periodic timer every vCPU starts with, and
 * try each of the above with events enabled.
 */
#include "stub.h"

const char stub_name[] = "timer";

/* Generous: the machine under us may be busy. */
#define LATE_NS (2 * NS_PER_SEC)

static evtchn_port_t port;

static long set_singleshot(uint64_t when)
{
    struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = when};

    return hc_vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg);
}

/* Busy-wait: does the upcall reach running code? */
static bool spin_for_count(unsigned int wanted, uint64_t until)
{
    while (evtchn_count(port) < wanted && time_now_ns() < until) {
        __asm__ volatile("pause");
    }
    return evtchn_count(port) == wanted;
}

static void check_monotonic(void)
{
    uint64_t last = time_now_ns(), start = last, backward = 0;

    while (last - start < 50 * NS_PER_MS) {
        uint64_t now = time_now_ns();

        if (now < last) {
            backward++;
        }
        last = now;
    }
    CHECK(!backward, "time went backward %lu times", backward);
}

static void check_version_is_even(void)
{
    CHECK(!(READ_ONCE(vcpu_info0->time.version) & 1),
          "time is left in the middle of an update");
    CHECK(vcpu_info0->time.tsc_to_system_mul, "no TSC scale");
    CHECK(!(shared_info_page.wc_version & 1) && shared_info_page.wc_version,
          "wallclock version %u", shared_info_page.wc_version);
}

static void check_periodic(void)
{
    struct vcpu_set_periodic_timer arg = {.period_ns = 10 * NS_PER_MS};
    unsigned int before;
    long rc;

    rc = hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    CHECK(rc == 0, "stop_periodic_timer: %ld", rc);
    before = evtchn_count(port);
    spin_for_count(before + 1, time_now_ns() + 50 * NS_PER_MS);
    CHECK(evtchn_count(port) <= before + 1, "the periodic timer goes on");

    rc = hc_vcpu_op(VCPUOP_set_periodic_timer, 0, &arg);
    CHECK(rc == 0, "set_periodic_timer: %ld", rc);
    before = evtchn_count(port);
    /* Spin: the tick is a running vCPU's; a blocked one may sleep through. */
    spin_for_count(before + 3, time_now_ns() + LATE_NS);
    CHECK(evtchn_count(port) >= before + 3, "%u periodic ticks",
          evtchn_count(port) - before);
    arg.period_ns = 1000;
    CHECK(hc_vcpu_op(VCPUOP_set_periodic_timer, 0, &arg) == -XEN_EINVAL,
          "a period of 1 us is accepted");
    CHECK(hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL) == 0, "stop");
}

static void check_singleshot(void)
{
    struct vcpu_set_singleshot_timer late = {.flags = VCPU_SSHOTTMR_future};
    unsigned int before = evtchn_count(port);
    uint64_t now = time_now_ns(), when = now + 20 * NS_PER_MS;

    CHECK(set_singleshot(when) == 0, "set_singleshot_timer");
    CHECK(spin_for_count(before + 1, now + LATE_NS), "it did not fire");
    CHECK(time_now_ns() >= when, "it fired %lu ns early", when - time_now_ns());

    /* Replaced: only the later one counts. */
    before = evtchn_count(port);
    now = time_now_ns();
    when = now + 60 * NS_PER_MS;
    CHECK(set_singleshot(now + 10 * NS_PER_MS) == 0, "set");
    CHECK(set_singleshot(when) == 0, "set again");
    CHECK(spin_for_count(before + 1, now + LATE_NS), "replaced, none fired");
    CHECK(time_now_ns() >= when, "the replaced timer fired");

    before = evtchn_count(port);
    now = time_now_ns();
    CHECK(set_singleshot(now - NS_PER_MS) == 0, "set in the past");
    CHECK(spin_for_count(before + 1, now + LATE_NS), "the past did not fire");
    late.timeout_abs_ns = now - NS_PER_MS;
    CHECK(hc_vcpu_op(VCPUOP_set_singleshot_timer, 0, &late) == -XEN_ETIME,
          "the past is accepted as the future");

    before = evtchn_count(port);
    now = time_now_ns();
    CHECK(set_singleshot(now + 10 * NS_PER_MS) == 0, "set");
    CHECK(hc_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL) == 0, "stop");
    spin_for_count(before + 1, now + 40 * NS_PER_MS);
    CHECK(evtchn_count(port) == before, "a stopped timer fired");

    CHECK(hc_vcpu_op(VCPUOP_set_singleshot_timer, 1, NULL) < 0,
          "a timer for a vCPU that is not there");
}

static void check_set_timer_op(void)
{
    unsigned int before = evtchn_count(port);
    uint64_t now = time_now_ns();

    CHECK(hc_set_timer_op(now + 10 * NS_PER_MS) == 0, "set_timer_op");
    CHECK(spin_for_count(before + 1, now + LATE_NS),
          "set_timer_op did not fire");
    CHECK(time_now_ns() >= now + 10 * NS_PER_MS, "it fired early");
}

static void check_block_and_poll(void)
{
    struct sched_poll poll = {.nr_ports = 1};
    unsigned int before = evtchn_count(port);
    uint64_t now = time_now_ns();
    long rc;

    CHECK(set_singleshot(now + 10 * NS_PER_MS) == 0, "set");
    while (evtchn_count(port) == before && time_now_ns() < now + LATE_NS) {
        rc = hc_sched_op(SCHEDOP_block, NULL);
        CHECK(rc == 0, "block: %ld", rc);
    }
    CHECK(evtchn_count(port) == before + 1, "block did not wake");

    /* A masked port wakes poll, and is left pending. */
    events_disable();
    evtchn_mask(port);
    set_xen_guest_handle(poll.ports, &port);
    now = time_now_ns();
    poll.timeout = now + LATE_NS;
    CHECK(set_singleshot(now + 10 * NS_PER_MS) == 0, "set");
    rc = hc_sched_op(SCHEDOP_poll, &poll);
    CHECK(rc == 0, "poll: %ld", rc);
    CHECK(evtchn_is_pending(port), "poll came back with nothing pending");
    CHECK(time_now_ns() < now + LATE_NS, "poll slept to its timeout");
    /* Pending already: at once. */
    now = time_now_ns();
    poll.timeout = now + LATE_NS;
    CHECK(hc_sched_op(SCHEDOP_poll, &poll) == 0, "poll");
    CHECK(time_now_ns() < now + LATE_NS, "poll slept though pending");
    evtchn_clear(port);
    /* Nothing comes: the timeout ends it. */
    now = time_now_ns();
    poll.timeout = now + 20 * NS_PER_MS;
    CHECK(hc_sched_op(SCHEDOP_poll, &poll) == 0, "poll");
    CHECK(time_now_ns() >= now + 20 * NS_PER_MS, "poll ended early");
    poll.nr_ports = 129;
    CHECK(hc_sched_op(SCHEDOP_poll, &poll) == -XEN_EINVAL, "poll of 129 ports");
}

void stub_main(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER, .vcpu = 0};
    long rc = hc_evtchn_op(EVTCHNOP_bind_virq, &bind);

    if (!CHECK(rc == 0, "bind VIRQ_TIMER: %ld", rc)) {
        return;
    }
    port = bind.port;
    CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &bind) == -XEN_EEXIST,
          "VIRQ_TIMER can be bound twice");
    check_monotonic();
    check_version_is_even();
    CHECK(evtchn_unmask(port) == 0, "unmask");
    events_enable();
    check_periodic();
    check_singleshot();
    check_set_timer_op();
    check_block_and_poll();
    report(VERDICT_SUCCESS, "%u timer events", evtchn_count(port));
}
