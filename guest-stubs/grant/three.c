/* SPDX-License-Identifier: MIT */
/*
 * grant/three.c - transitive grants: a guest of version 2 lets Dom0 use what
 * another one granted to it.  Dom0 writes what they would.
 */
#include "../bench/tiny.h"

#include "grant.h"

#define VALUE 0x600dUL

static union grant_frame middle, origin; /* their tables */
static uint64_t origin_page[512] __page_aligned;

static bool window_to(const void *va, uint64_t frame, domid_t owner)
{
    long rc = hypercall5(
        __HYPERVISOR_update_va_mapping_otherdomain, (unsigned long)va,
        frame << PAGE_SHIFT | PTE_FLAGS_DATA, UVMF_NONE, owner, 0);

    return CHECK(rc == 0, "map frame %lx of d%u: %ld", frame, owner, rc);
}

static bool table_to(const void *va, domid_t owner)
{
    struct gnttab_setup_table setup = {.dom = owner, .nr_frames = 1};
    xen_pfn_t frame = 0;

    set_xen_guest_handle(setup.frame_list, &frame);
    return CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
                     setup.status == GNTST_okay,
                 "setup_table of d%u: %d", owner, setup.status) &&
           window_to(va, frame, owner);
}

static uint32_t version_of(domid_t domid)
{
    struct gnttab_get_version op = {.dom = domid};

    return hc_grant_table_op(GNTTABOP_get_version, &op, 1) ? 0 : op.version;
}

static bool make_middle(struct tiny *t)
{
    tiny_window_open();
    t->work_tsc = 2;
    if (!CHECK(tiny_build(t, TINY_VERSION) == 0, "build a guest")) {
        return false;
    }
    CHECK(tiny_unpause(t) == 0, "unpause");
    for (unsigned int i = 0; i < 500 && version_of(t->domid) != 2; i++) {
        time_sleep_ns(10 * NS_PER_MS);
    }
    return CHECK(version_of(t->domid) == 2, "the guest has version %u",
                 version_of(t->domid)) &&
           table_to(&middle, t->domid);
}

static bool make_origin(struct tiny *t, domid_t grants_to)
{
    xen_pfn_t frame = 0;

    if (!CHECK(tiny_create(t) == 0 && tiny_max_mem(t, 1) == 0 &&
                   tiny_populate(t, &frame, 1, 0) == 1,
               "make a domain")) {
        return false;
    }
    if (!table_to(&origin, t->domid) ||
        !window_to(origin_page, frame, t->domid)) {
        return false;
    }
    origin_page[1] = VALUE;
    origin.v1[REF].frame = (uint32_t)frame;
    origin.v1[REF].domid = grants_to;
    WRITE_ONCE(origin.v1[REF].flags, GTF_permit_access);
    return true;
}

static void check(domid_t a, domid_t b)
{
    grant_handle_t handle;

    middle.v2[REF].transitive.trans_domid = b;
    middle.v2[REF].transitive.gref = REF;
    middle.v2[REF].hdr.domid = 0;
    WRITE_ONCE(middle.v2[REF].hdr.flags, GTF_transitive | GTF_readonly);
    copy_page[0] = 0;
    CHECK(copy_from(a, REF, 8, 0, 8) == GNTST_okay && copy_page[0] == VALUE,
          "copy by way of d%u: %lx", a, copy_page[0]);
    CHECK(origin.v1[REF].flags == GTF_permit_access, "still in use: %x",
          origin.v1[REF].flags);
    CHECK(copy_from(b, REF, 8, 0, 8) == GNTST_general_error,
          "what was granted to d%u was granted to us", a);
    CHECK(map(a, REF, GNTMAP_readonly, &handle) == GNTST_general_error,
          "a transitive grant was mapped");
    origin.v1[REF].domid = 0;
    CHECK(copy_from(a, REF, 8, 0, 8) == GNTST_general_error,
          "copy of what d%u may not use", a);
    origin.v1[REF].domid = a;
    WRITE_ONCE(origin.v1[REF].flags, 0);
    CHECK(copy_from(a, REF, 8, 0, 8) == GNTST_general_error,
          "copy of what was taken back");
    WRITE_ONCE(origin.v1[REF].flags, GTF_permit_access);
}

static void live_and_die(void)
{
    struct tiny a = {0}, b = {0};

    if (!make_middle(&a) || !make_origin(&b, a.domid)) {
        return;
    }
    check(a.domid, b.domid);
    mm_protect(&middle, 0);
    mm_protect(&origin, 0);
    mm_protect(origin_page, 0);
    CHECK(tiny_destroy(&b) == 0, "destroy");
    CHECK(copy_from(a.domid, REF, 8, 0, 8) != GNTST_okay, "copy of the dead's");
    CHECK(tiny_destroy(&a) == 0, "destroy");
}

void three_domains(void)
{
    uint64_t before;

    live_and_die(); /* what is kept for the next ones is there now */
    before = tiny_free_pages();
    live_and_die();
    for (unsigned int i = 0; i < 100 && tiny_free_pages() != before; i++) {
        time_sleep_ns(10 * NS_PER_MS);
    }
    CHECK(tiny_free_pages() == before, "%ld pages are lost",
          (long)(before - tiny_free_pages()));
}
