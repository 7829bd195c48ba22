/* SPDX-License-Identifier: MIT */
/*
 * grant/maptrack.c - as many mappings as a domain may have, and one more.
 *
 * Those of a host address fill more than one page of records; the others are
 * for devices only and need no address.  Xen lets 127 use one entry.
 */
#include "../bench/tiny.h"

#include "grant.h"

#define FRAMES     6 /* of the table */
#define REFS       (FRAMES * PAGE_SIZE / sizeof(struct grant_entry_v1))
#define FIRST      16U
#define USES       100U
#define WINDOWS    300U
#define BATCH      64U
#define A_FRAME    256U /* mappings, as Xen has them */
#define HANDLES    (1U << 20)
#define ORDER_2MIB 9U

static struct grant_entry_v1 entries[REFS] __page_aligned;
static char windows[WINDOWS][PAGE_SIZE] __page_aligned;
static grant_handle_t window_handle[WINDOWS];
static uint64_t seen[HANDLES / 64];     /* handles that stand for a mapping */
static uint64_t has_page[HANDLES / 64]; /* those with a window              */
static unsigned int mapped;             /* all in all                       */
static domid_t self;

static bool is_in(const uint64_t *set, grant_handle_t handle)
{
    return (set[handle / 64] >> (handle % 64)) & 1;
}

/* A new mapping: no other one has its handle. */
static void note(grant_handle_t handle)
{
    if (CHECK(handle < HANDLES && !is_in(seen, handle),
              "handle %u, twice or mad", handle)) {
        seen[handle / 64] |= 1UL << (handle % 64);
        mapped++;
    }
}

static void forget(grant_handle_t handle)
{
    seen[handle / 64] &= ~(1UL << (handle % 64));
    has_page[handle / 64] &= ~(1UL << (handle % 64));
    mapped--;
}

static bool set_up(void)
{
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = FRAMES};
    xen_pfn_t frame[FRAMES] = {0};

    set_xen_guest_handle(setup.frame_list, frame);
    if (!CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
                   setup.status == GNTST_okay,
               "setup_table: %d", setup.status)) {
        return false;
    }
    for (unsigned int i = 0; i < FRAMES; i++) {
        CHECK(mm_map((char *)entries + i * PAGE_SIZE, frame[i] << PAGE_SHIFT,
                     PTE_FLAGS_DATA) == 0,
              "map frame %u of the table", i);
    }
    for (unsigned int i = FIRST; i < REFS; i++) {
        entries[i].frame = (uint32_t)mm_mfn(shared_page);
        entries[i].domid = self;
        barrier();
        WRITE_ONCE(entries[i].flags, GTF_permit_access);
    }
    return true;
}

/* ---- with an address ---- */

static void map_windows(void)
{
    for (unsigned int i = 0; i < WINDOWS; i++) {
        struct gnttab_map_grant_ref op = {
            .host_addr = (uint64_t)windows[i],
            .flags = GNTMAP_host_map,
            .ref = FIRST + i / USES,
            .dom = self,
        };

        CHECK(mm_protect(windows[i], 0) == 0, "clear window %u", i);
        if (!CHECK(hc_grant_table_op(GNTTABOP_map_grant_ref, &op, 1) == 0 &&
                       op.status == GNTST_okay,
                   "window %u: %d", i, op.status)) {
            return;
        }
        note(op.handle);
        has_page[op.handle / 64] |= 1UL << (op.handle % 64);
        window_handle[i] = op.handle;
        WRITE_ONCE(*(uint64_t *)windows[i], i);
        CHECK(READ_ONCE(shared_page[0]) == i, "window %u shows another page",
              i);
    }
}

static void unmap_windows(void)
{
    for (unsigned int i = 0; i < WINDOWS; i++) {
        struct gnttab_unmap_grant_ref op = {
            .host_addr = (uint64_t)windows[i],
            .handle = window_handle[i],
        };

        CHECK(hc_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) == 0 &&
                  op.status == GNTST_okay,
              "unmap window %u: %d", i, op.status);
        CHECK(!(mm_pte(windows[i], 1) & PTE_P), "window %u is still there", i);
        forget(window_handle[i]);
    }
}

/* ---- without ---- */

