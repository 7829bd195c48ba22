/* SPDX-License-Identifier: MIT */
/*
 * race - vcpus that use grants, event channels and page tables while others take
 * them away.
 *
 * Claim: whatever several vcpus do to one table, one mapping or one port at
 * the same moment, each of them gets an answer, nothing is done twice, and in
 * the end nothing is left over.
 * Plan: Dom0 with 3 vcpus or more.  For ms=N (500) milliseconds each, and
 * until enough has happened, since the machine may be busy:
 *   grants: the others map, copy and unmap pages that the first one grants and
 *     takes back, in either version, between changes of version, with entries
 *     full of nonsense beside; domains die with their grants mapped.
 *   ports: the others send, bind and close, while the first one resets all
 *     its ports, with FIFO queues and without.
 *   tables: all make the same few frames page tables of any level, pin, link
 *     and change them, and make them writable again.
 */
#include "race.h"

const char stub_name[] = "race";

#define ENDS_IN_NS (60 * NS_PER_SEC)

unsigned int vcpus;

static const struct race *const races[] = {&race_grants, &race_ports,
                                     &race_tables};
#define RACES (sizeof(races) / sizeof(races[0]))

static unsigned int round;   /* odd: a race, (round - 1) / 2; even: it has ended */
static unsigned int idle;    /* vcpus that have seen that                       */
static uint64_t turns;

static void worker(unsigned int id)
{
    uint64_t seed = id;
    unsigned int now = 0;

    for (;;) {
        unsigned int next = __atomic_load_n(&round, __ATOMIC_SEQ_CST);

        /* On a busy machine one may have slept for the whole race. */
        if (next % 2 == 0 && now != next) {
            __atomic_fetch_add(&idle, 1, __ATOMIC_SEQ_CST);
        }
        now = next;
        if (now % 2 != 0) {
            races[now / 2]->turn(id, &seed);
            count(&turns);
        } else {
            hc_sched_op(SCHEDOP_yield, NULL);
        }
    }
}

static bool stop(void)
{
    uint64_t since = time_now_ns();

    __atomic_fetch_add(&round, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&idle, __ATOMIC_SEQ_CST) < vcpus - 1) {
        hc_sched_op(SCHEDOP_yield, NULL);
        if (time_now_ns() - since > ENDS_IN_NS) {
            break;
        }
    }
    return CHECK(idle == vcpus - 1, "%u of %u vcpus came back", idle,
                 vcpus - 1);
}

static bool run(unsigned int n, uint64_t ns)
{
    const struct race *r = races[n];
    uint64_t seed = 99, steps = 0, since;

    if (!r->begin()) {
        return false;
    }
    idle = 0;
    turns = 0;
    since = time_now_ns();
    __atomic_store_n(&round, 2 * n + 1, __ATOMIC_SEQ_CST);
    while (time_now_ns() - since < (r->enough() ? ns : ENDS_IN_NS)) {
        r->step(&seed);
        steps++;
    }
    if (!stop()) {
        return false;
    }
    CHECK(r->enough(), "%s: too little has happened", r->name);
    print("race: %s: %lu steps, %lu turns in %lu ms\n", r->name, steps, turns,
          (time_now_ns() - since) / NS_PER_MS);
    r->end();
    return true;
}

/* Those that are named, or all. */
static bool chosen(const struct race *r)
{
    bool any = false;

    for (unsigned int n = 0; n < RACES; n++) {
        any |= cmdline_has(races[n]->name);
    }
    return !any || cmdline_has(r->name);
}

void stub_main(void)
{
    uint64_t ns = cmdline_number("ms", 500) * NS_PER_MS;
    bool go_on = true;

    vcpus = vcpus_there();
    if (!stub_is_dom0() || vcpus < 3) {
        report(VERDICT_SKIP, "for Dom0 with 3 vcpus or more");
        return;
    }
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    for (unsigned int id = 1; id < vcpus; id++) {
        go_on =
            CHECK(vcpu_start(id, worker) == 0, "start vcpu %u", id) && go_on;
        hc_vcpu_op(VCPUOP_stop_periodic_timer, id, NULL);
    }
    for (unsigned int n = 0; go_on && n < RACES; n++) {
        go_on = !chosen(races[n]) || run(n, ns);
    }
    report(VERDICT_SUCCESS, "%u vcpus", vcpus);
}
