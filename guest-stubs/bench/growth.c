/* SPDX-License-Identifier: MIT */
/*
 * bench/growth.c - does the number of domains cost those that do nothing with
 * them?  Up to 250 domains that have run and are blocked; the events go to the
 * oldest of them.
 */
#include "tiny.h"

#define DOMAINS_MAX 250U
#define MEMORY_OF   100U /* domains, for the bytes of one */
#define NS_PER_US   1000UL
#define FAR_NS      3600000000000UL

static const unsigned int counts[] = {1, 10, 100, DOMAINS_MAX};

static struct tiny domains[DOMAINS_MAX];
static unsigned int alive;
static evtchn_port_t to_oldest[TINY_PORTS]; /* by the port at its end */

/* Until everybody else has nothing more to do; false: somebody has. */
static bool settle(const struct tiny *t)
{
    struct xen_domctl_getdomaininfo info;
    unsigned int tries;

    for (tries = 0; tries < 100; tries++) {
        time_sleep_ns(20 * NS_PER_US);
        if (!tiny_info(t->domid, &info) && info.domain == t->domid &&
            (info.flags & XEN_DOMINF_blocked) &&
            !(info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown)) &&
            info.cpu_time) {
            return true;
        }
    }
    return false;
}

static bool grow(unsigned int count)
{
    while (alive < count) {
        struct tiny *t = &domains[alive];

        if (tiny_build(t, TINY_STAYS)) {
            return false;
        }
        alive++;
        if (tiny_unpause(t) || !settle(t)) {
            print("bench: d%u does not come to rest\n", t->domid);
            return false;
        }
    }
    return true;
}

static bool connect(const struct tiny *t, evtchn_port_t port)
{
    struct evtchn_alloc_unbound theirs = {
        .dom = t->domid,
        .remote_dom = DOMID_SELF,
    };
    struct evtchn_bind_interdomain ours = {.remote_dom = t->domid};

    if (hc_evtchn_op(EVTCHNOP_alloc_unbound, &theirs) || theirs.port != port) {
        return false;
    }
    ours.remote_port = theirs.port;
    if (hc_evtchn_op(EVTCHNOP_bind_interdomain, &ours)) {
        return false;
    }
    to_oldest[port] = ours.local_port;
    return true;
}

/* There and back: both sides block, and both are woken by an upcall. */
static void pingpong(const char *name)
{
    evtchn_port_t port = to_oldest[TINY_PORT_ECHO];

    evtchn_clear(port);
    if (evtchn_unmask(port)) {
        return;
    }
    BENCH(name, BENCH_MANY, (events_disable(), settle(&domains[0])),
          (hc_evtchn_send(port), hc_sched_op(SCHEDOP_block, NULL)));
    events_disable();
    evtchn_mask(port);
}

/* The page a domain shares, mapped over one of ours. */
static union shared_info_area theirs __attribute__((aligned(PAGE_SIZE)));

static long map_shared(const struct tiny *t)
{
    struct xen_domctl_getdomaininfo info;
    long rc = tiny_info(t->domid, &info);

    return rc ? rc
              : hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                           (unsigned long)&theirs,
                           info.shared_info_frame << PAGE_SHIFT |
                               PTE_FLAGS_DATA,
                           UVMF_INVLPG, t->domid, 0);
}

static void name_of(char *buf, size_t size, const char *what, unsigned int n)
{
    format(buf, size, "%s_with_%u", what, n);
}

static void measure(unsigned int n)
{
    struct xen_domctl op = {.cmd = 0};
    uint64_t later = time_now_ns() + FAR_NS;
    struct tiny extra = {0};
    char name[64];

    name_of(name, sizeof(name), "domain_lookup_oldest", n);
    BENCH(name, BENCH_MANY, ,
          tiny_domctl(domains[0].domid, &op, XEN_DOMCTL_get_address_size));
    name_of(name, sizeof(name), "evtchn_send_other", n);
    theirs.info.evtchn_mask[0] |= 1UL << TINY_PORT_QUIET;
    BENCH(name, BENCH_MANY, theirs.info.evtchn_pending[0] = 0,
          hc_evtchn_send(to_oldest[TINY_PORT_QUIET]));
    name_of(name, sizeof(name), "wakeup_other", n);
    BENCH(name, BENCH_MANY, settle(&domains[0]),
          hc_evtchn_send(to_oldest[TINY_PORT_WAKE]));
    settle(&domains[0]);
    name_of(name, sizeof(name), "evtchn_pingpong", n);
    pingpong(name);
    name_of(name, sizeof(name), "set_timer_op", n);
    BENCH(name, BENCH_MANY, , hc_set_timer_op(later));
    hc_set_timer_op(0);
    name_of(name, sizeof(name), "yield", n);
    BENCH(name, BENCH_MANY, , hc_sched_op(SCHEDOP_yield, NULL));
    if (tiny_create(&extra)) {
        return;
    }
    name_of(name, sizeof(name), "dom_create", n);
    BENCH(name, BENCH_MANY, tiny_destroy(&extra), tiny_create(&extra));
    tiny_destroy(&extra);
}

static unsigned int count_alive(void)
{
    struct xen_domctl_getdomaininfo info = {.domain = 0};
    unsigned int count = 0;

    while (!tiny_info((domid_t)(info.domain + 1), &info)) {
        count += !(info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying));
    }
    return count;
}

static bool prepare(void)
{
    evtchn_port_t port;

    if (!grow(1)) {
        return false;
    }
    for (port = TINY_PORT_ECHO; port < TINY_PORTS; port++) {
        if (!connect(&domains[0], port)) {
            return false;
        }
    }
    return map_shared(&domains[0]) == 0;
}

static void memory(void)
{
    uint64_t before = tiny_free_pages();
    unsigned int first = alive;

    if (grow(first + MEMORY_OF)) {
        bench_value("hypervisor_bytes_per_domain",
                    (before - tiny_free_pages() - MEMORY_OF * TINY_PAGES) *
                        PAGE_SIZE / MEMORY_OF);
    }
}

void bench_domains_growth(void)
{
    unsigned int i;

    if (!prepare()) {
        bench_absent("domains_alive", -1);
        return;
    }
    pingpong("interdomain_evtchn_pingpong_roundtrip");
    for (i = 0; i < ARRAY_SIZE(counts); i++) {
        if (!grow(counts[i])) {
            break;
        }
        measure(counts[i]);
        if (counts[i] == MEMORY_OF) {
            memory();
        }
    }
    bench_value("domains_alive", count_alive());
    mm_protect(&theirs, 0);
    while (alive) {
        tiny_destroy(&domains[--alive]);
    }
}
