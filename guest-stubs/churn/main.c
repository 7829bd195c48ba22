/* SPDX-License-Identifier: MIT */
/*
 * churn - domains come and go, and leave nothing behind.
 *
 * Claim: whatever a domain has taken, given and mapped, and however it ends,
 * when it is gone the hypervisor has as much memory, as many objects, timers,
 * ports and mappings as before, and Dom0 has its own back.  Its end is taken
 * in steps: Dom0's events need not wait for it.
 * Plan: `n=N` (100) guests one after the other, with grants of either version
 * both ways, ports of every kind, timers, several vcpus, page tables pinned,
 * descriptor tables, registered areas; they block, run, make hypercalls, are
 * paused, power off, crash, are killed, or have never run; some are destroyed
 * while they run elsewhere, some while Dom0 maps their pages.  What the
 * hypervisor holds is counted by vigil_op; elsewhere by its free pages.
 * `steps=MIB`: that, instead, of a guest so large, see steps.c.
 */
#include "churn.h"

#include <vigil/vigil_op.h>

const char stub_name[] = "churn";

#define WARM_UP    (3 * END_COUNT)
#define DOMID_STEP 256U

static const char *const end_name[END_COUNT] = {
    [END_BLOCK] = "blocked",        [END_POLL] = "polling",
    [END_HOG] = "running",          [END_CALLS] = "in hypercalls",
    [END_POWEROFF] = "powered off", [END_CRASH] = "crashed",
    [END_KILLED] = "killed",        [END_SUSPEND] = "suspended",
    [END_PAUSED] = "paused",        [END_UNBORN] = "never run",
};
static unsigned int ended[END_COUNT], elsewhere, held;

struct counts {
    uint64_t free_pages;
    bool more; /* the hypervisor tells */
    struct vigil_op_holdings held;
};

/*
 * What a hypervisor has for the finding of domains may grow with the largest
 * number a domain ever had: before anything is counted, one has had each.
 */
static void touch_domids(unsigned int count)
{
    for (unsigned int domid = DOMID_STEP; domid < count + DOMID_STEP;
         domid += DOMID_STEP) {
        struct xen_domctl op = {.u.createdomain = {.max_vcpus = 1,
                                                   .max_evtchn_port = 1023,
                                                   .max_grant_frames = 1,
                                                   .max_maptrack_frames = 1,
                                                   .grant_opts = 1}};
        struct tiny t = {.domid = (domid_t)domid};

        CHECK(tiny_domctl(t.domid, &op, XEN_DOMCTL_createdomain) == 0 &&
                  tiny_destroy(&t) == 0,
              "domain %u", domid);
    }
}

/* Idle time first: what is late comes. */
static void look(struct counts *c)
{
    time_sleep_ns(2 * NS_PER_MS);
    c->more = hypercall2(VIGIL_HYPERCALL, VIGIL_OP_holdings,
                         (unsigned long)&c->held) == 0;
    c->free_pages = tiny_free_pages();
}

static const struct {
    const char *name;
    size_t at;
} holdings[] = {
    {"domains", offsetof(struct vigil_op_holdings, domains)},
    {"vcpus", offsetof(struct vigil_op_holdings, vcpus)},
    {"ports", offsetof(struct vigil_op_holdings, ports)},
    {"timers", offsetof(struct vigil_op_holdings, timers)},
    {"grants in use", offsetof(struct vigil_op_holdings, grants_in_use)},
    {"grants mapped", offsetof(struct vigil_op_holdings, grants_mapped)},
    {"pages of domains", offsetof(struct vigil_op_holdings, domain_frames)},
    {"objects", offsetof(struct vigil_op_holdings, heap_objects)},
    {"bytes of objects", offsetof(struct vigil_op_holdings, heap_bytes)},
    {"pages of no object", offsetof(struct vigil_op_holdings, other_frames)},
};

static uint64_t value(const struct counts *c, unsigned int i)
{
    uint64_t v;

    memcpy(&v, (const char *)&c->held + holdings[i].at, sizeof(v));
    return v;
}

