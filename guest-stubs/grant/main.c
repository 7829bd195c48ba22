/* SPDX-License-Identifier: MIT */
/*
 * grant - grant tables of one domain with itself, and of three.
 *
 * Claim: the table is set up and visible; a page granted can be mapped, read,
 * written and unmapped; what was not granted cannot; copies stay in bounds;
 * none is given away;
 * the status bits tell who uses an entry.
 * Plan: grant a page of ours to ourselves (our domid is learnt from an unbound
 * event channel), and try map, unmap and copy, right and wrong; then in version
 * 2 (v2.c).  As Dom0: a copy from one domain by way of another (three.c).
 * `maptrack=N`: instead, as many mappings as N frames of records allow, and one
 * more (maptrack.c).
 */
#include "grant.h"

const char stub_name[] = "grant";

union grant_frame table __page_aligned;
uint64_t shared_page[512] __page_aligned;
uint64_t window[512] __page_aligned;
uint64_t copy_page[512] __page_aligned;

static domid_t own_domid(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_status status = {.dom = DOMID_SELF};
    struct evtchn_close close;

    CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc) == 0, "alloc_unbound");
    status.port = alloc.port;
    CHECK(hc_evtchn_op(EVTCHNOP_status, &status) == 0, "status");
    close.port = alloc.port;
    CHECK(hc_evtchn_op(EVTCHNOP_close, &close) == 0, "close");
    return status.u.unbound.dom;
}

static bool set_up(void)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct gnttab_set_version version = {.version = 1};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
    xen_pfn_t frame = 0;

    CHECK(hc_grant_table_op(GNTTABOP_query_size, &size, 1) == 0 &&
              size.status == GNTST_okay,
          "query_size: %d", size.status);
    CHECK(size.max_nr_frames >= 1, "%u frames at most", size.max_nr_frames);
    CHECK(hc_grant_table_op(GNTTABOP_set_version, &version, 1) == 0,
          "set_version 1");
    set_xen_guest_handle(setup.frame_list, &frame);
    CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
              setup.status == GNTST_okay,
          "setup_table: %d", setup.status);
    return CHECK(mm_map(&table, frame << PAGE_SHIFT, PTE_FLAGS_DATA) == 0,
                 "the grant frame %lx cannot be mapped", frame);
}

static void grant(domid_t to, unsigned int flags)
{
    table.v1[REF].frame = (uint32_t)mm_mfn(shared_page);
    table.v1[REF].domid = to;
    barrier();
    WRITE_ONCE(table.v1[REF].flags, (uint16_t)flags);
}

int map(domid_t granter, grant_ref_t ref, unsigned int flags,
        grant_handle_t *ret_handle)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)window,
        .flags = GNTMAP_host_map | flags,
        .ref = ref,
        .dom = granter,
    };

    CHECK(hc_grant_table_op(GNTTABOP_map_grant_ref, &op, 1) == 0, "map call");
    *ret_handle = op.handle;
    return op.status;
}

int unmap(grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = (uint64_t)window,
        .handle = handle,
    };

    CHECK(hc_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) == 0,
          "unmap call");
    return op.status;
}

static void check_map(domid_t self)
{
    grant_handle_t handle;
    int status;

    CHECK(mm_protect(window, 0) == 0, "clear the window");
    grant(self, GTF_permit_access);
    shared_page[0] = 0xabcdUL;
    status = map(self, REF, 0, &handle);
    if (!CHECK(status == GNTST_okay, "map: %d", status)) {
        return;
    }
    CHECK(READ_ONCE(window[0]) == 0xabcdUL, "the window shows %lx", window[0]);
    WRITE_ONCE(window[1], 0x1234UL);
    CHECK(READ_ONCE(shared_page[1]) == 0x1234UL, "a write is lost");
    CHECK((table.v1[REF].flags & (GTF_reading | GTF_writing)) ==
              (GTF_reading | GTF_writing),
          "in use, but flags are %x", table.v1[REF].flags);
    status = unmap(handle);
    CHECK(status == GNTST_okay, "unmap: %d", status);
    CHECK(!(mm_pte(window, 1) & PTE_P), "still mapped: %lx", mm_pte(window, 1));
    CHECK(!(table.v1[REF].flags & (GTF_reading | GTF_writing)),
          "not in use, but flags are %x", table.v1[REF].flags);
    CHECK(unmap(handle) != GNTST_okay, "unmapped twice");

    /* Read-only both ways. */
    grant(self, GTF_permit_access | GTF_readonly);
    CHECK(map(self, REF, 0, &handle) != GNTST_okay,
          "read-only mapped writable");
    CHECK(map(self, REF, GNTMAP_readonly, &handle) == GNTST_okay,
          "map read-only");
    CHECK(!(mm_pte(window, 1) & PTE_RW), "the window is writable");
    CHECK(!(table.v1[REF].flags & GTF_writing), "flags say writing");
    CHECK(unmap(handle) == GNTST_okay, "unmap");

    grant(self, GTF_invalid);
    CHECK(map(self, REF, 0, &handle) != GNTST_okay,
          "an invalid entry was mapped");
    grant((domid_t)(self + 5), GTF_permit_access);
    CHECK(map(self, REF, 0, &handle) != GNTST_okay,
          "another domain's grant was mapped");
    CHECK(map(0x7fef, REF, 0, &handle) == GNTST_bad_domain,
          "a map of no domain");
}

