/* SPDX-License-Identifier: MIT */
/*
 * grant/v2.c - the table in version 2: changing to it and back, marks in the
 * status frame, parts of pages, transitive grants.
 */
#include "grant.h"

static union {
    grant_status_t marks[PAGE_SIZE / sizeof(grant_status_t)];
    char page[PAGE_SIZE];
} status __page_aligned;

static long set_version(uint32_t version)
{
    struct gnttab_set_version op = {.version = version};
    long rc = hc_grant_table_op(GNTTABOP_set_version, &op, 1);
    struct gnttab_get_version now = {.dom = DOMID_SELF};

    CHECK(hc_grant_table_op(GNTTABOP_get_version, &now, 1) == 0 &&
              now.version == op.version,
          "set_version says %u, get_version %u", op.version, now.version);
    CHECK(rc != 0 || op.version == version, "version %u after asking for %u",
          op.version, version);
    return rc;
}

static int status_frames(uint32_t nr_frames, uint64_t *frames)
{
    struct gnttab_get_status_frames op = {.dom = DOMID_SELF,
                                          .nr_frames = nr_frames};

    set_xen_guest_handle(op.frame_list, frames);
    CHECK(hc_grant_table_op(GNTTABOP_get_status_frames, &op, 1) == 0,
          "get_status_frames call");
    return op.status;
}

/* Into version 2 and its status frame, past everything that forbids it. */
static bool begin(domid_t self)
{
    uint64_t frames[2] = {0};
    grant_handle_t handle;

    CHECK(set_version(3) == -XEN_EINVAL, "version 3");
    CHECK(status_frames(1, frames) == GNTST_general_error,
          "a status frame in version 1");
    table.v1[REF].frame = (uint32_t)mm_mfn(shared_page);
    table.v1[REF].domid = self;
    WRITE_ONCE(table.v1[REF].flags, GTF_permit_access);
    if (CHECK(map(self, REF, 0, &handle) == GNTST_okay, "map")) {
        CHECK(set_version(2) == -XEN_EBUSY, "version 2 while in use");
        CHECK(table.v1[REF].flags ==
                  (GTF_permit_access | GTF_reading | GTF_writing),
              "the entry has changed: %x", table.v1[REF].flags);
        CHECK(unmap(handle) == GNTST_okay, "unmap");
    }
    /* One of the first eight may be. */
    table.v1[7].frame = (uint32_t)mm_mfn(shared_page);
    table.v1[7].domid = self;
    WRITE_ONCE(table.v1[7].flags, GTF_permit_access | GTF_readonly);
    CHECK(map(self, 7, GNTMAP_readonly, &handle) == GNTST_okay,
          "map the first");
    if (!CHECK(set_version(2) == 0, "set_version 2")) {
        return false;
    }
    CHECK(table.v2[REF].hdr.flags == 0, "an entry stayed: %x",
          table.v2[REF].hdr.flags);
    CHECK(table.v2[7].hdr.flags == (GTF_permit_access | GTF_readonly) &&
              table.v2[7].full_page.frame == mm_mfn(shared_page),
          "the first was not kept: %x", table.v2[7].hdr.flags);
    CHECK(status_frames(2, frames) == GNTST_general_error, "two status frames");
    CHECK(status_frames(1, NULL) == GNTST_bad_virt_addr,
          "status frames to nowhere");
    CHECK(status_frames(1, frames) == GNTST_okay, "status frames");
    if (!CHECK(mm_map(&status, frames[0] << PAGE_SHIFT, PTE_FLAGS_DATA) == 0,
               "the status frame cannot be mapped")) {
        return false;
    }
    CHECK(status.marks[7] == GTF_reading, "mark of the first: %x",
          status.marks[7]);
    CHECK(unmap(handle) == GNTST_okay && status.marks[7] == 0,
          "unmap the first: %x", status.marks[7]);
    return true;
}

static void grant(domid_t to, unsigned int flags)
{
    table.v2[REF].full_page.frame = mm_mfn(shared_page);
    table.v2[REF].hdr.domid = to;
    barrier();
    WRITE_ONCE(table.v2[REF].hdr.flags, (uint16_t)flags);
}