/* Map up to @count more.  Return: how many there are; the others were refused. */
static unsigned int map_some(unsigned int count)
{
    static struct gnttab_map_grant_ref op[BATCH];
    unsigned int done = 0;

    for (unsigned int i = 0; i < count; i++) {
        op[i] = (struct gnttab_map_grant_ref){
            .flags = GNTMAP_device_map,
            .ref = FIRST + (mapped + i) / USES,
            .dom = self,
        };
    }
    CHECK(hc_grant_table_op(GNTTABOP_map_grant_ref, op, count) == 0, "map");
    for (unsigned int i = 0; i < count; i++) {
        if (op[i].status == GNTST_okay) {
            CHECK(done == i, "there was none left, but then there was");
            note(op[i].handle);
            done++;
        } else {
            CHECK(op[i].status == GNTST_no_space, "mapping %u: %d", mapped,
                  op[i].status);
        }
    }
    return done;
}

static void map_all(void)
{
    while (mapped + BATCH < (REFS - FIRST) * USES && map_some(BATCH) == BATCH) {
    }
}

static void unmap_list(const grant_handle_t *handle, unsigned int count)
{
    static struct gnttab_unmap_grant_ref op[BATCH];

    for (unsigned int i = 0; i < count; i++) {
        op[i] = (struct gnttab_unmap_grant_ref){
            .dev_bus_addr = mm_maddr(shared_page),
            .handle = handle[i],
        };
    }
    CHECK(hc_grant_table_op(GNTTABOP_unmap_grant_ref, op, count) == 0, "unmap");
    for (unsigned int i = 0; i < count; i++) {
        CHECK(op[i].status == GNTST_okay, "unmap handle %u: %d", handle[i],
              op[i].status);
        forget(handle[i]);
    }
}

/* Those without an address, @count of them at most. */
static void unmap_some(unsigned int count)
{
    grant_handle_t list[BATCH];
    unsigned int n = 0;

    for (grant_handle_t handle = 0; handle < HANDLES && count != 0; handle++) {
        if (is_in(seen, handle) && !is_in(has_page, handle)) {
            list[n++] = handle;
            count--;
        }
        if (n == BATCH) {
            unmap_list(list, n);
            n = 0;
        }
    }
    if (n != 0) {
        unmap_list(list, n);
    }
}

/* ---- what is asked ---- */

/* One goes, one comes; a second one does not. */
static void check_full(void)
{
    CHECK(map_some(1) == 0, "one more than all");
    unmap_some(1);
    CHECK(map_some(2) == 1, "what one gave back is not for one");
}

/* A domain that has all memory there is. */
static bool take_memory(struct tiny *hog)
{
    static xen_pfn_t list[BATCH];
    unsigned int order = ORDER_2MIB;
    unsigned long pages = 0;

    if (!CHECK(tiny_create(hog) == 0 &&
                   tiny_max_mem(hog, tiny_free_pages()) == 0,
               "make a domain")) {
        return false;
    }
    for (;;) {
        unsigned long count = order == 0 ? BATCH : 1;

        for (unsigned long i = 0; i < count; i++) {
            list[i] = pages + (i << order);
        }
        count = (unsigned long)tiny_populate(hog, list, count, order);
        pages += count << order;
        if (count == 0 && order == 0) {
            break;
        }
        order = count == 0 ? 0 : order;
    }
    print("grant: %lu pages taken, %lu are left\n", pages, tiny_free_pages());
    return true;
}

/* Without memory there are no more records: those that are there stay good. */
static void check_short(unsigned int limit)
{
    struct tiny hog = {0};

    if (take_memory(&hog)) {
        map_all();
        print("grant: %u mappings without memory\n", mapped);
        CHECK(mapped < limit, "%u mappings without memory", mapped);
        check_full();
        CHECK(tiny_destroy(&hog) == 0, "destroy");
    }
}

static void check_idle(void)
{
    for (unsigned int i = FIRST; i < REFS; i++) {
        if (!CHECK(entries[i].flags == GTF_permit_access,
                   "entry %u has flags %x", i, entries[i].flags)) {
            break;
        }
    }
}

void maptrack(domid_t domid, unsigned int frames)
{
    unsigned int most;

    self = domid;
    if (!set_up()) {
        return;
    }
    map_windows();
    if (stub_is_dom0()) {
        check_short(frames * A_FRAME);
    }
    map_all();
    most = mapped;
    /* Xen keeps one of each vcpu's. */
    CHECK(most >= frames * A_FRAME - 1 && most <= (frames + 1) * A_FRAME,
          "%u mappings with %u frames of them", most, frames);
    check_full();
    unmap_windows();
    unmap_some(HANDLES);
    CHECK(mapped == 0, "%u are left", mapped);
    check_idle();
    map_all();
    CHECK(mapped == most, "%u mappings, and %u before", mapped, most);
    if (!cmdline_has("leave")) {
        unmap_some(HANDLES);
        check_idle();
    }
    print("grant: %u mappings at most, %u are left\n", most, mapped);
}
