/* SPDX-License-Identifier: MIT */
/*
 * churn/visitor.c - what runs in the guest.  No data but its pages: the stub's
 * own variables are not there.
 */
#include "visitor.h"

#define PORTS_EACH 60U
#define FAR_NS     (3600 * NS_PER_SEC)
#define BATCH      16U

/* The first thing that fails is kept, and is the last that is tried. */
static bool said(long rc, unsigned int line)
{
    if (rc) {
        VISITOR->rc = rc;
        WRITE_ONCE(VISITOR->line, line);
        return false;
    }
    return true;
}
#define TRY(rc) said(rc, __LINE__)

static long map_at(enum visitor_slot slot, uint64_t frame)
{
    return hc_update_va_mapping((void *)SLOT_VA(slot),
                                frame << PAGE_SHIFT | PTE_FLAGS_DATA,
                                UVMF_INVLPG);
}

static long grant_call(unsigned int cmd, void *op, const int16_t *status)
{
    long rc = hc_grant_table_op(cmd, op, 1);

    return rc ? rc : *status;
}

static void give(unsigned int i, unsigned int flags)
{
    const struct visitor_page *a = VISITOR;
    struct grant_entry_v1 *v1 = (void *)SLOT_VA(SLOT_GRANT_TABLE);
    union grant_entry_v2 *v2 = (void *)SLOT_VA(SLOT_GRANT_TABLE);
    unsigned int ref = VISITOR_REF + i;

    if (a->take & TAKE_V2) {
        v2[ref].full_page.frame = a->frame[SLOT_GRANTED + i];
        v2[ref].hdr.domid = 0;
        WRITE_ONCE(v2[ref].hdr.flags, (uint16_t)(GTF_permit_access | flags));
    } else {
        v1[ref].frame = (uint32_t)a->frame[SLOT_GRANTED + i];
        v1[ref].domid = 0;
        WRITE_ONCE(v1[ref].flags, (uint16_t)(GTF_permit_access | flags));
    }
}

static bool status_frame(void)
{
    uint64_t frame = 0;
    struct gnttab_get_status_frames op = {.nr_frames = 1, .dom = DOMID_SELF};

    set_xen_guest_handle(op.frame_list, &frame);
    return TRY(grant_call(GNTTABOP_get_status_frames, &op, &op.status)) &&
           TRY(map_at(SLOT_STATUS, frame));
}

static bool take_grants(void)
{
    xen_pfn_t frames[2] = {0};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 2};
    struct gnttab_set_version version = {.version = 2};
    struct gnttab_map_grant_ref map = {
        .host_addr = SLOT_VA(SLOT_WINDOW),
        .flags = GNTMAP_host_map,
        .ref = VISITOR->dom0_ref,
    };

    set_xen_guest_handle(setup.frame_list, frames);
    if ((VISITOR->take & TAKE_V2) &&
        !(TRY(hc_grant_table_op(GNTTABOP_set_version, &version, 1)) &&
          status_frame())) {
        return false;
    }
    if (!TRY(grant_call(GNTTABOP_setup_table, &setup, &setup.status)) ||
        !TRY(map_at(SLOT_GRANT_TABLE, frames[0]))) {
        return false;
    }
    give(0, 0);
    give(1, GTF_readonly);
    if (!TRY(grant_call(GNTTABOP_map_grant_ref, &map, &map.status))) {
        return false;
    }
    *(uint64_t *)SLOT_VA(SLOT_WINDOW) = VISITOR->self;
    return true;
}

static bool take_fifo(void)
{
    struct evtchn_init_control init = {
        .control_gfn = VISITOR->frame[SLOT_CONTROL],
    };
    struct evtchn_expand_array expand = {
        .array_gfn = VISITOR->frame[SLOT_ARRAY],
    };

    return TRY(hc_evtchn_op(EVTCHNOP_init_control, &init)) &&
           TRY(hc_evtchn_op(EVTCHNOP_expand_array, &expand));
}

/*
 * Much of what is cheap.  A frame may serve several times over.  A grant of
 * Dom0's is counted up to 65535 times to read, and as often to write.
 */
static bool take_many(void)
{
    struct evtchn_expand_array expand = {
        .array_gfn = VISITOR->frame[SLOT_ARRAY],
    };
    struct gnttab_map_grant_ref map[BATCH] = {{0}};

    for (unsigned int i = 1; i < VISITOR_FIFO_PAGES; i++) {
        if (!TRY(hc_evtchn_op(EVTCHNOP_expand_array, &expand))) {
            return false;
        }
    }
    /* A word that is in a queue is so for each of them: its ports are busy. */
    memset((void *)SLOT_VA(SLOT_ARRAY), 0, PAGE_SIZE);
    for (unsigned int i = 0; i < BATCH; i++) {
        map[i].flags = GNTMAP_device_map | (i % 2 ? GNTMAP_readonly : 0);
        map[i].ref = VISITOR->dom0_ref;
    }
    for (unsigned int i = 0; i < VISITOR_RECORDS; i += BATCH) {
        if (!TRY(hc_grant_table_op(GNTTABOP_map_grant_ref, map, BATCH)) ||
            !TRY(map[0].status) || !TRY(map[BATCH - 1].status)) {
            return false;
        }
    }
    return true;
}

