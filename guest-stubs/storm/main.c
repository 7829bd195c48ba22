/* SPDX-License-Identifier: MIT */
/*
 * storm - vcpus that are moved all the time lose no wake-up and no time.
 *
 * Claim: whatever wakes a vcpu does so while its pin changes 1,000 times a
 * second; an NMI comes exactly once; nobody's clock goes backwards, and everybody's run times add up.
 * Plan: Dom0 with 3 vcpus or more.  The first is pinned, and every millisecond
 * pins each of the others somewhere.  Those work for a moment, reading the
 * clock, and sleep in every way there is: until a time, or until one of the
 * others wakes them.  The first looks whether all who should be awake are:
 * later than `bound=MS` (5000) is a lost wake-up.
 * `ms=N`: for so long (1000).  `worst=US`: the longest a wake-up may take.
 * `skew=NS`: clocks.c.  `still`: no pins, to compare with.
 */
#include "../bench/tiny.h"

#include "storm.h"

const char stub_name[] = "storm";

#define NS_PER_US 1000UL
#define PIN_NS    NS_PER_MS
#define NEVER     (~0UL)
#define PERIOD_NS (2 * NS_PER_MS)

static const char *const sleep_names[SLEEPS] = {
    "timer", "periodic timer", "poll", "event", "polled port", "NMI", "up",
};

struct worker workers[VCPUS_MAX];
unsigned int vcpus, cpus;

static uint32_t stop, finished;
static uint64_t bound_ns, pins, lost;

/* ---- on the workers ------------------------------------------------------ */

static void events_off(unsigned int id)
{
    WRITE_ONCE(vcpu_info_of(id)->evtchn_upcall_mask, 1);
    barrier();
}

static void events_on(unsigned int id)
{
    WRITE_ONCE(vcpu_info_of(id)->evtchn_upcall_mask, 0);
    barrier();
    if (READ_ONCE(vcpu_info_of(id)->evtchn_upcall_pending)) {
        hc_xen_version(XENVER_version, NULL);
    }
}

/* Wake those who have asked this vcpu for it. */
static void serve(unsigned int id)
{
    for (unsigned int i = 1; i < vcpus; i++) {
        uint32_t how = __atomic_exchange_n(&workers[id].asks[i], 0,
                                           __ATOMIC_SEQ_CST);
        struct worker *w = &workers[i];

        if (!how) {
            continue;
        }
        WRITE_ONCE(w->rung_ns, clock_read(id));
        __atomic_fetch_add(&w->rung, 1, __ATOMIC_SEQ_CST);
        if (how == SLEEP_NMI) {
            hc_vcpu_op(VCPUOP_send_nmi, i, NULL);
        } else {
            hc_evtchn_send(how == SLEEP_BELL ? w->bell_port : w->poll_port);
        }
    }
}

static bool on_event(struct trap_regs *regs)
{
    unsigned int id = vcpu_self();
    struct worker *w = &workers[id];
    uint64_t bits;

    (void)regs;
    WRITE_ONCE(vcpu_info_of(id)->evtchn_upcall_pending, 0);
    __atomic_exchange_n(&vcpu_info_of(id)->evtchn_pending_sel, 0,
                        __ATOMIC_SEQ_CST);
    bits = READ_ONCE(shared_info_page.evtchn_pending[0]) &
           ~READ_ONCE(shared_info_page.evtchn_mask[0]) & w->mine;
    while (bits) {
        evtchn_port_t port = (evtchn_port_t)__builtin_ctzl(bits);

        bits &= bits - 1;
        (void)evtchn_clear(port);
        if (port == w->timer_port) {
            WRITE_ONCE(w->fired, w->fired + 1);
        } else if (port == w->ask_port) {
            serve(id);
        }
    }
    return true;
}

/* It may come between a look and the block that follows: let that return. */
static bool on_nmi(struct trap_regs *regs)
{
    struct worker *w = &workers[vcpu_self()];

    (void)regs;
    WRITE_ONCE(w->nmis, w->nmis + 1);
    WRITE_ONCE(vcpu_info_of(vcpu_self())->evtchn_upcall_pending, 1);
    return true;
}

/* Blocked until @what is no longer @was.  Events are off. */
static void block_while(unsigned int id, const uint32_t *what, uint32_t was)
{
    while (READ_ONCE(*what) == was) {
        hc_sched_op(SCHEDOP_block, NULL);
        events_off(id);
    }
}

static void fall_asleep(struct worker *w, enum sleep how, uint64_t due_ns)
{
    w->how = how;
    __atomic_store_n(&w->due_ns, due_ns, __ATOMIC_SEQ_CST);
}

