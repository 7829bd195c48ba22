/* SPDX-License-Identifier: MIT */
/*
 * idle - what each processor had not to do.
 *
 * Claim: XENPF_getidletime says of each processor how long it had nothing to
 * run: one that nobody is on all the time that passes, one that a vCPU keeps
 * busy none of it, one that sleeps at least as long as it slept.  The map has
 * those that are there, the entries of the others are 0, and what was not asked
 * for is left alone.  Bad pointers and sizes are refused.
 * Plan: Dom0 with 3 vcpus or more, of which the first two are started, each on
 * its processor.  The first asks twice, `ms=N` (200) apart, in which it works,
 * and twice more, while it sleeps.  The last processor is nobody's; it goes
 * offline and comes back.
 */
#include "../bench/tiny.h"

#include "vcpus.h"

#include <xen/platform.h>

const char stub_name[] = "idle";

#define CPUS_MAX 65536U /* the largest set that is taken */
#define MARK     0x5a5a5a5a5a5a5a5aUL

static uint64_t map[CPUS_MAX / 64] __page_aligned;
static uint64_t idle[CPUS_MAX] __page_aligned;
static uint32_t at_work;
static unsigned int cpus;
static uint64_t now;

static void hog(unsigned int id)
{
    (void)id;
    for (;;) {
        __atomic_fetch_add(&at_work, 1, __ATOMIC_RELAXED);
        __asm__ volatile("pause");
    }
}

static long platform(struct xen_platform_op *op, uint32_t cmd)
{
    op->cmd = cmd;
    op->interface_version = XENPF_INTERFACE_VERSION;
    return hypercall2(__HYPERVISOR_platform_op, (unsigned long)op, 0);
}

static long ask_at(void *bitmap, uint32_t bits, void *times)
{
    struct xen_platform_op op = {.u.getidletime.cpumap_nr_cpus = bits};
    long rc;

    set_xen_guest_handle(op.u.getidletime.cpumap_bitmap, bitmap);
    set_xen_guest_handle(op.u.getidletime.idletime, times);
    rc = platform(&op, XENPF_getidletime);
    now = op.u.getidletime.now;
    return rc;
}

/* Ask for some of the first 64; everything else has a mark. */
static long ask(uint64_t wanted, uint32_t bits)
{
    memset(map, 0x5a, 2 * sizeof(map[0]));
    memset(idle, 0x5a, 128 * sizeof(idle[0]));
    map[0] = wanted;
    return ask_at(map, bits, idle);
}

/* Two answers, with the time before, between and after. */
struct span {
    uint64_t before[4], grown[4], said;
    uint64_t at_least, at_most;
};

static void measure(struct span *s, uint64_t ns, bool sleep)
{
    uint64_t begin = time_now_ns(), first, last, first_said;

    CHECK(ask(~0UL, 64) == 0, "getidletime");
    first = time_now_ns();
    first_said = now;
    memcpy(s->before, idle, sizeof(s->before));
    while (sleep && (last = time_now_ns()) - first < ns) {
        time_sleep_ns(first + ns - last);
    }
    while (time_now_ns() - first < ns) {
        __asm__ volatile("pause");
    }
    last = time_now_ns();
    CHECK(ask(~0UL, 64) == 0, "getidletime");
    for (unsigned int i = 0; i < ARRAY_SIZE(s->grown); i++) {
        s->grown[i] = idle[i] - s->before[i];
    }
    s->said = now - first_said;
    s->at_least = last - first;
    s->at_most = time_now_ns() - begin;
}

static void check_times(uint64_t ns)
{
    struct span s;

    measure(&s, ns, false);
    CHECK(s.said >= s.at_least && s.said <= s.at_most,
          "it says that %lu ns passed, of %lu to %lu", s.said, s.at_least,
          s.at_most);
    CHECK(s.grown[0] == 0 && s.grown[1] == 0,
          "busy processors were idle for %lu and %lu ns", s.grown[0],
          s.grown[1]);
    CHECK(s.grown[2] >= s.at_least && s.grown[2] <= s.at_most,
          "who has nothing to do was idle for %lu ns, of %lu to %lu",
          s.grown[2], s.at_least, s.at_most);
    CHECK(s.before[0] < now && s.before[1] < now && s.before[2] < now &&
              s.before[2] > 0,
          "idle since the beginning: %lu, %lu and %lu of %lu ns", s.before[0],
          s.before[1], s.before[2], now);
    measure(&s, ns, true);
    /* What it works is no more than this: it asks, and goes to sleep. */
    CHECK(s.grown[0] > 0 && s.grown[0] <= s.at_most && s.grown[1] == 0 &&
              s.grown[2] >= s.at_least && s.grown[2] <= s.at_most,
          "asleep for %lu ns, it was idle for %lu, others for %lu and %lu",
          s.at_least, s.grown[0], s.grown[1], s.grown[2]);
    print("idle: %lu ms, asleep for %lu\n", ns / NS_PER_MS,
          s.grown[0] / NS_PER_MS);
}