static bool take_ports(void)
{
    struct evtchn_alloc_unbound open = {.dom = DOMID_SELF};
    struct evtchn_bind_interdomain inner = {.remote_dom = DOMID_SELF};

    for (unsigned int i = 0; i < PORTS_EACH; i++) {
        struct evtchn_bind_ipi ipi = {.vcpu = i % VISITOR->vcpus};

        open.remote_dom = i % 2 ? 0 : DOMID_SELF;
        if (!TRY(hc_evtchn_op(EVTCHNOP_alloc_unbound, &open)) ||
            !TRY(hc_evtchn_op(EVTCHNOP_bind_ipi, &ipi)) ||
            !TRY(hc_evtchn_send(ipi.port))) {
            return false;
        }
        if (i % 2 == 0) {
            inner.remote_port = open.port;
            if (!TRY(hc_evtchn_op(EVTCHNOP_bind_interdomain, &inner)) ||
                !TRY(hc_evtchn_send(open.port))) {
                return false;
            }
        }
    }
    for (unsigned int v = 0; v < VISITOR->vcpus; v++) {
        struct evtchn_bind_virq timer = {.virq = VIRQ_TIMER, .vcpu = v};
        struct evtchn_bind_virq debug = {.virq = VIRQ_DEBUG, .vcpu = v};

        if (!TRY(hc_evtchn_op(EVTCHNOP_bind_virq, &timer)) ||
            !TRY(hc_evtchn_op(EVTCHNOP_bind_virq, &debug))) {
            return false;
        }
    }
    return true;
}

/* Each vcpu for itself: a periodic timer and one that is far away. */
static bool take_timers(unsigned int vcpu)
{
    struct vcpu_set_periodic_timer periodic = {.period_ns = 2 * NS_PER_MS};
    struct vcpu_set_singleshot_timer once = {.timeout_abs_ns = FAR_NS};

    return TRY(hc_vcpu_op(VCPUOP_set_periodic_timer, vcpu, &periodic)) &&
           TRY(hc_vcpu_op(VCPUOP_set_singleshot_timer, vcpu, &once));
}

static bool take_areas(unsigned int vcpu)
{
    struct vcpu_register_vcpu_info info = {
        .mfn = VISITOR->frame[SLOT_INFO],
        .offset = vcpu * sizeof(struct vcpu_info),
    };
    struct vcpu_register_runstate_memory_area runstate = {
        .addr.v = (void *)VISITOR->runstate[vcpu]};
    struct vcpu_register_time_memory_area time = {
        .addr.v = (void *)VISITOR->time[vcpu]};

    return TRY(hc_vcpu_op(VCPUOP_register_runstate_memory_area, vcpu,
                          &runstate)) &&
           TRY(hc_vcpu_op(VCPUOP_register_vcpu_time_memory_area, vcpu,
                          &time)) &&
           TRY(hc_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &info));
}

static bool take_descriptors(void)
{
    unsigned long gdt = VISITOR->frame[SLOT_GDT];
    struct mmuext_op ldt = {
        .cmd = MMUEXT_SET_LDT,
        .arg1.linear_addr = SLOT_VA(SLOT_LDT),
        .arg2.nr_ents = 512,
    };
    struct trap_info traps[2] = {
        {.vector = 3, .cs = FLAT_KERNEL_CS, .address = SLOT_VA(SLOT_DATA)},
    };

    return TRY(hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&gdt, 512)) &&
           TRY(hc_mmuext_op(&ldt, 1, NULL)) && TRY(hc_set_trap_table(traps));
}

static bool take_pins(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE,
                           .arg1.mfn = VISITOR->frame[SLOT_TREE_L1 + 3]};
    struct mmuext_op low = {.cmd = MMUEXT_PIN_L1_TABLE,
                            .arg1.mfn = VISITOR->frame[SLOT_TREE_L1]};

    return TRY(hc_mmuext_op(&op, 1, NULL)) && TRY(hc_mmuext_op(&low, 1, NULL));
}

static bool take_balloon(void)
{
    xen_pfn_t frame = VISITOR->frame[SLOT_BALLOON], other = 0;
    struct xen_memory_reservation out = {.nr_extents = 1, .domid = DOMID_SELF};
    struct xen_memory_reservation in = out;

    set_xen_guest_handle(out.extent_start, &frame);
    set_xen_guest_handle(in.extent_start, &other);
    return TRY(hc_update_va_mapping((void *)SLOT_VA(SLOT_BALLOON), 0,
                                    UVMF_INVLPG)) &&
           TRY(hc_memory_op(XENMEM_decrease_reservation, &out) - 1) &&
           TRY(hc_memory_op(XENMEM_populate_physmap, &in) - 1) &&
           TRY(map_at(SLOT_BALLOON, other));
}