static uint64_t sleep_timer(unsigned int id)
{
    struct worker *w = &workers[id];
    struct vcpu_set_singleshot_timer timer = {
        .timeout_abs_ns = clock_read(id) + 20 * NS_PER_US +
                          draw(&w->random, 3 * NS_PER_MS)};
    uint32_t was = w->fired;

    fall_asleep(w, SLEEP_TIMER, timer.timeout_abs_ns);
    hc_vcpu_op(VCPUOP_set_singleshot_timer, id, &timer);
    block_while(id, &w->fired, was);
    if (clock_read(id) < timer.timeout_abs_ns) {
        w->early++;
    }
    return timer.timeout_abs_ns;
}

/* A vcpu that does not run gets no ticks: it waits for them running. */
static uint64_t sleep_periodic(unsigned int id)
{
    struct worker *w = &workers[id];
    struct vcpu_set_periodic_timer timer = {.period_ns = PERIOD_NS};
    uint32_t was = w->fired;
    uint64_t due = clock_read(id) + 2 * PERIOD_NS;

    fall_asleep(w, SLEEP_PERIODIC, due);
    hc_vcpu_op(VCPUOP_set_periodic_timer, id, &timer);
    events_on(id);
    while (READ_ONCE(w->fired) - was < 2) {
        (void)clock_read(id);
    }
    hc_vcpu_op(VCPUOP_stop_periodic_timer, id, NULL);
    events_off(id);
    return due;
}

static uint64_t sleep_poll(unsigned int id)
{
    struct worker *w = &workers[id];
    struct sched_poll poll = {.timeout = clock_read(id) + 20 * NS_PER_US +
                                         draw(&w->random, 3 * NS_PER_MS)};

    fall_asleep(w, SLEEP_POLL, poll.timeout);
    events_on(id);
    while (clock_read(id) < poll.timeout) {
        hc_sched_op(SCHEDOP_poll, &poll);
    }
    events_off(id);
    return poll.timeout;
}

static uint64_t sleep_asking(unsigned int id, enum sleep how)
{
    struct worker *w = &workers[id];
    struct sched_poll poll = {.nr_ports = 1};
    uint32_t was = w->rung, nmis = w->nmis;
    unsigned int whom;

    do {
        whom = 1 + (unsigned int)draw(&w->random, vcpus - 1);
    } while (whom == id);
    set_xen_guest_handle(poll.ports, &w->poll_port);
    fall_asleep(w, how, clock_read(id));
    __atomic_store_n(&workers[whom].asks[id], how, __ATOMIC_SEQ_CST);
    hc_evtchn_send(workers[whom].ask_port);
    if (how == SLEEP_NMI) {
        block_while(id, &w->nmis, nmis);
    } else if (how != SLEEP_PORT) {
        block_while(id, &w->rung, was);
    } else {
        events_on(id);
        while (!evtchn_clear(w->poll_port)) {
            hc_sched_op(SCHEDOP_poll, &poll);
        }
        events_off(id);
    }
    return READ_ONCE(w->rung_ns);
}

static uint64_t sleep_down(unsigned int id)
{
    struct worker *w = &workers[id];

    fall_asleep(w, SLEEP_DOWN, clock_read(id));
    __atomic_store_n(&w->wants_up, 1, __ATOMIC_SEQ_CST);
    hc_vcpu_op(VCPUOP_down, id, NULL);
    return READ_ONCE(w->rung_ns);
}

static uint64_t sleep_somehow(unsigned int id, enum sleep how)
{
    switch (how) {
    case SLEEP_TIMER:
        return sleep_timer(id);
    case SLEEP_PERIODIC:
        return sleep_periodic(id);
    case SLEEP_POLL:
        return sleep_poll(id);
    case SLEEP_DOWN:
        return sleep_down(id);
    default:
        return sleep_asking(id, how);
    }
}

static void work(unsigned int id, uint64_t ns)
{
    uint64_t end = clock_read(id) + ns;

    events_on(id);
    while (clock_read(id) < end) {
        __asm__ volatile("pause");
    }
    events_off(id);
}

static void worker_main(unsigned int id)
{
    struct worker *w = &workers[id];

    (void)times_register(id);
    while (!READ_ONCE(stop)) {
        /* Ticks come late after a periodic timer was stopped: seldom. */
        enum sleep how = draw(&w->random, 32) == 0
                             ? SLEEP_PERIODIC
                             : (enum sleep)draw(&w->random, SLEEPS);
        uint64_t woken, now;

        if (how == SLEEP_PERIODIC && w->count[how] * 16 > w->turns) {
            how = SLEEP_BELL;
        }
        woken = sleep_somehow(id, how);
        now = clock_read(id);
        __atomic_store_n(&w->due_ns, NEVER, __ATOMIC_SEQ_CST);
        /* Of two ticks one may be left from an earlier timer. */
        if (now > woken && now - woken > w->worst_ns) {
            w->worst_ns = now - woken;
            w->worst_how = how;
        }
        w->count[how]++;
        times_check_own(id);
        clocks_compare(id);
        work(id, draw(&w->random, 60 * NS_PER_US));
        WRITE_ONCE(w->turns, w->turns + 1);
    }
    /* The others may still want to be woken. */
    __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
    events_on(id);
    while (READ_ONCE(finished) < vcpus - 1) {
        struct sched_poll poll = {.timeout = clock_read(id) + NS_PER_MS};

        hc_sched_op(SCHEDOP_poll, &poll);
    }
    events_off(id);
}

