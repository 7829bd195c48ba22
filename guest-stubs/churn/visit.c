/* SPDX-License-Identifier: MIT */
/*
 * churn/visit.c - Dom0's part of a guest's life.
 *
 * The guest has a copy of our code where we have it, its own pages (visitor.h)
 * from VIRT_BASE on, and one table of each level that maps both.
 */
#include "churn.h"

#define CODE_VA    (VIRT_BASE + 0x100000UL)
#define CODE_MAX   64U /* pages */
#define CODE_SLOT  ((CODE_VA >> PAGE_SHIFT) & 511)
#define REF        8U /* Dom0's, of its own table */
#define ORDER_2MIB 9
#define MARK       0x7663697369746f72UL
#define LIMIT_NS   (60 * NS_PER_SEC)

/* The end of what is linked read-only; common/link.lds.S. */
extern const char extable_end[];

static unsigned int code_pages;
static xen_pfn_t frames[CODE_MAX + SLOT_COUNT]; /* slots, then the code */
static xen_pfn_t extent;
static struct tiny tiny;
static evtchn_port_t ours, theirs; /* offered to it; bound to what it offers */

static char window[PAGE_SIZE] __page_aligned;
static uint64_t offered[512] __page_aligned; /* granted to the guest */
static union {
    struct grant_entry_v1 v1[PAGE_SIZE / sizeof(struct grant_entry_v1)];
    char page[PAGE_SIZE];
} table __page_aligned;

/* What Dom0 maps of it. */
static union {
    struct visitor_page page;
    char bytes[PAGE_SIZE];
} first __page_aligned;
#define page (first.page)
static uint64_t foreign[512] __page_aligned;
static uint64_t granted[2][512] __page_aligned;
static grant_handle_t handle[2];
static struct vcpu_guest_context context;

static long window_to(const void *va, uint64_t frame)
{
    return hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                      (unsigned long)va, frame << PAGE_SHIFT | PTE_FLAGS_DATA,
                      UVMF_INVLPG, tiny.domid, 0);
}

static void window_close(const void *va)
{
    CHECK(mm_map(va, 0, 0) == 0, "close a window");
}

static xen_pfn_t frame_of(enum visitor_slot slot)
{
    return frames[slot];
}

/* ---- building ---- */

/* As firmware describes memory. */
struct region {
    uint64_t addr, size;
    uint32_t type;
} __attribute__((packed));

/* The most it may have: with 2 MiB, and a page that is claimed for it. */
static unsigned long pages_max(void)
{
    return SLOT_COUNT + code_pages + 512 + 1;
}

/* What a domain has beside memory and vcpus. */
static long rights_and_words(void)
{
    struct xen_domctl ports = {.u.ioport_permission = {.first_port = 0x80,
                                                       .nr_ports = 1,
                                                       .allow_access = 1}};
    struct xen_domctl mem = {.u.iomem_permission = {.first_mfn = 0xa0,
                                                    .nr_mfns = 1,
                                                    .allow_access = 1}};
    struct xen_domctl offset = {.u.settimeoffset.time_offset_seconds = 3600};
    struct xen_domctl share = {.u.scheduler_op = {
                                   .sched_id = XEN_SCHEDULER_CREDIT2,
                                   .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                   .u.credit2.weight = 512,
                               }};
    struct region map[2] = {{.size = 0x100000, .type = 1},
                            {.addr = 0x200000, .size = 4096, .type = 2}};
    struct xen_foreign_memory_map list = {.domid = tiny.domid,
                                          .map.nr_entries = 2};
    struct xen_memory_reservation claim = {.nr_extents = pages_max(),
                                           .domid = tiny.domid};
    long rc;

    set_xen_guest_handle(list.map.buffer, map);
    rc = tiny_domctl(tiny.domid, &ports, XEN_DOMCTL_ioport_permission);
    rc = rc ? rc : tiny_domctl(tiny.domid, &mem, XEN_DOMCTL_iomem_permission);
    rc = rc ? rc : tiny_domctl(tiny.domid, &offset, XEN_DOMCTL_settimeoffset);
    rc = rc ? rc : tiny_domctl(tiny.domid, &share, XEN_DOMCTL_scheduler_op);
    rc = rc ? rc : hc_memory_op(XENMEM_set_memory_map, &list);
    return rc ? rc : hc_memory_op(XENMEM_claim_pages, &claim);
}

static long memory(const struct visit *v)
{
    const unsigned long count = SLOT_COUNT + code_pages;

    for (unsigned long i = 0; i < count; i++) {
        frames[i] = i;
    }
    if (tiny_populate(&tiny, frames, count, 0) != (long)count) {
        return -1;
    }
    extent = 512;
    return v->large && tiny_populate(&tiny, &extent, 1, ORDER_2MIB) != 1 ? -1
                                                                         : 0;
}