int copy_from(domid_t granter, grant_ref_t ref, unsigned int src_offset,
              unsigned int dst_offset, unsigned int len)
{
    struct gnttab_copy op = {
        .source = {.u.ref = ref,
                   .domid = granter,
                   .offset = (uint16_t)src_offset},
        .dest = {.u.gmfn = mm_mfn(copy_page),
                 .domid = DOMID_SELF,
                 .offset = (uint16_t)dst_offset},
        .len = (uint16_t)len,
        .flags = GNTCOPY_source_gref,
    };

    CHECK(hc_grant_table_op(GNTTABOP_copy, &op, 1) == 0, "copy call");
    return op.status;
}

static int copy(unsigned int src_offset, unsigned int dst_offset,
                unsigned int len)
{
    return copy_from(DOMID_SELF, REF, src_offset, dst_offset, len);
}

static long flush(uint64_t maddr, unsigned int offset, unsigned int length,
                  uint32_t how)
{
    struct gnttab_cache_flush op = {
        .a.dev_bus_addr = maddr,
        .offset = (uint16_t)offset,
        .length = (uint16_t)length,
        .op = how,
    };

    return hc_grant_table_op(GNTTABOP_cache_flush, &op, 1);
}

static void check_flush(void)
{
    const uint32_t both = GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL;
    uint64_t maddr = mm_maddr(shared_page);

    CHECK(flush(maddr, 0, PAGE_SIZE, both) == 0, "flush a page");
    CHECK(flush(maddr, 100, 1, GNTTAB_CACHE_CLEAN) == 0, "flush a byte");
    CHECK(flush(maddr, 0, 0, both) == 0, "flush nothing");
    CHECK(flush(maddr, 4095, 2, both) == -XEN_EINVAL, "beyond the page");
    CHECK(flush(maddr, 4096, 0, both) == -XEN_EINVAL, "offset of a page");
    CHECK(flush(maddr, 0, 8, 4) == -XEN_EINVAL, "an unknown bit");
    CHECK(flush(maddr, 0, 8, GNTTAB_CACHE_INVAL) == -XEN_EOPNOTSUPP,
          "drop without writing back");
    CHECK(flush(REF, 0, 8, both | GNTTAB_CACHE_SOURCE_GREF) == -XEN_EOPNOTSUPP,
          "by reference");
    CHECK(flush(1UL << 51, 0, 8, both) == -XEN_EINVAL, "no such page");
}

static void check_copy(domid_t self)
{
    int status;

    grant(self, GTF_permit_access | GTF_readonly);
    shared_page[0] = 0x1111UL;
    shared_page[511] = 0x2222UL;
    memset(copy_page, 0, PAGE_SIZE);
    status = copy(0, 0, 8);
    CHECK(status == GNTST_okay, "copy: %d", status);
    CHECK(READ_ONCE(copy_page[0]) == 0x1111UL && !READ_ONCE(copy_page[1]),
          "copied %lx %lx", copy_page[0], copy_page[1]);
    CHECK(copy(4088, 8, 8) == GNTST_okay && READ_ONCE(copy_page[1]) == 0x2222UL,
          "copy of the last word");
    CHECK(copy(4089, 0, 8) == GNTST_bad_copy_arg, "source beyond the page");
    CHECK(copy(0, 4089, 8) == GNTST_bad_copy_arg, "target beyond the page");
    grant(self, GTF_invalid);
    CHECK(copy(0, 0, 8) != GNTST_okay, "copy from an invalid entry");
}

/* Giving a page away by an entry that takes one is refused, and stays ours. */
static void check_transfer(domid_t self)
{
    struct gnttab_transfer op = {
        .mfn = mm_mfn(copy_page), .domid = self, .ref = REF, .status = 77};

    table.v1[REF].frame = 0;
    table.v1[REF].domid = self;
    barrier();
    WRITE_ONCE(table.v1[REF].flags, GTF_accept_transfer);
    copy_page[0] = 0x3333UL;
    CHECK(hc_grant_table_op(GNTTABOP_transfer, &op, 1) == -XEN_EOPNOTSUPP,
          "transfer");
    CHECK(op.status == 77 && READ_ONCE(copy_page[0]) == 0x3333UL &&
              READ_ONCE(table.v1[REF].flags) == GTF_accept_transfer,
          "transfer: status %d, flags %x", op.status, table.v1[REF].flags);
    WRITE_ONCE(table.v1[REF].flags, GTF_invalid);
}

void stub_main(void)
{
    unsigned int frames = (unsigned int)cmdline_number("maptrack", 0);
    domid_t self = own_domid();
    bool ready = set_up();

    if (frames != 0) {
        if (ready) {
            maptrack(self, frames);
        }
        report(VERDICT_SUCCESS, "domain %u maps all it may", self);
        return;
    }
    if (ready) {
        check_map(self);
        check_copy(self);
        check_flush();
        check_transfer(self);
        version_2(self);
    }
    if (stub_is_dom0()) {
        three_domains();
    }
    report(VERDICT_SUCCESS, "grants of domain %u work", self);
}