/* ---- on vcpu 0 ----------------------------------------------------------- */

static long pin(unsigned int id, unsigned int cpu)
{
    return tiny_set_affinity(0, id, 1UL << cpu, TINY_ALL_CPUS);
}

static evtchn_port_t bind(unsigned int id, bool timer)
{
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = id};
    struct evtchn_bind_ipi ipi = {.vcpu = id};
    long rc = timer ? hc_evtchn_op(EVTCHNOP_bind_virq, &virq)
                    : hc_evtchn_op(EVTCHNOP_bind_ipi, &ipi);
    evtchn_port_t port = timer ? virq.port : ipi.port;

    return CHECK(rc == 0 && port < 64, "bind: %ld, port %u", rc, port) ? port
                                                                       : 0;
}

static bool start(unsigned int id)
{
    struct worker *w = &workers[id];

    w->due_ns = NEVER;
    w->random = id;
    w->timer_port = bind(id, true);
    w->ask_port = bind(id, false);
    w->bell_port = bind(id, false);
    w->poll_port = bind(id, false);
    w->mine = 1UL << w->timer_port | 1UL << w->ask_port | 1UL << w->bell_port;
    evtchn_unmask(w->timer_port);
    evtchn_unmask(w->ask_port);
    evtchn_unmask(w->bell_port);
    hc_vcpu_op(VCPUOP_stop_periodic_timer, id, NULL);
    return CHECK(vcpu_start(id, worker_main) == 0, "start vcpu %u", id);
}

/* Who sleeps how: whoever is lost first may only be waiting for another. */
static void tell_of_all(uint64_t now)
{
    for (unsigned int i = 1; i < vcpus; i++) {
        const struct worker *w = &workers[i];
        struct vcpu_runstate_info info = {.state = -1};
        uint64_t due = READ_ONCE(w->due_ns);

        hc_vcpu_op(VCPUOP_get_runstate_info, i, &info);
        if (due == NEVER) {
            print("storm: vcpu %u: awake, runstate %d\n", i, info.state);
        } else {
            print("storm: vcpu %u: by %s, due %ld us ago, runstate %d, %s\n", i,
                  sleep_names[READ_ONCE(w->how)],
                  (long)(now - due) / (long)NS_PER_US, info.state,
                  hc_vcpu_op(VCPUOP_is_up, i, NULL) == 0 ? "down" : "up");
        }
    }
    print("storm: pending %lx, masked %lx\n", shared_info_page.evtchn_pending[0],
          shared_info_page.evtchn_mask[0]);
}

/* Is everybody awake who should be?  Lets those up who went down. */
static void watch(void)
{
    uint64_t now = clock_read(0);

    for (unsigned int i = 1; i < vcpus; i++) {
        struct worker *w = &workers[i];
        uint64_t due = __atomic_load_n(&w->due_ns, __ATOMIC_SEQ_CST);

        if (READ_ONCE(w->wants_up) && hc_vcpu_op(VCPUOP_is_up, i, NULL) == 0) {
            w->wants_up = 0;
            WRITE_ONCE(w->rung_ns, now);
            hc_vcpu_op(VCPUOP_up, i, NULL);
        } else if (due != NEVER && now > due && now - due > bound_ns) {
            lost++;
            report(VERDICT_FAILURE,
                   "vcpu %u has lost a wake-up: by %s, for %lu ms", i,
                   sleep_names[READ_ONCE(w->how)], (now - due) / NS_PER_MS);
            tell_of_all(now);
        }
    }
}

/* Return how long it took: pins that are late are made up for, not left out. */
static uint64_t storm(uint64_t ns)
{
    uint64_t begin = time_now_ns(), next = begin, random = 1, step = 0;
    uint64_t turns[VCPUS_MAX] = {0};
    bool still = cmdline_has("still");

    while (next < begin + ns && !lost) {
        next += PIN_NS;
        while (time_now_ns() < next) {
            time_sleep_ns(next - time_now_ns());
        }
        for (unsigned int i = 1; i < vcpus && !still; i++) {
            pins += pin(i, (unsigned int)draw(&random, cpus)) == 0;
        }
        watch();
        clocks_compare(0);
        times_check(0, (unsigned int)(step % vcpus));
        if (++step % 1000 == 0) {
            for (unsigned int i = 1; i < vcpus; i++) {
                CHECK(workers[i].turns > turns[i] ||
                          workers[i].due_ns != NEVER,
                      "vcpu %u does not get on", i);
                turns[i] = workers[i].turns;
            }
        }
    }
    return time_now_ns() - begin;
}

