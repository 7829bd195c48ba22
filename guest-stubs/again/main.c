/* SPDX-License-Identifier: MIT */
/*
 * again - as Dom0: a domain's number given again brings nothing of the one
 * before.
 *
 * Claim: createdomain gives the number that is asked for, or says -EEXIST,
 * also as long as anything of the last domain of that number is left; and of
 * what that one had, was allowed or was counted the new one has nothing.
 * Plan: a domain of a chosen number gets memory, a grant table, ports, rights,
 * a weight; Dom0 keeps one of its grant table's frames mapped and lets it go.
 * Then another of that number is looked at: by getdomaininfo, by its scheduler
 * parameters, by its grant table, and whether Dom0 may map the old frame in
 * the name of the new one.
 */
#include "../bench/tiny.h"

const char stub_name[] = "again";

#define NUMBER   77
#define MARK     0x6f6c64UL /* in the first one's grant table */
#define WEIGHT   1234
#define PORTS    7

static uint64_t old_table[512] __page_aligned;
static uint64_t new_table[512] __page_aligned;
static uint64_t page[512] __page_aligned;

/* With a number of our choice and a UUID of @tag's. */
static long create(unsigned int number, uint8_t tag, domid_t *ret_domid)
{
    struct tiny t = {.number = number, .tag = tag};
    long rc = tiny_create(&t);

    *ret_domid = t.domid;
    return rc;
}

static long map_frame(const void *va, uint64_t frame, domid_t owner)
{
    return hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                      (unsigned long)va, frame << PAGE_SHIFT | PTE_FLAGS_DATA,
                      UVMF_NONE, owner, 0);
}

static void unmap(const void *va)
{
    long rc = hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                         (unsigned long)va, 0, UVMF_INVLPG, DOMID_SELF, 0);

    CHECK(rc == 0, "unmap: %ld", rc);
}

/* The first frame of a domain's grant table, 0 if there is none. */
static uint64_t table_frame(domid_t domid)
{
    struct gnttab_setup_table setup = {.dom = domid, .nr_frames = 1};
    xen_pfn_t frame = 0;

    set_xen_guest_handle(setup.frame_list, &frame);
    CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
              setup.status == GNTST_okay,
          "setup_table of d%u: %d", domid, setup.status);
    return frame;
}

/* 0: no domain has the number. */
static int exists(domid_t domid)
{
    struct xen_domctl op = {.cmd = 0};

    return tiny_domctl(domid, &op, XEN_DOMCTL_getdomaininfo) == 0 &&
           op.domain == domid;
}

static void destroy(domid_t domid)
{
    struct xen_domctl op = {.cmd = 0};
    long rc = tiny_domctl(domid, &op, XEN_DOMCTL_destroydomain);

    CHECK(rc == 0, "destroy: %ld", rc);
}

static unsigned int weight(domid_t domid, unsigned int set)
{
    struct xen_domctl op = {
        .u.scheduler_op =
            {
                .sched_id = XEN_SCHEDULER_CREDIT2,
                .cmd = set ? XEN_DOMCTL_SCHEDOP_putinfo
                           : XEN_DOMCTL_SCHEDOP_getinfo,
                .u.credit2 = {.weight = (uint16_t)set},
            },
    };
    long rc = tiny_domctl(domid, &op, XEN_DOMCTL_scheduler_op);

    CHECK(rc == 0, "scheduler_op: %ld", rc);
    return op.u.scheduler_op.u.credit2.weight;
}

/* Ports of the domain that wait for Dom0, and the number of the last one. */
static evtchn_port_t open_ports(domid_t domid, unsigned int count)
{
    struct evtchn_alloc_unbound op = {.dom = domid, .remote_dom = DOMID_SELF};

    for (unsigned int i = 0; i < count; i++) {
        CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &op) == 0, "alloc_unbound");
    }
    return op.port;
}

static void let_have_port(domid_t domid)
{
    struct xen_domctl op = {
        .u.ioport_permission = {
            .first_port = 0x70, .nr_ports = 2, .allow_access = 1}};
    long rc = tiny_domctl(domid, &op, XEN_DOMCTL_ioport_permission);

    CHECK(rc == 0, "ioport_permission: %ld", rc);
}

/* A domain that has some of everything.  Return: a frame of its memory. */
static uint64_t furnish(domid_t domid)
{
    struct tiny t = {.domid = domid};
    xen_pfn_t frame = 0;

    CHECK(tiny_max_vcpus(&t) == 0, "max_vcpus");
    CHECK(tiny_max_mem(&t, 3) == 0 && tiny_populate(&t, &frame, 1, 0) == 1,
          "memory");
    CHECK(open_ports(domid, PORTS) >= PORTS, "ports");
    weight(domid, WEIGHT);
    CHECK(weight(domid, 0) == WEIGHT, "weight");
    let_have_port(domid);
    return frame;
}

