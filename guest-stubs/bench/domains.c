/* SPDX-License-Identifier: MIT */
/*
 * bench/domains.c - domctl: domains without a vcpu, with memory, with a life.
 *
 * What a step leaves to be done in idle time (scrubbing, late frees) is given
 * that time outside the bracket, the same on every hypervisor.
 */
#include "tiny.h"

#define PAGES_2MIB  512
#define PAGES_A_MIB 256
#define ORDER_2MIB  9
#define EXTENTS_MAX 64

#define NS_PER_MS     1000000UL
#define IDLE_NS_A_MIB 500000UL /* Debian's Xen scrubs a MiB in half of it */

static xen_pfn_t small[PAGES_2MIB], large[EXTENTS_MAX];
static uint64_t destroyed[BENCH_MAX];
static struct tiny tiny;
static evtchn_port_t dom_exc; /* VIRQ_DOM_EXC: somebody died */

static void info(void)
{
    struct xen_sysctl physinfo = {
        .cmd = XEN_SYSCTL_physinfo,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
    };
    struct xen_domctl op = {.cmd = 0};

    BENCH("sysctl_physinfo", BENCH_MANY, ,
          hypercall2(__HYPERVISOR_sysctl, (unsigned long)&physinfo, 0));
    BENCH("domctl_getdomaininfo_self", BENCH_MANY, ,
          tiny_domctl(0, &op, XEN_DOMCTL_getdomaininfo));
}

static bool empty(void)
{
    long rc = tiny_create(&tiny);

    if (rc) {
        bench_absent("dom_create_empty", rc);
        return false;
    }
    BENCH("dom_create_empty", BENCH_MANY, tiny_destroy(&tiny),
          tiny_create(&tiny));
    tiny_destroy(&tiny);
    BENCH("dom_destroy_empty", BENCH_MANY, tiny_create(&tiny),
          tiny_destroy(&tiny));
    tiny_create(&tiny);
    BENCH("dom_max_vcpus_1", BENCH_MANY,
          (tiny_destroy(&tiny), tiny_create(&tiny)), tiny_max_vcpus(&tiny));
    tiny_destroy(&tiny);
    return true;
}

/*
 * A domain of 512 pages one by one and @extents of 2 MiB.  The time of the
 * last populate is returned, 0 if it was not complete.
 */
static uint64_t big_life(unsigned int extents, uint64_t *ret_destroy)
{
    unsigned long want = PAGES_2MIB + (unsigned long)extents * PAGES_2MIB;
    unsigned int i;
    uint64_t t0, t1;
    bool done;

    for (i = 0; i < PAGES_2MIB; i++) {
        small[i] = i;
    }
    for (i = 0; i < extents; i++) {
        large[i] = PAGES_2MIB * (i + 1UL);
    }
    if (tiny_create(&tiny)) {
        return 0;
    }
    tiny_max_mem(&tiny, want);
    t0 = bench_tsc();
    done = tiny_populate(&tiny, small, PAGES_2MIB, 0) == PAGES_2MIB;
    t1 = bench_tsc();
    if (extents) {
        t0 = bench_tsc();
        done =
            done && tiny_populate(&tiny, large, extents, ORDER_2MIB) == extents;
        t1 = bench_tsc();
    }
    tiny_destroy(&tiny);
    *ret_destroy = tiny.tsc[TINY_DESTROY];
    time_sleep_ns(NS_PER_MS + want / 256 * IDLE_NS_A_MIB);
    return done ? t1 - t0 : 0;
}

static void big(const char *populate, const char *destroy, unsigned int extents)
{
    unsigned int i, count = bench_count(BENCH_MANY);
    bool want_destroy = bench_begin(destroy);
    bool want_populate = bench_begin(populate);

    if (!want_populate && !want_destroy) {
        return;
    }
    for (i = 0; i < count; i++) {
        uint64_t tsc = big_life(extents, &destroyed[i]);

        if (!tsc) {
            bench_absent(populate, 0);
            return;
        }
        bench_sample(tsc);
    }
    if (want_populate) {
        bench_end();
    }
    if (bench_begin(destroy)) {
        for (i = 0; i < count; i++) {
            bench_sample(destroyed[i]);
        }
        bench_end();
    }
}

