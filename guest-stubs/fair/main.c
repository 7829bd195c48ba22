/* SPDX-License-Identifier: MIT */
/*
 * fair - each domain gets its share of the processors.
 *
 * Claim: by weight, however many vcpus a domain has; a cap holds; who wants
 * less than its share gets all of that; affinity is kept, and the soft kind
 * leaves no processor idle.
 * Plan: Dom0 makes tiny guests (bench/tiny.h) that run for ever, and compares
 * what each got while it slept with what it should have got: what those leave
 * that have a cap or little to do, by weight.
 * `ms=N` is measured (1000), after half of that, and `percent=N` (5) allowed.
 * A machine that is away for a while, as an emulator is, makes that wrong for a
 * moment: what has been got since the beginning is looked at every N ms, until
 * it is right or `until=N` ms (10000) are over.
 * Words choose from: even odd weights vcpus mixed caps light soft lean pins.
 */
#include "../bench/tiny.h"

const char stub_name[] = "fair";

#define GUESTS     16U
#define CPU        1000000UL /* unit of shares: millionths of a processor */
#define WEIGHT     256U
#define LIGHT_TURN (20 * NS_PER_MS)
#define LIGHT_WORK NS_PER_MS

/* One guest: what is asked for, what it should get and what it has had. */
struct guest {
    struct tiny tiny;
    unsigned int weight, cap;
    uint64_t hard, soft; /* masks of processors; 0: all */
    bool light;
    uint64_t wanted; /* 0: of what the limited ones leave, by weight */
    uint64_t before_ns, after_ns;
};

static struct guest guests[GUESTS];
static unsigned int guest_count, cpus;
static uint64_t span_ns, until_ns, percent;
static unsigned int scenarios;

static uint64_t tsc_of(uint64_t ns)
{
    uint64_t begin = time_now_ns(), tsc = bench_tsc(), end;

    while (time_now_ns() - begin < 10 * NS_PER_MS) {
    }
    end = time_now_ns();
    return (bench_tsc() - tsc) * ns / (end - begin);
}

/* Is the scenario asked for?  Then there is no guest yet. */
static bool begin(const char *name)
{
    static const char *const all[] = {"even",  "odd",  "weights", "vcpus",
                                      "mixed", "caps", "light",   "soft",
                                      "lean",  "pins"};
    bool any = false;

    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
        any |= cmdline_has(all[i]);
    }
    guest_count = 0;
    return !any || cmdline_has(name);
}

static struct guest *add(unsigned int vcpus, unsigned int weight)
{
    struct guest *g = &guests[guest_count++];

    memset(g, 0, sizeof(*g));
    g->tiny.vcpus = vcpus;
    g->weight = weight;
    return g;
}

static void add_many(unsigned int count, unsigned int vcpus,
                     unsigned int weight)
{
    while (count--) {
        (void)add(vcpus, weight);
    }
}

static long set_share(const struct guest *g)
{
    struct xen_domctl op = {.u.scheduler_op = {
                                .sched_id = XEN_SCHEDULER_CREDIT2,
                                .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                .u.credit2 = {.weight = (uint16_t)g->weight,
                                              .cap = (uint16_t)g->cap},
                            }};

    return tiny_domctl(g->tiny.domid, &op, XEN_DOMCTL_scheduler_op);
}