static void check_map(void)
{
    uint64_t there = (1UL << cpus) - 1, first;

    CHECK(ask(~0UL, 64) == 0 && map[0] == there && map[1] == MARK,
          "of all 64 there are %lx, not %lx", map[0], there);
    CHECK(idle[2] != 0 && idle[2] != MARK && idle[cpus] == 0 && idle[63] == 0 &&
              idle[64] == MARK,
          "the entries of who is there, is not, is not asked for: %lx %lx %lx",
          idle[2], idle[63], idle[64]);
    /* Only the third: nobody else's entry is touched. */
    CHECK(ask(4, 64) == 0 && map[0] == 4 && idle[0] == MARK &&
              idle[1] == MARK && idle[2] != MARK && idle[3] == MARK,
          "asked for the third alone: %lx", map[0]);
    /* Two bits of a byte: the rest of it is 0, that of the word is left. */
    CHECK(ask(~0UL, 2) == 0 && map[0] == (~0xffUL | 3) && idle[1] != MARK &&
              idle[2] == MARK,
          "asked for two: %lx", map[0]);
    CHECK(ask(0, 64) == 0 && map[0] == 0 && idle[0] == MARK, "for none");
    CHECK(ask(MARK, 0) == 0 && map[0] == MARK && idle[0] == MARK && now != 0,
          "a map without bits");
    /* Across the end of a word. */
    CHECK(ask(1, 70) == 0 && map[0] == 1 && map[1] == (MARK & ~0xffUL) &&
              idle[66] == MARK && idle[67] == 0,
          "beyond 64: %lx", map[1]);
    /* A large one, which may take several turns. */
    memset(map, 0xff, sizeof(map));
    memset(idle, 0x5a, sizeof(idle));
    CHECK(ask_at(map, CPUS_MAX, idle) == 0 && map[0] == there,
          "of %u there are %lx", CPUS_MAX, map[0]);
    first = 1;
    while (first < ARRAY_SIZE(map) && map[first] == 0) {
        first++;
    }
    CHECK(first == ARRAY_SIZE(map), "bits from %lu on: %lx", 64 * first,
          map[first % ARRAY_SIZE(map)]);
    first = cpus;
    while (first < CPUS_MAX && idle[first] == 0) {
        first++;
    }
    CHECK(first == CPUS_MAX, "processor %lu was idle", first);
}

static void check_hostile(void)
{
    static void *const bad[] = {
        NULL,
        (void *)0x700000001000UL,     /* unmapped */
        (void *)0xffff830000001000UL, /* the hypervisor's */
        (void *)0x0000900000000000UL, /* not canonical */
        (void *)0xfffffffffffffff8UL,
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        long rc = ask_at(bad[i], 64, idle);

        CHECK(rc == -XEN_EFAULT, "a map at %p: %ld", bad[i], rc);
        map[0] = 4;
        rc = ask_at(map, 64, bad[i]);
        CHECK(rc == -XEN_EFAULT, "times at %p: %ld", bad[i], rc);
    }
    /* Who is not there has an entry all the same. */
    map[1] = 1UL << 63;
    map[0] = 0;
    CHECK(ask_at(map, 128, (void *)-1024L) == -XEN_EFAULT, "times that wrap");
    map[0] = 4;
    idle[2] = MARK;
    CHECK(ask_at(map, CPUS_MAX + 1, idle) == -XEN_EINVAL &&
              ask_at(map, ~0U, idle) == -XEN_EINVAL && map[0] == 4 &&
              idle[2] == MARK,
          "too large a set is taken");
    /* A map that ends where nothing is: before, all is there. */
    CHECK(mm_protect(&map[512], 0) == 0, "unmap");
    memset(map, 0, PAGE_SIZE);
    CHECK(ask_at(map, 512 * 64 + 1, idle) == -XEN_EFAULT, "half a map");
    CHECK(mm_protect(&map[512], PTE_FLAGS_DATA) == 0, "map");
    CHECK(mm_protect(map, PTE_FLAGS_RO) == 0, "read-only");
    CHECK(ask_at(map, 64, idle) == -XEN_EFAULT, "a map for reading");
    CHECK(mm_protect(map, PTE_FLAGS_DATA) == 0, "writable");
}

static long hotplug(uint32_t cmd, unsigned int cpu)
{
    struct xen_platform_op op = {.u.cpu_ol.cpuid = cpu};

    return platform(&op, cmd);
}

static void check_offline(void)
{
    unsigned int last = cpus - 1;
    uint64_t before, there = (1UL << cpus) - 1;
    long rc;

    CHECK(ask(~0UL, 64) == 0, "getidletime");
    before = idle[last];
    rc = hotplug(XENPF_cpu_offline, last);
    CHECK(rc == 0, "processor %u goes offline: %ld", last, rc);
    CHECK(ask(~0UL, 64) == 0 && map[0] == there >> 1 && idle[last] == 0,
          "offline, it is in %lx and was idle for %lu", map[0], idle[last]);
    rc = hotplug(XENPF_cpu_online, last);
    CHECK(rc == 0, "processor %u comes back: %ld", last, rc);
    CHECK(ask(~0UL, 64) == 0 && map[0] == there && idle[last] >= before,
          "back, it is in %lx and was idle for %lu, before %lu", map[0],
          idle[last], before);
}

void stub_main(void)
{
    uint64_t end;

    cpus = vcpus_there();
    if (!stub_is_dom0() || cpus < 3) {
        report(VERDICT_SKIP, "for Dom0 with 3 processors or more");
        return;
    }
    for (unsigned int i = 0; i < 2; i++) {
        hc_vcpu_op(VCPUOP_stop_periodic_timer, i, NULL);
        if (!CHECK(tiny_set_affinity(0, i, 1UL << i, TINY_ALL_CPUS) == 0,
                   "pin vcpu %u", i)) {
            return;
        }
    }
    if (!CHECK(vcpu_start(1, hog) == 0, "start vcpu 1")) {
        return;
    }
    end = time_now_ns() + 60 * NS_PER_SEC;
    while (READ_ONCE(at_work) == 0 && time_now_ns() < end) {
        __asm__ volatile("pause");
    }
    CHECK(READ_ONCE(at_work) != 0, "vcpu 1 does not run");
    check_times(cmdline_number("ms", 200) * NS_PER_MS);
    check_map();
    check_hostile();
    check_offline();
    report(VERDICT_SUCCESS, "%u processors", cpus);
}