static void fill_first_page(const struct visit *v)
{
    struct visitor_page *p = (struct visitor_page *)window;

    p->take = v->take;
    p->end = v->end;
    p->vcpus = v->vcpus;
    p->self = tiny.domid;
    for (unsigned int i = 0; i < SLOT_COUNT; i++) {
        p->frame[i] = frames[i];
    }
    p->dom0_port = ours;
    p->dom0_ref = REF;
}

/* The tables it runs on. */
static void fill_l1(uint64_t shared)
{
    uint64_t *pte = (uint64_t *)window;

    for (unsigned int i = 0; i < SLOT_MAPPED; i++) {
        pte[i] = frames[i] << PAGE_SHIFT | PTE_FLAGS_DATA;
    }
    pte[SLOT_LDT] = frame_of(SLOT_LDT) << PAGE_SHIFT | PTE_FLAGS_RO;
    pte[SLOT_SHARED] = shared << PAGE_SHIFT | PTE_FLAGS_DATA;
    for (unsigned int i = 0; i < code_pages; i++) {
        pte[CODE_SLOT + i] =
            frames[SLOT_COUNT + i] << PAGE_SHIFT | PTE_FLAGS_RO;
    }
}

/* Those it pins: each has many entries of the one below. */
static void fill_tree(enum visitor_slot slot, const struct visit *v)
{
    uint64_t *pte = (uint64_t *)window;

    for (unsigned int i = 0; i < 512; i++) {
        if (slot != SLOT_TREE_L1) {
            /* Of an L4 only the first half is the guest's. */
            pte[i] = i < 256
                         ? frame_of(slot - 1) << PAGE_SHIFT | PTE_FLAGS_TABLE
                         : 0;
        } else if (v->large) {
            pte[i] = (extent + i) << PAGE_SHIFT | PTE_FLAGS_DATA;
        } else {
            pte[i] = frame_of(SLOT_GRANTED) << PAGE_SHIFT | PTE_FLAGS_RO;
        }
    }
}

static void fill_page(unsigned int i, const struct visit *v, uint64_t shared)
{
    uint64_t *pte = (uint64_t *)window;

    if (i >= SLOT_COUNT) {
        memcpy(window, (const char *)CODE_VA + (i - SLOT_COUNT) * PAGE_SIZE,
               PAGE_SIZE);
    } else if (i == SLOT_DATA) {
        fill_first_page(v);
    } else if (i == SLOT_GRANTED) {
        pte[0] = MARK;
    } else if (i == SLOT_L1) {
        fill_l1(shared);
    } else if (i > SLOT_L1) {
        pte[(VIRT_BASE >> (PAGE_SHIFT + 9 * (i - SLOT_L1))) & 511] =
            frames[i - 1] << PAGE_SHIFT | PTE_FLAGS_TABLE;
    } else if (i >= SLOT_TREE_L1) {
        fill_tree((enum visitor_slot)i, v);
    }
}

static long fill(const struct visit *v)
{
    struct xen_domctl_getdomaininfo info;
    long rc = tiny_info(tiny.domid, &info);
    struct shared_info *shared = (struct shared_info *)window;

    for (unsigned int i = 0; i < SLOT_COUNT + code_pages && !rc; i++) {
        rc = window_to(window, frames[i]);
        if (!rc) {
            fill_page(i, v, info.shared_info_frame);
        }
    }
    rc = rc ? rc : window_to(window, info.shared_info_frame);
    if (!rc) {
        for (unsigned int i = 0; i < v->vcpus; i++) {
            shared->vcpu_info[i].evtchn_upcall_mask = 1;
        }
    }
    window_close(window);
    return rc;
}

static long pin(void)
{
    struct mmuext_op op = {
        .cmd = MMUEXT_PIN_L4_TABLE,
        .arg1.mfn = frame_of(SLOT_L4),
    };

    return hypercall5(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0,
                      tiny.domid, 0);
}

static long set_context(unsigned int vcpu)
{
    struct xen_domctl op = {.u.vcpucontext.vcpu = vcpu};

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = (unsigned long)visitor_main;
    context.user_regs.rdi = vcpu;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rsp = SLOT_VA(SLOT_STACK + vcpu + 1) - 8;
    context.user_regs.rflags = RFLAGS_IF;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = context.user_regs.rsp;
    context.ctrlreg[3] = xen_pfn_to_cr3(frame_of(SLOT_L4));
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    return tiny_domctl(tiny.domid, &op, XEN_DOMCTL_setvcpucontext);
}