static void check_map(domid_t self)
{
    grant_handle_t handle;

    grant(self, GTF_permit_access);
    shared_page[0] = 0xabcdUL;
    if (!CHECK(map(self, REF, 0, &handle) == GNTST_okay, "map")) {
        return;
    }
    CHECK(READ_ONCE(window[0]) == 0xabcdUL, "the window shows %lx", window[0]);
    CHECK(status.marks[REF] == (GTF_reading | GTF_writing), "marks: %x",
          status.marks[REF]);
    CHECK(table.v2[REF].hdr.flags == GTF_permit_access, "flags: %x",
          table.v2[REF].hdr.flags);
    /* Whatever the granter writes now, the mapping and its end stay. */
    memset(&table.v2[REF], 0xff, sizeof(table.v2[REF]));
    status.marks[REF] = 0xff;
    CHECK(set_version(1) == -XEN_EBUSY, "version 1 while in use");
    CHECK(unmap(handle) == GNTST_okay, "unmap");
    CHECK(status.marks[REF] == (0xff & ~(GTF_reading | GTF_writing)),
          "marks, not in use: %x", status.marks[REF]);
    status.marks[REF] = 0;

    grant(self, GTF_permit_access | GTF_readonly);
    CHECK(map(self, REF, 0, &handle) != GNTST_okay, "read-only, writable");
    grant(self, GTF_permit_access | GTF_sub_page);
    CHECK(map(self, REF, 0, &handle) == GNTST_general_error, "part mapped");
    grant((domid_t)(self + 5), GTF_permit_access);
    CHECK(map(self, REF, 0, &handle) == GNTST_general_error, "not granted");
    /* Frames there are none of: the numbers are wider now. */
    grant(self, GTF_permit_access);
    table.v2[REF].full_page.frame |= 1UL << 40;
    CHECK(map(self, REF, 0, &handle) == GNTST_bad_page, "frame beyond all");
    table.v2[REF].full_page.frame = ~0UL;
    CHECK(map(self, REF, 0, &handle) == GNTST_bad_page, "frame -1");
    CHECK(status.marks[REF] == 0, "marks: %x", status.marks[REF]);
    CHECK(map(self, 256, 0, &handle) == GNTST_bad_gntref, "entry 256 of 256");
}

static void check_part(domid_t self)
{
    grant(self, GTF_permit_access | GTF_sub_page | GTF_readonly);
    table.v2[REF].sub_page.page_off = 16;
    table.v2[REF].sub_page.length = 24;
    for (unsigned int i = 0; i < 8; i++) {
        shared_page[i] = i;
    }
    memset(copy_page, 0, PAGE_SIZE);
    CHECK(copy_from(self, REF, 16, 0, 24) == GNTST_okay && copy_page[0] == 2 &&
              copy_page[2] == 4 && copy_page[3] == 0,
          "copy of a part: %lu %lu %lu", copy_page[0], copy_page[2],
          copy_page[3]);
    CHECK(copy_from(self, REF, 16, 0, 25) == GNTST_general_error, "one beyond");
    CHECK(copy_from(self, REF, 15, 0, 8) == GNTST_general_error, "one before");
    CHECK(copy_from(self, REF, 32, 0, 8) == GNTST_okay && copy_page[0] == 4,
          "the end of a part");
    CHECK(status.marks[REF] == 0, "marks: %x", status.marks[REF]);
    /* By way of ourselves: never. */
    table.v2[REF].transitive.trans_domid = self;
    table.v2[REF].transitive.gref = REF + 1;
    WRITE_ONCE(table.v2[REF].hdr.flags, GTF_transitive);
    CHECK(copy_from(self, REF, 0, 0, 8) == GNTST_general_error,
          "a grant by way of itself");
    table.v2[REF].transitive.trans_domid = 0x7fef;
    CHECK(copy_from(self, REF, 0, 0, 8) == GNTST_general_error,
          "a grant by way of nobody");
    CHECK(status.marks[REF] == 0, "marks: %x", status.marks[REF]);
}

static void end(void)
{
    CHECK(set_version(1) == -XEN_EBUSY, "version 1, status frame mapped");
    CHECK(mm_protect(&status, 0) == 0, "unmap the status frame");
    table.v2[3].hdr.flags = GTF_transitive;
    CHECK(set_version(1) == -XEN_ERANGE, "version 1, a transitive grant");
    table.v2[3].hdr.flags = 0;
    CHECK(set_version(1) == 0, "set_version 1");
    CHECK(table.v1[7].frame == mm_mfn(shared_page) &&
              table.v1[7].flags == (GTF_permit_access | GTF_readonly),
          "the first was not kept: %x", table.v1[7].flags);
    CHECK(table.v1[REF].flags == 0, "an entry stayed");
    table.v1[7].flags = 0;
}

void version_2(domid_t self)
{
    if (begin(self)) {
        check_map(self);
        check_part(self);
        end();
    }
}