/* A channel each way, with Dom0. */
static bool connect(void)
{
    struct evtchn_alloc_unbound open = {.dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {
        .remote_port = VISITOR->dom0_port,
    };

    if (!TRY(hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind))) {
        return false;
    }
    VISITOR->notify = bind.local_port;
    if (!TRY(hc_evtchn_op(EVTCHNOP_alloc_unbound, &open))) {
        return false;
    }
    VISITOR->port = open.port;
    return true;
}

static void take(void)
{
    const uint32_t what = VISITOR->take;

    (void)(connect() && (!(what & TAKE_FIFO) || take_fifo()) &&
           (!(what & TAKE_GRANTS) || take_grants()) &&
           (!(what & TAKE_MANY) || take_many()) &&
           (!(what & TAKE_PORTS) || take_ports()) &&
           (!(what & TAKE_DESCRIPTORS) || take_descriptors()) &&
           (!(what & TAKE_PINS) || take_pins()) &&
           (!(what & TAKE_BALLOON) || take_balloon()));
}

/* Takes and gives until it is stopped in the midst of it. */
static void calls(unsigned int vcpu)
{
    struct mmuext_op pin = {.cmd = MMUEXT_PIN_L2_TABLE,
                            .arg1.mfn = VISITOR->frame[SLOT_TREE_L1 + 1]};
    struct mmuext_op unpin = {.cmd = MMUEXT_UNPIN_TABLE,
                              .arg1.mfn = pin.arg1.mfn};
    struct evtchn_alloc_unbound open = {.dom = DOMID_SELF};

    for (;;) {
        __atomic_fetch_add(&VISITOR->loops, 1, __ATOMIC_SEQ_CST);
        if (vcpu % 2 == 0) {
            hc_mmuext_op(&pin, 1, NULL);
            hc_mmuext_op(&unpin, 1, NULL);
        } else if (hc_evtchn_op(EVTCHNOP_alloc_unbound, &open) == 0) {
            hc_evtchn_close(open.port);
        }
    }
}

static void shut_down(unsigned int reason)
{
    struct sched_shutdown op = {.reason = reason};

    for (;;) {
        hc_sched_op(SCHEDOP_shutdown, &op);
    }
}

/* Nothing is there that would end a poll. */
static void quiet(unsigned int vcpu)
{
    struct shared_info *shared = (void *)SLOT_VA(SLOT_SHARED);
    struct vcpu_info *own = (void *)SLOT_VA(SLOT_INFO);

    WRITE_ONCE(shared->vcpu_info[vcpu].evtchn_upcall_pending, 0);
    if (VISITOR->take & TAKE_AREAS) {
        WRITE_ONCE(own[vcpu].evtchn_upcall_pending, 0);
    }
}

static void end(unsigned int vcpu)
{
    struct sched_poll poll = {.nr_ports = 0, .timeout = FAR_NS};

    switch ((enum visitor_end)VISITOR->end) {
    case END_POLL:
        quiet(vcpu);
        hc_sched_op(SCHEDOP_poll, &poll);
        break;
    case END_HOG:
    case END_PAUSED:
        for (;;) {
            __asm__ volatile("");
        }
    case END_CALLS:
        calls(vcpu);
        break;
    case END_POWEROFF:
        shut_down(SHUTDOWN_poweroff);
        break;
    case END_CRASH:
        shut_down(SHUTDOWN_crash);
        break;
    case END_SUSPEND:
        shut_down(SHUTDOWN_suspend);
        break;
    case END_KILLED:
        __asm__ volatile("ud2");
        break;
    case END_BLOCK:
    case END_UNBORN:
    case END_COUNT:
        break;
    }
    for (;;) {
        poll.timeout = 0;
        quiet(vcpu);
        hc_sched_op(SCHEDOP_poll, &poll);
    }
}

void visitor_main(unsigned int vcpu)
{
    if (vcpu == 0) {
        take();
    }
    if ((VISITOR->take & TAKE_TIMERS) && !VISITOR->line) {
        (void)take_timers(vcpu);
    }
    if ((VISITOR->take & TAKE_AREAS) && !VISITOR->line) {
        (void)take_areas(vcpu);
    }
    if (vcpu == 0) {
        hc_evtchn_send(VISITOR->notify);
    } else if (VISITOR->end == END_POWEROFF || VISITOR->end == END_CRASH ||
               VISITOR->end == END_KILLED || VISITOR->end == END_SUSPEND) {
        /* The first one's, when it has taken all. */
        for (;;) {
            hc_sched_op(SCHEDOP_yield, NULL);
        }
    }
    end(vcpu);
    __builtin_unreachable();
}