/* Dom0's end of the channel that a light guest works by; 0: none */
static evtchn_port_t connect(const struct guest *g)
{
    struct evtchn_alloc_unbound theirs = {.dom = g->tiny.domid,
                                          .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain ours = {.remote_dom = g->tiny.domid};

    if (hc_evtchn_op(EVTCHNOP_alloc_unbound, &theirs)) {
        return 0;
    }
    ours.remote_port = theirs.port;
    return hc_evtchn_op(EVTCHNOP_bind_interdomain, &ours) ? 0 : ours.local_port;
}

static bool build_all(void)
{
    for (unsigned int i = 0; i < guest_count; i++) {
        struct guest *g = &guests[i];
        long rc = tiny_build(&g->tiny, g->light ? TINY_WORKS : TINY_HOG);

        for (unsigned int v = 0; v < g->tiny.vcpus && !rc; v++) {
            rc = tiny_set_affinity(g->tiny.domid, v,
                                   g->hard ? g->hard : TINY_ALL_CPUS,
                                   g->soft ? g->soft : TINY_ALL_CPUS);
        }
        if (!rc) {
            rc = set_share(g);
        }
        if (!CHECK(rc == 0, "guest %u: %ld", i, rc)) {
            guest_count = i;
            return false;
        }
    }
    for (unsigned int i = 0; i < guest_count; i++) {
        CHECK(tiny_unpause(&guests[i].tiny) == 0, "unpause");
    }
    return true;
}

static void destroy_all(void)
{
    for (unsigned int i = 0; i < guest_count; i++) {
        CHECK(tiny_destroy(&guests[i].tiny) == 0, "destroy");
    }
}

/* The most it may have, if that is less than its share. */
static uint64_t limit_of(const struct guest *g)
{
    return g->light ? LIGHT_WORK * CPU / LIGHT_TURN : g->cap * (CPU / 100);
}

static uint64_t got(const struct guest *g, uint64_t passed_ns)
{
    return (g->after_ns - g->before_ns) * CPU / passed_ns;
}

/* What it should have got: of what the limited ones have left, by weight. */
static uint64_t wanted(const struct guest *g, uint64_t passed_ns)
{
    uint64_t left = cpus * CPU, weights = 0;

    if (g->wanted || limit_of(g)) {
        return g->wanted ? g->wanted : limit_of(g);
    }
    for (unsigned int i = 0; i < guest_count; i++) {
        if (limit_of(&guests[i])) {
            left -= got(&guests[i], passed_ns);
        } else {
            weights += guests[i].weight;
        }
    }
    return left * g->weight / weights;
}

static uint64_t used_ns(const struct guest *g)
{
    struct xen_domctl_getdomaininfo info;

    return tiny_info(g->tiny.domid, &info) ? 0 : info.cpu_time;
}

/* Sleep, sending the light ones their events. */
static void pass(uint64_t ns, const evtchn_port_t *port)
{
    uint64_t next = time_now_ns(), end = next + ns;

    while (next < end) {
        for (unsigned int i = 0; i < guest_count; i++) {
            if (port[i]) {
                hc_evtchn_send(port[i]);
            }
        }
        next += LIGHT_TURN;
        while (time_now_ns() < next) {
            time_sleep_ns(next - time_now_ns());
        }
    }
}

/*
 * In hundredths of a per cent.  The time a machine is away is lost to a cap,
 * and looks like work of a light one: more than the cap is what is wrong, and
 * less than the work.
 */
static uint64_t off_by(const struct guest *g, uint64_t passed_ns)
{
    uint64_t has = got(g, passed_ns), should = wanted(g, passed_ns);

    if ((g->light && has > should) ||
        (g->cap && has < should && has >= should / 4 * 3)) {
        return 0;
    }
    return (has > should ? has - should : should - has) * 10000 / should;
}

static uint64_t worst_of_all(uint64_t passed_ns)
{
    uint64_t worst = 0;

    for (unsigned int i = 0; i < guest_count; i++) {
        uint64_t off = off_by(&guests[i], passed_ns);

        worst = off > worst ? off : worst;
    }
    return worst;
}

static void compare(const char *name, uint64_t passed_ns)
{
    uint64_t worst = worst_of_all(passed_ns);

    for (unsigned int i = 0; i < guest_count; i++) {
        const struct guest *g = &guests[i];

        CHECK(off_by(g, passed_ns) <= percent * 100,
              "%s: guest %u, weight %u, cap %u, %u vcpus: got %lu of %lu "
              "millionths of a CPU",
              name, i, g->weight, g->cap, g->tiny.vcpus, got(g, passed_ns),
              wanted(g, passed_ns));
    }
    print("fair: %s: %u guests on %u CPUs for %lu ms: off by %lu.%02lu %% at "
          "most\n",
          name, guest_count, cpus, passed_ns / NS_PER_MS, worst / 100,
          worst % 100);
}

/* Each on the one processor it likes? */
static void check_places(const char *name)
{
    for (unsigned int i = 0; i < guest_count; i++) {
        const struct guest *g = &guests[i];
        struct xen_domctl op = {.u.getvcpuinfo.vcpu = 0};
        long rc = tiny_domctl(g->tiny.domid, &op, XEN_DOMCTL_getvcpuinfo);

        CHECK(rc == 0 && (g->soft >> op.u.getvcpuinfo.cpu & 1),
              "%s: guest %u likes %lx and is on CPU %u", name, i, g->soft,
              op.u.getvcpuinfo.cpu);
    }
}

static void measure(const char *name, bool places)
{
    static evtchn_port_t port[GUESTS];
    uint64_t start, end;

    if (build_all()) {
        for (unsigned int i = 0; i < guest_count; i++) {
            port[i] = guests[i].light ? connect(&guests[i]) : 0;
            CHECK(port[i] || !guests[i].light, "no channel");
        }
        pass(span_ns / 2, port);
        start = time_now_ns();
        for (unsigned int i = 0; i < guest_count; i++) {
            guests[i].before_ns = used_ns(&guests[i]);
        }
        do {
            pass(span_ns, port);
            end = time_now_ns();
            for (unsigned int i = 0; i < guest_count; i++) {
                guests[i].after_ns = used_ns(&guests[i]);
            }
        } while (end - start < until_ns &&
                 worst_of_all(end - start) > percent * 100);
        compare(name, end - start);
        if (places) {
            check_places(name);
        }
        for (unsigned int i = 0; i < guest_count; i++) {
            if (port[i]) {
                hc_evtchn_close(port[i]);
            }
        }
    }
    destroy_all();
    scenarios++;
}

static void shares(void)
{
    if (begin("even")) {
        add_many(cpus == 1 ? 7 : 4 * cpus, 1, WEIGHT);
        measure("even", false);
    }
    if (begin("odd")) {
        add_many(2 * cpus + 1, 1, WEIGHT);
        measure("odd", false);
    }
    if (begin("weights")) {
        add_many(cpus, 1, 2 * WEIGHT);
        add_many(2 * cpus, 1, WEIGHT);
        measure("weights", false);
    }
    if (begin("vcpus")) {
        add_many(cpus, 2, WEIGHT);
        add_many(1, 2, 2 * WEIGHT);
        measure("vcpus", false);
    }
    if (begin("mixed")) {
        add_many(1, 4, WEIGHT);
        add_many(2 * cpus - 1, 1, WEIGHT);
        measure("mixed", false);
    }
}

static void limits(void)
{
    if (begin("caps")) {
        add(1, WEIGHT)->cap = 10;
        add(2, WEIGHT)->cap = 20;
        add_many(2 * cpus, 1, WEIGHT);
        measure("caps", false);
    }
    if (begin("light")) {
        add_many(4 * cpus - 1, 1, WEIGHT);
        guests[0].light = true;
        guests[0].tiny.work_tsc = tsc_of(LIGHT_WORK);
        measure("light", false);
    }
}

static void affinity(void)
{
    if (begin("soft") && cpus > 1) {
        /* Out of their way: who is moved off stays where it is then. */
        CHECK(tiny_set_affinity(0, 0, 1, TINY_ALL_CPUS) == 0, "pin Dom0");
        for (unsigned int i = 1; i < cpus; i++) {
            struct guest *g = add(1, WEIGHT);

            g->soft = 1UL << (cpus - i);
            g->wanted = CPU;
        }
        measure("soft", true);
        CHECK(tiny_set_affinity(0, 0, TINY_ALL_CPUS, TINY_ALL_CPUS) == 0,
              "let Dom0 go");
    }
    if (begin("lean") && cpus > 1) {
        for (unsigned int i = 0; i < cpus; i++) {
            add(1, WEIGHT)->soft = 1;
        }
        measure("lean", false);
    }
    if (begin("pins") && cpus > 1) {
        for (unsigned int i = 0; i < 2; i++) {
            add(1, WEIGHT)->hard = 1;
            guests[i].wanted = CPU / 2;
        }
        add_many(cpus - 1, 1, WEIGHT);
        for (unsigned int i = 2; i < guest_count; i++) {
            guests[i].wanted = CPU;
        }
        measure("pins", false);
    }
}

void stub_main(void)
{
    if (!stub_is_dom0()) {
        report(VERDICT_SKIP, "only Dom0 may make guests");
        return;
    }
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    span_ns = cmdline_number("ms", 1000) * NS_PER_MS;
    until_ns = cmdline_number("until", 10000) * NS_PER_MS;
    percent = cmdline_number("percent", 5);
    cpus = tiny_cpus();
    if (cpus > 4) {
        report(VERDICT_ERROR, "made for 4 processors at most");
        return;
    }
    tiny_window_open();
    shares();
    limits();
    affinity();
    report(VERDICT_SUCCESS, "%u scenarios on %u CPUs", scenarios, cpus);
}