static long vcpus(const struct visit *v)
{
    long rc = 0;

    for (unsigned int i = 0; i < v->vcpus && !rc; i++) {
        rc = set_context(i);
        if (!rc && v->elsewhere) {
            rc = tiny_set_affinity(tiny.domid, i, ~1UL, TINY_ALL_CPUS);
        }
    }
    return rc;
}

static evtchn_port_t offer_port(void)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF,
                                      .remote_dom = tiny.domid};

    return CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &op) == 0,
                 "a port for d%u", tiny.domid)
               ? op.port
               : 0;
}

static bool build(const struct visit *v)
{
    memset(&tiny, 0, sizeof(tiny));
    tiny.vcpus = v->vcpus + v->vcpus_down;
    tiny.wide = (v->take & TAKE_MANY) != 0;
    if (!CHECK(tiny_create(&tiny) == 0, "create")) {
        return false;
    }
    ours = offer_port();
    table.v1[REF].domid = tiny.domid;
    table.v1[REF].frame = (uint32_t)mm_mfn(offered);
    WRITE_ONCE(table.v1[REF].flags, GTF_permit_access);
    return CHECK(tiny_max_vcpus(&tiny) == 0, "d%u: max_vcpus", tiny.domid) &&
           CHECK(tiny_max_mem(&tiny, pages_max()) == 0, "max_mem") &&
           CHECK(memory(v) == 0, "d%u: populate", tiny.domid) &&
           CHECK(rights_and_words() == 0, "d%u: what else it has",
                 tiny.domid) &&
           CHECK(fill(v) == 0, "d%u: fill", tiny.domid) &&
           CHECK(pin() == 0, "d%u: pin", tiny.domid) &&
           CHECK(vcpus(v) == 0, "d%u: contexts", tiny.domid);
}

/* ---- living ---- */

static bool await(evtchn_port_t port)
{
    uint64_t end = time_now_ns() + LIMIT_NS;
    struct sched_poll poll = {.nr_ports = 1, .timeout = end};

    set_xen_guest_handle(poll.ports, &port);
    while (!evtchn_clear(port)) {
        if (time_now_ns() > end) {
            return false;
        }
        hc_sched_op(SCHEDOP_poll, &poll);
    }
    return true;
}

static bool await_shutdown(void)
{
    uint64_t end = time_now_ns() + LIMIT_NS;
    struct xen_domctl_getdomaininfo info;

    while (tiny_info(tiny.domid, &info) == 0 && info.domain == tiny.domid) {
        if (info.flags & XEN_DOMINF_shutdown) {
            return true;
        }
        if (time_now_ns() > end) {
            break;
        }
        time_sleep_ns(NS_PER_MS / 4);
    }
    return false;
}

static bool map_granted(unsigned int i)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)granted[i],
        .flags = GNTMAP_host_map | (i ? GNTMAP_readonly : 0),
        .ref = VISITOR_REF + i,
        .dom = tiny.domid,
    };
    bool done =
        hc_grant_table_op(GNTTABOP_map_grant_ref, &op, 1) == 0 && !op.status;

    handle[i] = op.handle;
    return CHECK(done, "map grant %u of d%u: %d", i, tiny.domid, op.status);
}

static bool bind_to_it(void)
{
    struct evtchn_bind_interdomain op = {.remote_dom = tiny.domid,
                                         .remote_port = page.port};
    long rc = hc_evtchn_op(EVTCHNOP_bind_interdomain, &op);

    theirs = op.local_port;
    return CHECK(rc == 0, "bind to port %u of d%u: %ld", page.port, tiny.domid,
                 rc);
}

static bool no_complaint(void)
{
    return CHECK(page.line == 0, "d%u: visitor.c:%u: %ld", tiny.domid,
                 page.line, (long)page.rc);
}

static bool take(const struct visit *v)
{
    return CHECK(tiny_unpause(&tiny) == 0, "unpause") &&
           CHECK(await(ours), "d%u, end %d: nothing is heard", tiny.domid,
                 v->end) &&
           CHECK(window_to(&page, frame_of(SLOT_DATA)) == 0,
                 "its first page") &&
           no_complaint();
}

/* It has taken all it was to take, and Dom0 takes of it. */
static bool live(const struct visit *v)
{
    if (!take(v)) {
        return false;
    }
    if (v->end == END_POWEROFF || v->end == END_CRASH || v->end == END_KILLED ||
        v->end == END_SUSPEND) {
        CHECK(await_shutdown(), "d%u, end %d: it does not end", tiny.domid,
              v->end);
    }
    if (v->take & TAKE_GRANTS) {
        CHECK(offered[0] == tiny.domid, "d%u did not write to what it mapped",
              tiny.domid);
        return map_granted(0) && map_granted(1) && bind_to_it() &&
               hc_evtchn_send(theirs) == 0;
    }
    return bind_to_it();
}

/* ---- dying ---- */

