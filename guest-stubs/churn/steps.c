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
#define FIRST_PFN   512UL /* below it are what it runs on */
#define AFTER       2000U /* upcalls */

static struct tiny *tiny;
static uint64_t grant_frames[TINY_WIDE_FRAMES];
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
        extent[i] = FIRST_PFN + 512UL * i;
    }
    for (unsigned int i = 0; i < more; i++) {
        tables[i] = FIRST_PFN + 512UL * extents + i;
    }
    return CHECK(tiny_populate(tiny, extent, extents, ORDER_2MIB) ==
                         (long)extents &&
                     tiny_populate(tiny, tables, more, 0) == (long)more,
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
                             UVMF_INVLPG, tiny->domid, 0);

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
                         tiny->domid, 0);

    return CHECK(rc == 0, "pin: %ld", rc);
}

/* All that it may have: it has gone over to FIFO queues. */
static bool ports(void)
{
    struct evtchn_alloc_unbound op = {.dom = tiny->domid,
                                      .remote_dom = DOMID_SELF};
    long rc;

    do {
        rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &op);
    } while (!rc);
    return CHECK(rc == -XEN_ENOSPC && op.port == TINY_WIDE_PORTS - 1,
                 "port %u: %ld", op.port, rc);
}

/* Its grant table as large as it may be. */
static bool grants(void)
{
    struct gnttab_setup_table op = {.dom = tiny->domid,
                                    .nr_frames = TINY_WIDE_FRAMES};
    long rc;

    set_xen_guest_handle(op.frame_list, grant_frames);
    rc = hc_grant_table_op(GNTTABOP_setup_table, &op, 1);
    return CHECK(rc == 0 && op.status == GNTST_okay, "grants: %ld, %d", rc,
                 op.status);
}

static bool make(unsigned int mib)
{
    const struct visit v = {
        .take = TAKE_FIFO | TAKE_MANY,
        .end = END_BLOCK,
        .vcpus = 1,
        .vcpus_down = 7,
    };

    extents = mib / 2;
    tiny = visit_open(&v);
    return tiny &&
           CHECK(tiny_max_mem(tiny, 512UL * (extents + 4)) == 0, "max_mem") &&
           ports() && grants();
}

/* @held: its last page goes after the destruction, by another call. */
static void life(unsigned int mib, bool held)
{
    const uint64_t bound = cmdline_number("bound", ~0UL);
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
    if (!held) {
        visit_let_go();
    }
    watch();
    do {
        rc = tiny_destroy(tiny);
    } while (rc == -XEN_EAGAIN);
    watched("destroy", mib, bound);
    CHECK(rc == 0, "destroy: %ld", rc);
    /* What is left of it goes while nobody runs. */
    watch();
    if (held) {
        visit_let_go();
    }
    while (upcalls < AFTER) {
        hc_sched_op(SCHEDOP_block, NULL);
    }
    watched("after", mib, bound);
    visit_close();
}

void steps(unsigned int mib)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    uint64_t free_pages;

    if (!CHECK(mib >= 2 && mib / 2 <= EXTENTS_MAX, "%u MiB", mib) ||
        !CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &bind) == 0, "bind_virq") ||
        !CHECK(mm_map(window, 0, 0) == 0, "close the window") ||
        !visit_begin()) {
        return;
    }
    timer_port = bind.port;
    trap_handle(TRAP_EVENT, late);
    if (!CHECK(evtchn_unmask(timer_port) == 0, "unmask")) {
        return;
    }
    life(mib, true);
    life(mib, false);
    free_pages = tiny_free_pages();
    life(mib, true);
    CHECK(tiny_free_pages() == free_pages, "%lu pages were free, now %lu",
          free_pages, tiny_free_pages());
    report(VERDICT_SUCCESS, "%u MiB", mib);
}