static bool same(const struct counts *a, const struct counts *b)
{
    for (unsigned int i = 0; a->more && i < ARRAY_SIZE(holdings); i++) {
        if (value(a, i) != value(b, i)) {
            return false;
        }
    }
    return a->more || a->free_pages == b->free_pages;
}

/* At rest: a processor that is just going idle has a timer more. */
static void rest(struct counts *c)
{
    struct counts now;

    look(c);
    for (unsigned int i = 0; i < 20; i++) {
        look(&now);
        if (now.more && now.held.timers < c->held.timers) {
            *c = now;
        }
    }
}

static void compare(const struct counts *before)
{
    struct counts after;

    for (unsigned int i = 0; i < 500; i++) {
        look(&after);
        if (same(before, &after)) {
            break;
        }
    }
    for (unsigned int i = 0; before->more && i < ARRAY_SIZE(holdings); i++) {
        CHECK(value(before, i) == value(&after, i), "%s: %lu before, %lu after",
              holdings[i].name, value(before, i), value(&after, i));
        print("churn: %lu %s\n", value(&after, i), holdings[i].name);
    }
    print("churn: %lu free pages before, %lu after\n", before->free_pages,
          after.free_pages);
    /* Objects may lie in other pages of objects than before. */
    CHECK(before->more ? after.held.heap_frames + after.free_pages ==
                             before->held.heap_frames + before->free_pages
                       : after.free_pages == before->free_pages,
          "%ld pages are lost", (long)(before->free_pages - after.free_pages));
    CHECK(!before->more ||
              after.held.heap_frames <= before->held.heap_frames + 14,
          "%lu pages of objects, and %lu before", after.held.heap_frames,
          before->held.heap_frames);
}

static bool one(unsigned int i, uint64_t *seed, unsigned int cpus)
{
    struct visit v = {
        .take = (uint32_t)draw(seed, TAKE_EVERYTHING + 1),
        .end = (enum visitor_end)(i % END_COUNT),
        .vcpus = 1 + (unsigned int)draw(seed, VISITOR_VCPUS),
        .large = draw(seed, 4) == 0,
        .elsewhere = cpus > 1 && draw(seed, 2),
        .held = draw(seed, 2),
    };

    if (i / END_COUNT % 3 == 0) {
        v.take = TAKE_EVERYTHING;
        v.vcpus = VISITOR_VCPUS;
        v.large = true;
    }
    ended[v.end]++;
    elsewhere += v.elsewhere && (v.end == END_HOG || v.end == END_CALLS);
    held += v.held && v.end != END_UNBORN;
    return visit(&v);
}

static void churn(unsigned int count)
{
    struct counts before;
    uint64_t seed = 5, since;
    unsigned int cpus = tiny_cpus();

    if (!visit_begin()) {
        return;
    }
    /* What is kept for the next ones is there after these. */
    for (unsigned int i = 0; i < WARM_UP; i++) {
        if (!one(i, &seed, cpus)) {
            return;
        }
    }
    memset(ended, 0, sizeof(ended));
    elsewhere = held = 0;
    touch_domids(WARM_UP + count);
    rest(&before);
    since = time_now_ns();
    for (unsigned int i = 0; i < count; i++) {
        if (!one(i, &seed, cpus)) {
            print("churn: it was the %uth\n", i);
            return;
        }
    }
    print("churn: %u guests in %lu ms; %u while they ran elsewhere, %u while "
          "Dom0 mapped them\n",
          count, (time_now_ns() - since) / NS_PER_MS, elsewhere, held);
    for (unsigned int i = 0; i < END_COUNT; i++) {
        print("churn: %u %s\n", ended[i], end_name[i]);
    }
    compare(&before);
    report(VERDICT_SUCCESS, "%u guests, nothing is left", count);
}

void stub_main(void)
{
    unsigned int mib = (unsigned int)cmdline_number("steps", 0);

    if (!stub_is_dom0()) {
        report(VERDICT_SKIP, "for Dom0");
        return;
    }
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    if (mib) {
        steps(mib);
    } else {
        churn((unsigned int)cmdline_number("n", 100));
    }
}
