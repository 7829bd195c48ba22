/* SPDX-License-Identifier: MIT */
/*
 * dev/numa_memory.c with the frame allocator: each node's free frames are
 * those that a walk over all frames finds there, whatever was done to them.
 */
#include "tests/unit/unit.h"

#include "lib/bits.h"
#include "mm/boot_alloc.h"
#include "mm/memmap.h"
#include "mm/offline.h"
#include "mm/page_alloc.h"
#include "mm/page_count.h"
#include "dev/numa.h"
#include "dev/numa_memory.h"
#include "fake_machine.h"

#define MIB (1UL << 20)
#define TOP (128 * MIB)

/* Borders in the middle of blocks; a hole that no range names; no order. */
static const struct numa_range ranges[] = {
    {40 * MIB + 7 * PAGE_SIZE, 64 * MIB + PAGE_SIZE, 1},
    {0, 33 * MIB + 3 * PAGE_SIZE, 2},
    {64 * MIB + PAGE_SIZE, 65 * MIB, 0},
    {65 * MIB, 1UL << 40, 2},
};
static unsigned int nodes = 3;

unsigned int numa_node_count(void)
{
    return nodes;
}

bool numa_range(unsigned int idx, struct numa_range *ret_range)
{
    if (idx >= sizeof(ranges) / sizeof(ranges[0])) {
        return false;
    }
    *ret_range = ranges[idx];
    return true;
}

static unsigned int node_of(maddr_t a)
{
    for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (a >= ranges[i].start && a < ranges[i].end) {
            return ranges[i].node;
        }
    }
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    fake_machine_init(TOP);
    memmap_add(0, 0xa0000, 1);
    memmap_add(MIB, 127 * MIB, 1);
    memmap_finish();
    memmap_reserve(2 * MIB, MIB); /* "image" */
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    numa_memory_init();
    return 0;
}

static void check_counts(void)
{
    uint64_t want_free[3] = {0}, want_total[3] = {0}, total, free_frames;

    for (uint64_t fn = 0; fn < max_frame; fn++) {
        maddr_t a = fn << PAGE_SHIFT;
        enum memmap_type type = memmap_type_at(a);

        want_free[node_of(a)] += frame_table[fn].state == FRAME_FREE;
        want_total[node_of(a)] += type == MEMMAP_RAM || type == MEMMAP_KEPT;
    }
    for (unsigned int i = 0; i < 3; i++) {
        numa_memory(i, &total, &free_frames);
        assert_int_equal(free_frames, want_free[i]);
        assert_int_equal(total, want_total[i]);
        assert_true(free_frames > 0 && free_frames <= total);
    }
}

static void at_boot(void **state)
{
    (void)state;
    check_counts();
    numa_memory_init(); /* again: the same, not twice as much */
    check_counts();
}

static void large_blocks(void **state)
{
    struct frame *f[8];

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        f[i] = page_alloc(11, 0, PA_ANY_BITS); /* 8 MiB: across borders */
        assert_non_null(f[i]);
        check_counts();
    }
    for (unsigned int i = 0; i < 8; i++) {
        page_free(f[i], 11);
        check_counts();
    }
}

static void any_order(void **state)
{
    static struct {
        struct frame *f;
        unsigned int order;
    } held[256];

    (void)state;
    srand(5);
    for (unsigned int round = 0; round < 3000; round++) {
        unsigned int i = (unsigned int)rand() % 256;

        if (held[i].f != NULL) {
            page_free(held[i].f, held[i].order);
            held[i].f = NULL;
        } else {
            held[i].order = (unsigned int)rand() % 9;
            held[i].f = page_alloc(held[i].order, 0, PA_ANY_BITS);
        }
        if (round % 100 == 0) {
            check_counts();
        }
    }
    for (unsigned int i = 0; i < 256; i++) {
        if (held[i].f != NULL) {
            page_free(held[i].f, held[i].order);
        }
    }
    check_counts();
}

/* Frames that leave service, free or when they are freed, and come back. */
static void offline(void **state)
{
    struct frame *f = page_alloc(2, 0, PA_ANY_BITS);
    mfn_t used = frame_mfn(f + 1), spare = mfn(41 * 256);
    domid_t owner;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        f[i].owner = 7; /* a guest's: Vigil's own do not leave */
    }
    assert_int_equal(frame_offline(spare, OFFLINE_ASKED, &owner), 0);
    check_counts();
    assert_int_equal(frame_offline(used, OFFLINE_ASKED, &owner), 0);
    check_counts();
    page_free(f, 2); /* three of four become free */
    check_counts();
    assert_int_equal(frame_online(spare), 0);
    check_counts();
}

static void one_node(void **state)
{
    struct page_alloc_stats all;
    uint64_t total, free_frames;

    (void)state;
    nodes = 1;
    numa_memory_init();
    assert_true(page_count_fn == NULL);
    page_alloc_stats(&all);
    numa_memory(0, &total, &free_frames);
    assert_int_equal(total, all.total_frames);
    assert_int_equal(free_frames, all.free_frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_boot),   cmocka_unit_test(large_blocks),
        cmocka_unit_test(any_order), cmocka_unit_test(offline),
        cmocka_unit_test(one_node),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