/* createdomain to the last of so many single pages; 0: it was not complete. */
static uint64_t made(unsigned int mib)
{
    unsigned long pages = mib * PAGES_A_MIB, done, i;
    uint64_t t0 = bench_tsc(), t1;
    bool good = tiny_create(&tiny) == 0 && tiny_max_vcpus(&tiny) == 0 &&
                tiny_max_mem(&tiny, pages) == 0;

    for (done = 0; good && done < pages; done += PAGES_A_MIB) {
        for (i = 0; i < PAGES_A_MIB; i++) {
            small[i] = done + i;
        }
        good = tiny_populate(&tiny, small, PAGES_A_MIB, 0) == PAGES_A_MIB;
    }
    t1 = bench_tsc();
    tiny_destroy(&tiny);
    time_sleep_ns(NS_PER_MS + mib * IDLE_NS_A_MIB);
    return good ? t1 - t0 : 0;
}

/* What a page costs shows between two sizes. */
static void make(const char *name, unsigned int mib, unsigned int count)
{
    unsigned int left = bench_count(count);

    if (!bench_begin(name)) {
        return;
    }
    while (left--) {
        uint64_t tsc = made(mib);

        if (!tsc) {
            bench_absent(name, 0);
            return;
        }
        bench_sample(tsc);
    }
    bench_end();
}

/* One whole life; the time of each step is in tiny.tsc. */
static long life(uint64_t *ret_total)
{
    uint64_t start, t0;
    long rc;

    evtchn_clear(dom_exc);
    start = bench_tsc();
    rc = tiny_build(&tiny, TINY_SHUTS_DOWN);
    if (rc) {
        return rc;
    }
    t0 = bench_tsc();
    rc = tiny_unpause(&tiny);
    tiny_await(dom_exc);
    tiny.tsc[TINY_RUN] = bench_tsc() - t0;
    tiny_destroy(&tiny);
    *ret_total = bench_tsc() - start;
    return rc;
}

static void lives(const char *name, enum tiny_step step)
{
    unsigned int left = bench_count(BENCH_MANY);

    if (!bench_begin(name)) {
        return;
    }
    while (left--) {
        uint64_t total = 0;
        long rc = life(&total);

        if (rc) {
            bench_absent(name, rc);
            return;
        }
        bench_sample(step == TINY_STEPS ? total : tiny.tsc[step]);
        time_sleep_ns(NS_PER_MS);
    }
    bench_end();
}

static void all_lives(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_DOM_EXC, .vcpu = 0};
    long rc = hc_evtchn_op(EVTCHNOP_bind_virq, &bind);

    if (rc) {
        bench_absent("life_total_create_run_destroy", rc);
        return;
    }
    dom_exc = bind.port;
    lives("life_createdomain", TINY_CREATE);
    lives("life_maxvcpus_maxmem", TINY_VCPU);
    lives("life_populate_6p", TINY_POPULATE);
    lives("life_pin_l4", TINY_PIN);
    lives("life_setvcpucontext", TINY_CONTEXT);
    lives("life_unpause_run_shutdown_event", TINY_RUN);
    lives("life_destroy", TINY_DESTROY);
    lives("life_total_create_run_destroy", TINY_STEPS);
}

static void run(void)
{
    info();
    if (!empty()) {
        return;
    }
    big("populate_512x4K_2MiB", "dom_destroy_2MiB", 0);
    big("populate_1x2M", "dom_destroy_4MiB", 1);
    big("populate_4x2M", "dom_destroy_10MiB", 4);
    big("populate_16x2M", "dom_destroy_34MiB", 16);
    big("populate_64x2M", "dom_destroy_130MiB", 64);
    make("create_1MiB", 1, BENCH_MANY);
    make("create_16MiB", 16, 100);
    make("create_256MiB", 256, 10);
    tiny_window_open();
    all_lives();
    bench_domains_growth();
}

const struct bench_area bench_domains = {"domains", run};