static void let_go(const struct visit *v)
{
    window_close(&page);
    window_close(foreign);
    for (unsigned int i = 0; i < 2 && (v->take & TAKE_GRANTS); i++) {
        struct gnttab_unmap_grant_ref op = {
            .host_addr = (uint64_t)granted[i],
            .handle = handle[i],
        };

        CHECK(hc_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) == 0 &&
                  op.status == GNTST_okay,
              "unmap grant %u of d%u: %d", i, tiny.domid, op.status);
    }
}

static bool there_is(domid_t domid, uint32_t *ret_flags)
{
    struct xen_domctl_getdomaininfo info;

    if (tiny_info(domid, &info) || info.domain != domid) {
        return false;
    }
    *ret_flags = info.flags;
    return true;
}

static bool gone(void)
{
    uint64_t end = time_now_ns() + LIMIT_NS;
    uint32_t flags = 0;

    while (there_is(tiny.domid, &flags) && time_now_ns() < end) {
        time_sleep_ns(NS_PER_MS / 10);
    }
    return CHECK(!there_is(tiny.domid, &flags), "d%u is still there, flags %x",
                 tiny.domid, flags);
}

static void close_ports(bool bound)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = ours};

    CHECK(hc_evtchn_op(EVTCHNOP_status, &status) == 0 &&
              status.status == EVTCHNSTAT_unbound,
          "what was bound to d%u has status %u", tiny.domid, status.status);
    CHECK(hc_evtchn_close(ours) == 0, "close");
    evtchn_clear(ours);
    if (bound) {
        CHECK(hc_evtchn_close(theirs) == 0, "close");
        evtchn_clear(theirs);
    }
}

static void dom0_takes_back(void)
{
    CHECK((READ_ONCE(table.v1[REF].flags) & (GTF_reading | GTF_writing)) == 0,
          "d%u is dead and uses what was granted", tiny.domid);
    WRITE_ONCE(table.v1[REF].flags, 0);
}

static bool destroy(void)
{
    long rc;

    do {
        rc = tiny_destroy(&tiny);
    } while (rc == -XEN_EAGAIN);
    return CHECK(rc == 0, "destroy d%u: %ld", tiny.domid, rc);
}

static bool die(const struct visit *v, bool born)
{
    struct xen_domctl op = {.cmd = 0};
    uint32_t flags = 0;

    if (born) {
        no_complaint(); /* of its other vcpus, meanwhile */
    }
    if (v->end == END_PAUSED) {
        CHECK(tiny_domctl(tiny.domid, &op, XEN_DOMCTL_pausedomain) == 0,
              "pause");
    }
    if (born && !v->held) {
        let_go(v);
    }
    if (!destroy()) {
        return false;
    }
    if (born && v->held) {
        CHECK(there_is(tiny.domid, &flags) && (flags & XEN_DOMINF_dying),
              "d%u is gone, and Dom0 maps its pages", tiny.domid);
        CHECK(foreign[0] == MARK &&
                  (!(v->take & TAKE_GRANTS) || granted[0][0] == MARK),
              "what Dom0 maps of d%u has changed", tiny.domid);
        let_go(v);
    }
    dom0_takes_back();
    close_ports(born);
    return gone();
}

bool visit(const struct visit *v)
{
    bool born = v->end != END_UNBORN;

    offered[0] = 0;
    if (!build(v)) {
        return false;
    }
    if (born) {
        if (!live(v) || !CHECK(window_to(foreign, frame_of(SLOT_GRANTED)) == 0,
                               "map a page of d%u", tiny.domid)) {
            return false;
        }
        if (v->end == END_CALLS || v->end == END_HOG) {
            time_sleep_ns(NS_PER_MS / 5);
        }
    }
    return die(v, born);
}

struct tiny *visit_open(const struct visit *v)
{
    return build(v) && take(v) ? &tiny : NULL;
}

void visit_let_go(void)
{
    window_close(&page);
}

bool visit_close(void)
{
    dom0_takes_back();
    close_ports(false);
    return gone();
}

bool visit_begin(void)
{
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
    xen_pfn_t frame = 0;

    code_pages =
        (unsigned int)(((unsigned long)extable_end - CODE_VA + PAGE_SIZE - 1) >>
                       PAGE_SHIFT);
    if (!CHECK(code_pages <= CODE_MAX, "%u pages of code", code_pages)) {
        return false;
    }
    window_close(window);
    window_close(&page);
    window_close(foreign);
    window_close(granted[0]);
    window_close(granted[1]);
    set_xen_guest_handle(setup.frame_list, &frame);
    return CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
                     setup.status == GNTST_okay &&
                     mm_map(&table, frame << PAGE_SHIFT, PTE_FLAGS_DATA) == 0,
                 "the grant table");
}
