/* SPDX-License-Identifier: MIT */
/*
 * stranger/grants.c - another's grant table, and pages it has not granted.
 */
#include "stranger.h"

#define REFS 64U

static char window[PAGE_SIZE] __page_aligned;
static char target[PAGE_SIZE] __page_aligned;

static void check_table(domid_t domid)
{
    xen_pfn_t list[4] = {0};
    uint64_t status_list[4] = {0};
    struct gnttab_setup_table setup = {.dom = domid, .nr_frames = 1};
    struct gnttab_query_size query = {.dom = domid};
    struct gnttab_get_status_frames status = {.dom = domid, .nr_frames = 1};
    struct gnttab_get_version version = {.dom = domid};
    struct gnttab_dump_table dump = {.dom = domid};

    set_xen_guest_handle(setup.frame_list, list);
    set_xen_guest_handle(status.frame_list, status_list);
    expect("setup_table", hc_grant_table_op(GNTTABOP_setup_table, &setup, 1),
           0);
    expect("setup_table", setup.status, GNTST_permission_denied);
    expect("query_size", hc_grant_table_op(GNTTABOP_query_size, &query, 1), 0);
    expect("query_size", query.status, GNTST_permission_denied);
    expect("get_status_frames",
           hc_grant_table_op(GNTTABOP_get_status_frames, &status, 1), 0);
    expect("get_status_frames", status.status, GNTST_permission_denied);
    expect("get_version", hc_grant_table_op(GNTTABOP_get_version, &version, 1),
           -XEN_EPERM);
    expect("dump_table", hc_grant_table_op(GNTTABOP_dump_table, &dump, 1),
           -XEN_EPERM);
    CHECK(list[0] == 0 && status_list[0] == 0 && query.max_nr_frames == 0,
          "a refused call about d%u's grant table told something", domid);
}

static long map_status(domid_t domid, grant_ref_t ref, uint32_t flags)
{
    struct gnttab_map_grant_ref map = {
        .host_addr = (unsigned long)window,
        .flags = GNTMAP_host_map | flags,
        .ref = ref,
        .dom = domid,
    };
    long rc = hc_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);

    return rc ? rc : map.status;
}

/* Both directions; a copy with neither a grant nor a frame of ours. */
static void check_copy(void)
{
    struct gnttab_copy from = {
        .source = {.u.ref = 1, .domid = SOMEBODY},
        .dest = {.u.gmfn = mm_mfn(target), .domid = DOMID_SELF},
        .len = PAGE_SIZE,
        .flags = GNTCOPY_source_gref,
    };
    struct gnttab_copy to = {
        .source = {.u.gmfn = mm_mfn(target), .domid = DOMID_SELF},
        .dest = {.u.ref = 1, .domid = SOMEBODY},
        .len = PAGE_SIZE,
        .flags = GNTCOPY_dest_gref,
    };

    memset(target, 0x5a, sizeof(target));
    for (grant_ref_t ref = 0; ref < REFS; ref++) {
        from.source.u.ref = ref;
        to.dest.u.ref = ref;
        expect("copy", hc_grant_table_op(GNTTABOP_copy, &from, 1), 0);
        expect("copy from what is not granted", from.status,
               GNTST_general_error);
        expect("copy", hc_grant_table_op(GNTTABOP_copy, &to, 1), 0);
        expect("copy to what is not granted", to.status, GNTST_general_error);
    }
    from.flags = 0;
    from.source.u.gmfn = 0x100;
    expect("copy", hc_grant_table_op(GNTTABOP_copy, &from, 1), 0);
    expect("copy from a frame of Dom0", from.status, GNTST_permission_denied);
    to.flags = 0;
    to.dest.u.gmfn = 0x100;
    expect("copy", hc_grant_table_op(GNTTABOP_copy, &to, 1), 0);
    expect("copy to a frame of Dom0", to.status, GNTST_permission_denied);
    for (unsigned int i = 0; i < PAGE_SIZE; i++) {
        if (target[i] != 0x5a) {
            CHECK(false, "a refused copy wrote, at byte %u", i);
            break;
        }
    }
}

void stranger_grants(void)
{
    struct gnttab_unmap_grant_ref unmap = {.host_addr = (unsigned long)window};

    CHECK(mm_protect(window, 0) == 0, "unmap the window");
    check_table(SOMEBODY);
    check_table(NOBODY);
    for (grant_ref_t ref = 0; ref < REFS; ref++) {
        expect("map what is not granted", map_status(SOMEBODY, ref, 0),
               GNTST_general_error);
        expect("map it to read", map_status(SOMEBODY, ref, GNTMAP_readonly),
               GNTST_general_error);
    }
    expect("map what no table has", map_status(SOMEBODY, 1U << 20, 0),
           GNTST_bad_gntref);
    expect("map a grant of nobody", map_status(NOBODY, 1, 0), GNTST_bad_domain);
    expect("unmap", hc_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
    expect("unmap what we have not mapped", unmap.status, GNTST_bad_handle);
    check_copy();
}