static void end_storm(void)
{
    uint64_t begin = time_now_ns();

    WRITE_ONCE(stop, 1);
    while (READ_ONCE(finished) < vcpus - 1 && !lost) {
        watch();
        time_sleep_ns(NS_PER_MS);
        if (time_now_ns() - begin > 2 * bound_ns) {
            lost++;
            report(VERDICT_FAILURE, "%u of %u workers ended", finished,
                   vcpus - 1);
        }
    }
}

static void tell(uint64_t ms, uint64_t took_ms)
{
    uint64_t limit = cmdline_number("worst", 0), sleeps = 0, worst = 0;
    uint64_t early = 0;

    for (enum sleep how = SLEEP_TIMER; how < SLEEPS; how++) {
        uint64_t count = 0;

        for (unsigned int i = 1; i < vcpus; i++) {
            count += workers[i].count[how];
        }
        /* By chance, so not in the few turns of a busy machine. */
        CHECK(count > 0 || workers[1].turns < 100, "nobody slept by %s",
              sleep_names[how]);
        print("storm: %lu sleeps ended by %s\n", count, sleep_names[how]);
        sleeps += count;
    }
    for (unsigned int i = 1; i < vcpus; i++) {
        const struct worker *w = &workers[i];

        print("storm: vcpu %u: %lu turns, the last to wake after %lu us (%s)\n",
              i, w->turns, w->worst_ns / NS_PER_US, sleep_names[w->worst_how]);
        CHECK(w->turns > 0, "vcpu %u never got on", i);
        /* The last one may have been asked for when the storm ended. */
        CHECK(w->nmis == w->count[SLEEP_NMI], "vcpu %u: %u NMIs for %lu sleeps",
              i, w->nmis, w->count[SLEEP_NMI]);
        worst = w->worst_ns > worst ? w->worst_ns : worst;
        early += w->early;
    }
    CHECK(early == 0, "%lu times a timer fired before its time", early);
    CHECK(!limit || worst <= limit * NS_PER_US, "a wake-up took %lu us",
          worst / NS_PER_US);
    print("storm: %lu clock readings, %lu ns apart at the least\n",
          clocks.readings, clocks.least_step_ns);
    CHECK(clocks.backwards == 0, "time went back %lu times, by %lu ns",
          clocks.backwards, clocks.worst_back_ns);
    CHECK(clocks.differ == 0, "%lu times two vcpus' clocks differed",
          clocks.differ);
    print("storm: %lu looks at run times, %lu while they were written\n",
          times.looks, times.flags);
    CHECK(times.torn == 0, "%lu times an area's times did not add up",
          times.torn);
    CHECK(times.outside == 0, "%lu times run times did not add up to now",
          times.outside);
    CHECK(times.shrunk == 0, "%lu times a run time shrank", times.shrunk);
    if (cpus == 1) {
        print("storm: %lu seen waiting for the processor\n", times.waits);
        CHECK(times.waits > 0, "nobody was seen to wait");
    }
    CHECK(times.unsaid == 0, "%lu times who waited was not seen to",
          times.unsaid);
    CHECK(times.not_own == 0, "%lu times who asked was not running",
          times.not_own);
    report(VERDICT_SUCCESS,
           "%lu pins of each of %u vcpus in %lu ms (asked: %lu), %lu sleeps, "
           "%lu lost, at worst %lu us late",
           pins / (vcpus - 1), vcpus - 1, took_ms, ms, sleeps, lost,
           worst / NS_PER_US);
}

void stub_main(void)
{
    uint64_t ms = cmdline_number("ms", 1000);
    bool started = true;

    vcpus = vcpus_there();
    if (!stub_is_dom0() || vcpus < 3) {
        report(VERDICT_SKIP, "for Dom0 with 3 vcpus or more");
        return;
    }
    cpus = tiny_cpus();
    bound_ns = cmdline_number("bound", 5000) * NS_PER_MS;
    clocks_init();
    trap_handle(TRAP_EVENT, on_event);
    trap_handle(TRAP_NMI, on_nmi);
    CHECK(hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                     VMASST_TYPE_runstate_update_flag) == 0,
          "vm_assist");
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    CHECK(pin(0, 0) == 0, "pin");
    CHECK(times_register(0) == 0, "register the runstate area");
    for (unsigned int i = 1; i < vcpus; i++) {
        started = start(i) && started;
    }
    if (started) {
        uint64_t took_ms = storm(ms * NS_PER_MS) / NS_PER_MS;

        end_storm();
        tell(ms, took_ms);
    }
}