static void check_is_new(domid_t domid, uint8_t tag, uint64_t old_frame)
{
    struct xen_domctl_getdomaininfo info;
    evtchn_port_t port;
    uint64_t frame;
    long rc;

    CHECK(tiny_info(domid, &info) == 0, "getdomaininfo");
    CHECK(info.handle[0] == tag && info.handle[15] == tag, "UUID %x..%x",
          info.handle[0], info.handle[15]);
    CHECK(info.tot_pages == 0 && info.max_pages == 0 &&
              info.outstanding_pages == 0 && info.cpu_time == 0,
          "it has %lu of %lu pages, %lu promised, ran %lu ns", info.tot_pages,
          info.max_pages, info.outstanding_pages, info.cpu_time);
    CHECK((info.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown)) == 0,
          "flags %x", info.flags);
    CHECK(weight(domid, 0) != WEIGHT, "it has the other's weight");
    port = open_ports(domid, 1);
    CHECK(port == 1, "its first port is %u", port);
    frame = table_frame(domid);
    CHECK(frame != 0 && frame != old_frame, "its grant table is the old one");
    rc = map_frame(new_table, frame, domid);
    if (CHECK(rc == 0, "map its grant table: %ld", rc)) {
        /* The first entries of a table made by a tool are for it to fill. */
        CHECK(new_table[0] == 0 && new_table[511] == 0, "it is not empty");
        unmap(new_table);
    }
    /* The first one's table, which Dom0 still has: nothing of the second's. */
    rc = map_frame(new_table, old_frame, domid);
    CHECK(rc != 0, "the old table's frame passes for its own");
    if (rc == 0) {
        unmap(new_table);
    }
    CHECK(old_table[511] == MARK, "the old table has changed: %lx",
          old_table[511]);
}

static void old_table_stays(void)
{
    domid_t domid;
    uint64_t frame;
    long rc = create(NUMBER, 0xaa, &domid);

    if (!CHECK(rc == 0 && domid == NUMBER, "create d%u: %ld, d%u", NUMBER, rc,
               domid)) {
        return;
    }
    rc = create(NUMBER, 0xbb, &domid);
    CHECK(rc == -17, "create d%u twice: %ld", NUMBER, rc); /* -EEXIST */
    furnish(NUMBER);
    frame = table_frame(NUMBER);
    rc = map_frame(old_table, frame, NUMBER);
    if (!CHECK(rc == 0, "map its grant table: %ld", rc)) {
        return;
    }
    old_table[511] = MARK;
    destroy(NUMBER);
    CHECK(!exists(NUMBER), "d%u is still there", NUMBER);
    rc = create(NUMBER, 0xbb, &domid);
    if (CHECK(rc == 0 && domid == NUMBER, "create d%u again: %ld, d%u", NUMBER,
              rc, domid)) {
        check_is_new(NUMBER, 0xbb, frame);
        destroy(NUMBER);
    }
    unmap(old_table);
}

/* As long as a page of it is mapped it is not gone, and has its number. */
static void lingering_has_the_number(void)
{
    domid_t domid;
    uint64_t frame;
    long rc = create(NUMBER, 0xcc, &domid);

    if (!CHECK(rc == 0, "create: %ld", rc)) {
        return;
    }
    frame = furnish(NUMBER);
    rc = map_frame(page, frame, NUMBER);
    CHECK(rc == 0, "map its page: %ld", rc);
    destroy(NUMBER);
    CHECK(exists(NUMBER), "it is gone, and its page is not");
    rc = create(NUMBER, 0xdd, &domid);
    CHECK(rc == -17, "its number was given again: %ld", rc);
    unmap(page);
    CHECK(!exists(NUMBER), "it stays without a page");
    rc = create(NUMBER, 0xdd, &domid);
    if (CHECK(rc == 0, "create once it is gone: %ld", rc)) {
        destroy(NUMBER);
    }
}

/* 0 and the reserved numbers mean: any. */
static void any_number(void)
{
    static const domid_t words[] = {0, DOMID_SELF, DOMID_INVALID};

    for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        domid_t domid = 0;
        long rc = create(words[i], 0xee, &domid);

        if (CHECK(rc == 0 && domid > 0 && domid < DOMID_FIRST_RESERVED,
                  "create with %x: %ld, d%u", words[i], rc, domid)) {
            destroy(domid);
        }
    }
}

void stub_main(void)
{
    uint64_t before;

    if (!stub_is_dom0()) {
        report(VERDICT_SKIP, "only Dom0 makes domains");
        return;
    }
    mm_protect(old_table, 0);
    mm_protect(new_table, 0);
    mm_protect(page, 0);
    any_number(); /* what is kept for the next domain is kept from here on */
    old_table_stays();
    lingering_has_the_number();
    before = tiny_free_pages();
    for (unsigned int i = 0; i < 3; i++) {
        old_table_stays();
        lingering_has_the_number();
    }
    CHECK(tiny_free_pages() == before, "%lu pages before, %lu now", before,
          tiny_free_pages());
    report(VERDICT_SUCCESS, "d%u is another each time", NUMBER);
}
