/* SPDX-License-Identifier: MIT */
/*
 * churn/steps.c - how long events wait while something long is done.
 *
 * A timer is set to go off a little while after each of its upcalls, at
 * another moment each time.  How late the upcall comes is how far the
 * hypervisor went without asking whether something else is to be done.  It
 * must go on, too: an operation that begins anew each time would never end.
 * Under -icount shift=0 a nanosecond is an instruction.
 */
#include "churn.h"

#define ORDER_2MIB  9
#define EXTENTS_MAX 512U
#define TABLES_MAX  (EXTENTS_MAX + 4)
#define LEAST_NS    6000U /* back into the call, and a part of a step */
#define SPREAD_NS   9000U
#define PORTS       1000U

static struct tiny tiny;
static xen_pfn_t extent[EXTENTS_MAX], tables[TABLES_MAX];
static unsigned int extents;
static uint64_t window[512] __page_aligned;

static evtchn_port_t timer_port;
static volatile uint64_t deadline, worst, upcalls;
static uint64_t seed, begun;

static void arm(void)
{
    deadline = time_now_ns() + LEAST_NS + draw(&seed, SPREAD_NS);
    hc_set_timer_op(deadline);
}

static bool late(struct trap_regs *regs)
{
    uint64_t now = time_now_ns();

    (void)regs;
    vcpu_info0->evtchn_upcall_pending = 0;
    vcpu_info0->evtchn_pending_sel = 0;
    if (evtchn_clear(timer_port)) {
        upcalls++;
        if (now > deadline && now - deadline > worst) {
            worst = now - deadline;
        }
        arm();
    }
    return true;
}

static void watch(void)
{
    worst = upcalls = 0;
    seed = 11;
    begun = time_now_ns();
    evtchn_clear(timer_port);
    arm();
    events_enable();
}

static void watched(const char *what, unsigned int mib, uint64_t bound)
{
    uint64_t ns = time_now_ns() - begun;

    events_disable();
    hc_set_timer_op(0);
    print("churn: %s %u MiB: %lu ns, %lu upcalls, the latest by %lu ns\n", what,
          mib, ns, upcalls, worst);
    CHECK(worst <= bound, "%s: an event waited %lu ns", what, worst);
}

static bool populate(void)
{
    const unsigned long more = extents + 3;

    for (unsigned int i = 0; i < extents; i++) {
        extent[i] = 512UL * i;
    }
    for (unsigned int i = 0; i < more; i++) {
        tables[i] = 512UL * extents + i;
    }
    return CHECK(tiny_populate(&tiny, extent, extents, ORDER_2MIB) ==
                         (long)extents &&
                     tiny_populate(&tiny, tables, more, 0) == (long)more,
                 "populate");
}

/* Table @at, of the level: the L1s come first, then one of each. */
static void fill_table(unsigned int at)
{
    for (unsigned int i = 0; i < 512; i++) {
        window[i] = 0;
        if (at < extents) {
            window[i] = (extent[at] + i) << PAGE_SHIFT | PTE_FLAGS_DATA;
        } else if (at == extents && i < extents) {
            window[i] = tables[i] << PAGE_SHIFT | PTE_FLAGS_TABLE;
        } else if (at > extents && i == 0) {
            window[i] = tables[at - 1] << PAGE_SHIFT | PTE_FLAGS_TABLE;
        }
    }
}

static bool fill(void)
{
    for (unsigned int at = 0; at < extents + 3; at++) {
        long rc = hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                             (unsigned long)window,
                             tables[at] << PAGE_SHIFT | PTE_FLAGS_DATA,
                             UVMF_INVLPG, tiny.domid, 0);

        if (!CHECK(rc == 0, "map table %u: %ld", at, rc)) {
            return false;
        }
        fill_table(at);
    }
    return CHECK(mm_map(window, 0, 0) == 0, "close the window");
}

static bool pin(void)
{
    struct mmuext_op op = {
        .cmd = MMUEXT_PIN_L4_TABLE,
        .arg1.mfn = tables[extents + 2],
    };
    long rc = hypercall5(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0,
                         tiny.domid, 0);

    return CHECK(rc == 0, "pin: %ld", rc);
}

static bool ports(void)
{
    struct evtchn_alloc_unbound op = {.dom = tiny.domid,
                                      .remote_dom = DOMID_SELF};
    long rc = 0;

    for (unsigned int i = 0; i < PORTS && !rc; i++) {
        rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &op);
    }
    return CHECK(rc == 0, "ports: %ld", rc);
}

static bool make(unsigned int mib)
{
    tiny = (struct tiny){.vcpus = 8};
    extents = mib / 2;
    return CHECK(tiny_create(&tiny) == 0 && tiny_max_vcpus(&tiny) == 0 &&
                     tiny_max_mem(&tiny, 512UL * (extents + 2)) == 0,
                 "make a domain") &&
           ports();
}

static void life(unsigned int mib)
{
    bool done;
    long rc;

    if (!make(mib)) {
        return;
    }
    watch();
    done = populate();
    watched("populate", mib, ~0UL);
    if (!done || !fill()) {
        return;
    }
    watch();
    done = pin();
    watched("pin", mib, ~0UL);
    if (!done) {
        return;
    }
    watch();
    do {
        rc = tiny_destroy(&tiny);
    } while (rc == -XEN_EAGAIN);
    watched("destroy", mib, cmdline_number("bound", ~0UL));
    CHECK(rc == 0, "destroy: %ld", rc);
}

void steps(unsigned int mib)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};

    if (!CHECK(mib >= 2 && mib / 2 <= EXTENTS_MAX, "%u MiB", mib) ||
        !CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &bind) == 0, "bind_virq") ||
        !CHECK(mm_map(window, 0, 0) == 0, "close the window")) {
        return;
    }
    timer_port = bind.port;
    trap_handle(TRAP_EVENT, late);
    if (!CHECK(evtchn_unmask(timer_port) == 0, "unmask")) {
        return;
    }
    life(mib);
    life(mib);
    report(VERDICT_SUCCESS, "%u MiB", mib);
}
