/* SPDX-License-Identifier: MIT */
/*
 * timer - time goes forward and timers fire once, in order, never early.
 *
 * Claim: system time is monotonic; a singleshot timer raises VIRQ_TIMER once,
 * not before its time; setting it again replaces it; a time already past fires
 * at once; stopping it prevents it.  The same timer by set_timer_op.
 * SCHEDOP_poll and SCHEDOP_block wake for it.  As Dom0: the wall clock is what
 * settime made it, to the nanosecond, for another domain too.
 * Plan: bind VIRQ_TIMER, stop the periodic timer every vCPU starts with, and
 * try each of the above with events enabled.
 */
#define __XEN_TOOLS__ 1
#include "stub.h"

#include <xen/domctl.h>
#include <xen/platform.h>

const char stub_name[] = "timer";

/* Generous: the machine under us may be busy. */
#define LATE_NS (2 * NS_PER_SEC)

static evtchn_port_t port;
static union shared_info_area other_shared __page_aligned;

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

/* What the wall clock said at system time 0, as a guest reads it. */
static uint64_t wall_base_ns(const struct shared_info *si,
                             uint32_t *ret_version)
{
    uint64_t sec, nsec;
    uint32_t version;

    do {
        version = READ_ONCE(si->wc_version);
        barrier();
        sec = READ_ONCE(si->wc_sec) | (uint64_t)READ_ONCE(si->wc_sec_hi) << 32;
        nsec = READ_ONCE(si->wc_nsec);
        barrier();
    } while ((version & 1) || version != READ_ONCE(si->wc_version));
    *ret_version = version;
    return sec * NS_PER_SEC + nsec;
}

static long set_wall(uint64_t secs, uint32_t nsecs, uint64_t at_ns, uint32_t mbz)
{
    struct xen_platform_op op = {
        .cmd = XENPF_settime64,
        .interface_version = XENPF_INTERFACE_VERSION,
        .u.settime64 = {.secs = secs,
                        .nsecs = nsecs,
                        .mbz = mbz,
                        .system_time = at_ns},
    };

    return hypercall2(__HYPERVISOR_platform_op, (unsigned long)&op, 0);
}

static long domctl(struct xen_domctl *op, uint32_t cmd)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return hypercall2(__HYPERVISOR_domctl, (unsigned long)op, 0);
}

/* Another domain, and its shared page where we see it. */
static bool make_other(domid_t *ret_domid)
{
    struct xen_domctl op = {.u.createdomain = {
                                .max_vcpus = 1,
                                .max_evtchn_port = 1023,
                                .max_grant_frames = 4,
                                .max_maptrack_frames = 4,
                                .grant_opts = XEN_DOMCTL_GRANT_version(1),
                            }};
    long rc = domctl(&op, XEN_DOMCTL_createdomain);

    if (!CHECK(rc == 0, "createdomain: %ld", rc)) {
        return false;
    }
    *ret_domid = op.domain;
    op.u.max_vcpus.max = 1;
    rc = domctl(&op, XEN_DOMCTL_max_vcpus);
    rc = rc ? rc : domctl(&op, XEN_DOMCTL_getdomaininfo);
    mm_protect(&other_shared, 0);
    rc = rc ? rc
            : hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                         (unsigned long)&other_shared,
                         op.u.getdomaininfo.shared_info_frame << PAGE_SHIFT |
                             PTE_FLAGS_RO,
                         UVMF_INVLPG, *ret_domid, 0);
    return CHECK(rc == 0, "see its shared page: %ld", rc);
}

/* Set the wall clock so that it said @base_ns at system time 0. */
static void check_set(uint64_t base_ns)
{
    uint32_t before, after = 0, other_before, other_after = 0;
    uint64_t now = time_now_ns(), utc = base_ns + now, got, other;
    long rc;

    (void)wall_base_ns(&shared_info_page, &before);
    (void)wall_base_ns(&other_shared.info, &other_before);
    rc = set_wall(utc / NS_PER_SEC, (uint32_t)(utc % NS_PER_SEC), now, 0);
    got = wall_base_ns(&shared_info_page, &after);
    other = wall_base_ns(&other_shared.info, &other_after);
    CHECK(rc == 0 && got == base_ns && after == before + 2,
          "settime64: %ld; asked for %lu it is %lu, version %u then %u", rc,
          base_ns, got, before, after);
    CHECK(other == base_ns && other_after == other_before + 2,
          "another domain sees %lu, version %u then %u", other, other_before,
          other_after);
}

static void check_wall_clock(void)
{
    uint32_t before, after = 0;
    uint64_t was = wall_base_ns(&shared_info_page, &before);
    struct xen_domctl end = {.cmd = 0};

    if (!stub_is_dom0()) {
        long rc = set_wall(1, 0, 0, 0);

        CHECK(rc == -XEN_EPERM, "a guest sets the time: %ld", rc);
        return;
    }
    if (!make_other(&end.domain)) {
        return;
    }
    /* A hundred years on: the seconds need more than 32 bits. */
    check_set(was + 100 * 366 * 86400UL * NS_PER_SEC + 123456789);
    (void)wall_base_ns(&shared_info_page, &before);
    CHECK(set_wall(1, 1000000000, 0, 0) == -XEN_EINVAL &&
              set_wall(1, 0, 0, 1) == -XEN_EINVAL &&
              set_wall(~0UL, 0, 0, 0) == -XEN_EINVAL,
          "nonsense is taken");
    (void)wall_base_ns(&shared_info_page, &after);
    CHECK(after == before, "what was refused changed something");
    check_set(was);
    mm_protect(&other_shared, PTE_FLAGS_DATA);
    CHECK(domctl(&end, XEN_DOMCTL_destroydomain) == 0, "destroydomain");
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
    check_wall_clock();
    CHECK(evtchn_unmask(port) == 0, "unmask");
    events_enable();
    check_periodic();
    check_singleshot();
    check_set_timer_op();
    check_block_and_poll();
    report(VERDICT_SUCCESS, "%u timer events", evtchn_count(port));
}
