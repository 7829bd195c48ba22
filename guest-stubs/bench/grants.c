/* SPDX-License-Identifier: MIT */
/*
 * bench/grants.c - grant tables and the console.  Dom0 grants to itself.
 */
#include "bench.h"

#define BATCH     32U
#define FIRST_REF 9U /* the first eight are reserved */
#define SELF      0  /* the bench is Dom0 */
/* As long as a line of 80 takes at 115200 baud, and a bit. */
#define LINE_NS   (8 * NS_PER_MS)
#define LINE      80U

static union {
    struct grant_entry_v1 entries[PAGE_SIZE / sizeof(struct grant_entry_v1)];
    char page[PAGE_SIZE];
} table __page_aligned;
static char granted[BATCH][PAGE_SIZE] __page_aligned;
static char window[BATCH][PAGE_SIZE] __page_aligned;
static char copy_page[PAGE_SIZE] __page_aligned;

static struct gnttab_map_grant_ref map_ops[BATCH];
static struct gnttab_unmap_grant_ref unmap_ops[BATCH];

static long set_up(void)
{
    struct gnttab_set_version version = {.version = 1};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
    xen_pfn_t frame = 0;
    unsigned int i;
    long rc;

    rc = hc_grant_table_op(GNTTABOP_set_version, &version, 1);
    set_xen_guest_handle(setup.frame_list, &frame);
    rc = rc ? rc : hc_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    rc = rc ? rc : setup.status;
    rc = rc ? rc : mm_map(&table, frame << PAGE_SHIFT, PTE_FLAGS_DATA);
    for (i = 0; !rc && i < BATCH; i++) {
        struct grant_entry_v1 *entry = &table.entries[FIRST_REF + i];

        entry->frame = (uint32_t)mm_mfn(granted[i]);
        entry->domid = SELF;
        barrier();
        WRITE_ONCE(entry->flags, GTF_permit_access);
        rc = mm_protect(window[i], 0);
    }
    return rc;
}

static void prepare_map(void)
{
    unsigned int i;

    for (i = 0; i < BATCH; i++) {
        map_ops[i] = (struct gnttab_map_grant_ref){
            .host_addr = (uint64_t)window[i],
            .flags = GNTMAP_host_map,
            .ref = FIRST_REF + i,
            .dom = SELF,
        };
    }
}

/* After a map: what undoes it. */
static void prepare_unmap(void)
{
    unsigned int i;

    for (i = 0; i < BATCH; i++) {
        unmap_ops[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = (uint64_t)window[i],
            .handle = map_ops[i].handle,
        };
    }
}

static void map(unsigned int count)
{
    hc_grant_table_op(GNTTABOP_map_grant_ref, map_ops, count);
}

static void unmap(unsigned int count)
{
    hc_grant_table_op(GNTTABOP_unmap_grant_ref, unmap_ops, count);
}

/* The operation that undoes the timed one runs outside the bracket. */
static void maps(const char *map_name, const char *unmap_name,
                 unsigned int count)
{
    BENCH(map_name, BENCH_MANY, prepare_unmap(); unmap(count); prepare_map(),
          map(count));
    if (map_ops[0].status != GNTST_okay ||
        map_ops[count - 1].status != GNTST_okay) {
        bench_absent(map_name, map_ops[0].status);
    }
    prepare_unmap();
    unmap(count);
    BENCH(unmap_name, BENCH_MANY, prepare_map(); map(count); prepare_unmap(),
          unmap(count));
    if (unmap_ops[count - 1].status != GNTST_okay) {
        bench_absent(unmap_name, unmap_ops[count - 1].status);
    }
}

static void copy(const char *name, uint16_t len)
{
    struct gnttab_copy op = {
        .source = {.u.ref = FIRST_REF, .domid = DOMID_SELF},
        .dest = {.u.gmfn = mm_mfn(copy_page), .domid = DOMID_SELF},
        .len = len,
        .flags = GNTCOPY_source_gref,
    };

    BENCH(name, BENCH_MANY, , hc_grant_table_op(GNTTABOP_copy, &op, 1));
    if (op.status != GNTST_okay) {
        bench_absent(name, op.status);
    }
}

static void console(void)
{
    static char line[LINE];

    memset(line, '.', LINE - 1);
    line[LINE - 1] = '\n';
    BENCH("console_io_write_80B", BENCH_MANY, time_sleep_ns(LINE_NS),
          hc_console_write(line, LINE));
    BENCH("console_io_write_0B", BENCH_MANY, , hc_console_write(line, 0));
}

static void run(void)
{
    long rc = set_up();

    if (rc) {
        bench_absent("gnttab_map_self", rc);
    } else {
        maps("gnttab_map_self", "gnttab_unmap_self", 1);
        maps("gnttab_map_self_batch32", "gnttab_unmap_self_batch32", BATCH);
        copy("gnttab_copy_64B", 64);
        copy("gnttab_copy_4096B", (uint16_t)PAGE_SIZE);
    }
    console();
}

const struct bench_area bench_grants = {"grants", run};
