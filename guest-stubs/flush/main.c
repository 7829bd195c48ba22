/* SPDX-License-Identifier: MIT */
/*
 * flush - a TLB shootdown interrupts the CPUs that run the domain, no others.
 *
 * Claim: its cost grows with the vcpus that run, not with the CPUs there are;
 * and when it returns nobody sees the old page any more.
 * Plan: Dom0, a vcpu for each CPU, each pinned to its own.  With 1, 2, 4 and
 * all of them running, and once with all but one asleep, the first asks `n=N`
 * (100) times to flush in each of three ways, and has the hypervisor print its
 * counters (debug key q) before and after: who reads the console compares.
 * Then `load=N` (1000) times in all, all running vcpus flush each other while
 * the first moves a page between two frames and the others read it.
 */
#include "../bench/tiny.h"

#include "vcpus.h"

const char stub_name[] = "flush";

enum way {
    BY_FLUSH_ALL,   /* MMUEXT_TLB_FLUSH_ALL */
    BY_FLUSH_MULTI, /* MMUEXT_TLB_FLUSH_MULTI, all vcpus named */
    BY_MAPPING,     /* update_va_mapping with UVMF_ALL */
    WAYS
};

static const char *const way_names[WAYS] = {"all", "multi", "mapping"};

/* A page that is now one frame, now the other; both are also elsewhere. */
static union {
    uint64_t word;
    char page[PAGE_SIZE];
} moving __page_aligned, frames[2] __page_aligned;

static unsigned int vcpus, running;
static uint32_t asleep, stop, ended;
static uint64_t shown, stale_reads, reads, load_left;

static long flush(enum way way)
{
    uint64_t mask = (1UL << vcpus) - 1;
    struct mmuext_op op = {.cmd = way == BY_FLUSH_ALL ? MMUEXT_TLB_FLUSH_ALL
                                                      : MMUEXT_TLB_FLUSH_MULTI};

    if (way == BY_MAPPING) {
        return hc_update_va_mapping(&moving,
                                    mm_maddr(&frames[0]) | PTE_FLAGS_DATA,
                                    UVMF_TLB_FLUSH | UVMF_ALL);
    }
    if (way == BY_FLUSH_MULTI) {
        set_xen_guest_handle(op.arg2.vcpumask, &mask);
    }
    return hc_mmuext_op(&op, 1, NULL);
}

static void look(void)
{
    uint64_t wanted = __atomic_load_n(&shown, __ATOMIC_SEQ_CST);

    if (READ_ONCE(moving.word) < wanted) {
        __atomic_fetch_add(&stale_reads, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
}

static bool take_one(void)
{
    uint64_t left = __atomic_load_n(&load_left, __ATOMIC_SEQ_CST);

    while (left) {
        if (__atomic_compare_exchange_n(&load_left, &left, left - 1, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return true;
        }
    }
    return false;
}

static void runs(unsigned int id)
{
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    while (!READ_ONCE(stop)) {
        if (READ_ONCE(asleep)) {
            struct sched_poll poll = {.timeout = time_now_ns() +
                                                 3600 * NS_PER_SEC};

            __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
            hc_sched_op(SCHEDOP_poll, &poll);
            __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
        }
        look();
        if (READ_ONCE(load_left) && take_one()) {
            flush(BY_FLUSH_MULTI);
        }
        __asm__ volatile("pause");
    }
    (void)id;
    __atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
}

static void key_q(void)
{
    static const char key[] = "q";
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_debug_keys,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
        .u.debug_keys.nr_keys = 1,
    };

    set_xen_guest_handle(op.u.debug_keys.keys, key);
    CHECK(hypercall2(__HYPERVISOR_sysctl, (unsigned long)&op, 0) == 0, "key");
}

/* The lines are for who reads the console; keep test_smp.py in step. */
static void count(unsigned int now, unsigned int times)
{
    for (enum way way = BY_FLUSH_ALL; way < WAYS; way++) {
        long rc = 0;

        /* A CPU that has fallen idle gives up our tables at the first. */
        for (unsigned int i = 0; i < 4; i++) {
            rc |= flush(way);
        }
        print("flush: from here %u of %u vcpus run, %u by %s\n", now, vcpus,
              times, way_names[way]);
        key_q();
        for (unsigned int i = 0; i < times; i++) {
            rc |= flush(way);
        }
        key_q();
        print("flush: to here\n");
        CHECK(rc == 0, "flush by %s: %ld", way_names[way], rc);
    }
}

static bool pin(unsigned int id)
{
    return CHECK(tiny_set_affinity(0, id, 1UL << id, TINY_ALL_CPUS) == 0,
                 "pin vcpu %u", id);
}

/* Wait until so many others run; what they do then is not counted. */
static void await_running(unsigned int others)
{
    uint64_t end = time_now_ns() + 60 * NS_PER_SEC;

    while (READ_ONCE(running) != others && time_now_ns() < end) {
        __asm__ volatile("pause");
    }
    CHECK(READ_ONCE(running) == others, "%u others run, not %u", running,
          others);
    /* Who has said that it will sleep is asleep by then. */
    time_sleep_ns(50 * NS_PER_MS);
}

/* Everybody flushes; a page changes its frame, and they look at it. */
static void load(uint64_t times)
{
    uint64_t moves = 0;

    __atomic_store_n(&load_left, times, __ATOMIC_SEQ_CST);
    do {
        unsigned int to = moves % 2;

        frames[to].word = ++moves;
        CHECK(hc_update_va_mapping(&moving,
                                   mm_maddr(&frames[to]) | PTE_FLAGS_DATA,
                                   UVMF_TLB_FLUSH | UVMF_ALL) == 0,
              "map");
        __atomic_store_n(&shown, moves, __ATOMIC_SEQ_CST);
    } while (READ_ONCE(load_left));
    print("flush: load: %lu flushes by %u vcpus, %lu moves of a page, %lu "
          "looks at it\n",
          times, vcpus, moves, reads);
    key_q();
    CHECK(stale_reads == 0, "%lu looks saw the page that was before",
          stale_reads);
}

void stub_main(void)
{
    unsigned int times = (unsigned int)cmdline_number("n", 100), others = 0;
    bool fine = true;

    vcpus = vcpus_there();
    if (!stub_is_dom0() || vcpus < 2) {
        report(VERDICT_SKIP, "for Dom0 with 2 vcpus or more");
        return;
    }
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    for (unsigned int i = 0; i < vcpus; i++) {
        hc_vcpu_op(VCPUOP_stop_periodic_timer, i, NULL);
        fine = pin(i) && fine;
    }
    count(1, times);
    for (unsigned int now = 1; now < vcpus && fine;) {
        now = 2 * now < vcpus ? 2 * now : vcpus;
        for (; others < now - 1; others++) {
            fine = CHECK(vcpu_start(others + 1, runs) == 0, "start %u",
                         others + 1) && fine;
        }
        await_running(others);
        count(now, times);
    }
    if (fine) {
        load(cmdline_number("load", 1000));
        WRITE_ONCE(asleep, 1);
        await_running(0);
        count(1, times);
    }
    report(VERDICT_SUCCESS, "%u vcpus", vcpus);
}
