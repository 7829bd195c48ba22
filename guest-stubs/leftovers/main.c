/* SPDX-License-Identifier: MIT */
/*
 * leftovers - a guest that holds one of everything when it ends.
 *
 * Claim: what a domain has acquired is given back when it is destroyed, down
 * to the last frame, however much of it there is.
 * Plan: grow the grant table; grant a page to ourselves and leave it mapped;
 * open hundreds of event channels, to the control domain and within; start a
 * timer; register runstate, FIFO control block, event array and vcpu_info.
 * None of it is undone.  With `hold` on the command line it then stays,
 * blocked; a test destroys it and counts the machine's free frames.
 */
#include "stub.h"

const char stub_name[] = "leftovers";

#define REF          600 /* in the second frame of the table */
#define GRANT_FRAMES 4
#define CHANNELS     400

static union {
    struct grant_entry_v1 entries[PAGE_SIZE / sizeof(struct grant_entry_v1)];
    char page[PAGE_SIZE];
} second_frame __page_aligned;
static char granted[PAGE_SIZE] __page_aligned;
static char window[PAGE_SIZE] __page_aligned;
static char control[PAGE_SIZE] __page_aligned;
static char array[PAGE_SIZE] __page_aligned;
static union {
    struct vcpu_info info;
    char page[PAGE_SIZE];
} own_info __page_aligned;
static struct vcpu_runstate_info runstate;

static evtchn_port_t open_channel(domid_t remote)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = remote};

    CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &a) == 0, "alloc_unbound");
    return a.port;
}

static domid_t own_domid(void)
{
    struct evtchn_status status = {.dom = DOMID_SELF};

    status.port = open_channel(DOMID_SELF);
    CHECK(hc_evtchn_op(EVTCHNOP_status, &status) == 0, "status");
    return status.u.unbound.dom;
}

static void take_grants(domid_t self)
{
    struct gnttab_setup_table setup = {.dom = DOMID_SELF,
                                       .nr_frames = GRANT_FRAMES};
    struct gnttab_map_grant_ref map = {
        .host_addr = (uint64_t)window,
        .flags = GNTMAP_host_map,
        .ref = REF,
        .dom = self,
    };
    struct grant_entry_v1 *e =
        &second_frame.entries[REF % (PAGE_SIZE / sizeof(*e))];
    xen_pfn_t frames[GRANT_FRAMES] = {0};

    set_xen_guest_handle(setup.frame_list, frames);
    CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
              setup.status == GNTST_okay,
          "setup_table: %d", setup.status);
    CHECK(mm_map(&second_frame, frames[1] << PAGE_SHIFT, PTE_FLAGS_DATA) == 0,
          "map the second grant frame");
    e->frame = (uint32_t)mm_mfn(granted);
    e->domid = self;
    barrier();
    WRITE_ONCE(e->flags, (uint16_t)GTF_permit_access);
    CHECK(mm_protect(window, 0) == 0, "clear the window");
    CHECK(hc_grant_table_op(GNTTABOP_map_grant_ref, &map, 1) == 0 &&
              map.status == GNTST_okay,
          "map_grant_ref: %d", map.status);
}

static void take_channels(void)
{
    struct evtchn_bind_interdomain inner = {.remote_dom = DOMID_SELF};
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    unsigned int i;

    for (i = 0; i < CHANNELS; i++) {
        (void)open_channel(0);
    }
    inner.remote_port = open_channel(DOMID_SELF);
    CHECK(hc_evtchn_op(EVTCHNOP_bind_interdomain, &inner) == 0, "interdomain");
    CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &virq) == 0, "bind_virq");
    CHECK(hc_evtchn_op(EVTCHNOP_bind_ipi, &ipi) == 0, "bind_ipi");
}

static void take_pages(void)
{
    struct vcpu_register_runstate_memory_area area = {0};
    struct vcpu_register_vcpu_info info = {.mfn = mm_mfn(&own_info)};
    struct evtchn_init_control init = {.control_gfn = mm_mfn(control)};
    struct evtchn_expand_array expand = {.array_gfn = mm_mfn(array)};
    struct vcpu_set_periodic_timer timer = {.period_ns = 10 * NS_PER_SEC};

    set_xen_guest_handle(area.addr.h, &runstate);
    CHECK(hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area) == 0,
          "runstate area");
    CHECK(hc_vcpu_op(VCPUOP_set_periodic_timer, 0, &timer) == 0, "timer");
    CHECK(hc_evtchn_op(EVTCHNOP_init_control, &init) == 0, "init_control");
    CHECK(hc_evtchn_op(EVTCHNOP_expand_array, &expand) == 0, "expand_array");
    CHECK(hc_vcpu_op(VCPUOP_register_vcpu_info, 0, &info) == 0, "vcpu_info");
}

/* Events stay masked: only polling, and that in vain. */
static void stay(void)
{
    struct sched_poll poll = {.nr_ports = 0};

    for (;;) {
        WRITE_ONCE(own_info.info.evtchn_upcall_pending, 0);
        hc_sched_op(SCHEDOP_poll, &poll);
    }
}

void stub_main(void)
{
    take_grants(own_domid());
    take_channels();
    take_pages();
    report(VERDICT_SUCCESS, "holds %u grant frames, %u channels", GRANT_FRAMES,
           CHANNELS);
    if (cmdline_has("hold")) {
        report_last_line();
        stay();
    }
}
