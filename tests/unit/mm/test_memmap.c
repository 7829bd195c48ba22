/* SPDX-License-Identifier: MIT */
/*
 * test_memmap - overlaps, rounding, reservations, dom0's view.
 * The source is included, since its state lasts as long as the program.
 */
#include "tests/unit/unit.h"

#include "mm/memmap.c"
#include "fire_alarm.h"

#define MIB (1UL << 20)
#define GIB (1UL << 30)

static int reset(void **state)
{
    (void)state;
    raw_count = claim_count = region_count = e820_count = 0;
    is_frozen = false;
    return 0;
}

static void assert_region(unsigned int idx, maddr_t start, maddr_t end,
                          enum memmap_type type)
{
    struct memmap_region r;

    assert_true(memmap_region(idx, &r));
    assert_int_equal(r.start, start);
    assert_int_equal(r.end, end);
    assert_int_equal(r.type, type);
}

static void assert_e820(unsigned int idx, maddr_t start, maddr_t end,
                        uint32_t type)
{
    struct e820entry e;

    assert_true(memmap_machine_e820(idx, &e));
    assert_int_equal(e.addr, start);
    assert_int_equal(e.addr + e.size, end);
    assert_int_equal(e.type, type);
}

/* As SeaBIOS describes a 1 GiB QEMU machine. */
static void add_qemu(void)
{
    memmap_add(0, 0x9fc00, 1);
    memmap_add(0x9fc00, 0x400, 2);
    memmap_add(0xf0000, 0x10000, 2);
    memmap_add(0x100000, 0x3fee0000, 1);
    memmap_add(0x3ffe0000, 0x20000, 2);
    memmap_add(0xfffc0000, 0x40000, 2);
}

static void test_qemu_map(void **state)
{
    struct memmap_region r;

    (void)state;
    add_qemu();
    memmap_finish();
    assert_region(0, 0, 0x9f000, MEMMAP_KEPT);
    assert_region(1, 0x9f000, 0xa0000, MEMMAP_RESERVED);
    assert_region(2, 0xf0000, 0x100000, MEMMAP_RESERVED);
    assert_region(3, 0x100000, 0x3ffe0000, MEMMAP_RAM);
    assert_region(4, 0x3ffe0000, 0x40000000, MEMMAP_RESERVED);
    assert_region(5, 0xfffc0000, 0x100000000, MEMMAP_RESERVED);
    assert_false(memmap_region(6, &r));
    assert_int_equal(memmap_top_frame(), 0x3ffe0);
    assert_int_equal(memmap_ram_frames(), 0x3fee0 + 0x9f);
    assert_e820(0, 0, 0x9fc00, 1);
    assert_e820(1, 0x9fc00, 0xa0000, 2);
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    memmap_add(0x3ffe0000, 0x20000, 2);
    memmap_add(0x100000, 0x3fee0000, 1);
    memmap_add(0, 0x9fc00, 1);
    memmap_finish();
    assert_region(1, 0x100000, 0x3ffe0000, MEMMAP_RAM);
}

static void test_overlap_goes_to_not_usable(void **state)
{
    (void)state;
    memmap_add(MIB, 99 * MIB, 1);
    memmap_add(10 * MIB, MIB, 3);
    memmap_add(10 * MIB + MIB / 2, MIB, 5);
    memmap_add(50 * MIB, MIB, 77); /* unknown type */
    memmap_add(90 * MIB, 20 * MIB, 2);
    memmap_finish();
    assert_region(0, MIB, 10 * MIB, MEMMAP_RAM);
    assert_region(1, 10 * MIB, 10 * MIB + MIB / 2, MEMMAP_ACPI);
    assert_region(2, 10 * MIB + MIB / 2, 11 * MIB + MIB / 2, MEMMAP_UNUSABLE);
    assert_region(3, 11 * MIB + MIB / 2, 50 * MIB, MEMMAP_RAM);
    assert_region(4, 50 * MIB, 51 * MIB, MEMMAP_RESERVED);
    assert_region(5, 51 * MIB, 90 * MIB, MEMMAP_RAM);
    assert_region(6, 90 * MIB, 110 * MIB, MEMMAP_RESERVED);
}

static void test_rounding(void **state)
{
    (void)state;
    memmap_add(2 * MIB + 1, MIB, 1);
    memmap_add(8 * MIB + 1, 1, 3);
    memmap_finish();
    assert_region(0, 2 * MIB + 0x1000, 3 * MIB, MEMMAP_RAM);
    assert_region(1, 8 * MIB, 8 * MIB + 0x1000, MEMMAP_ACPI);
    assert_e820(0, 2 * MIB + 1, 3 * MIB + 1, 1);
    assert_e820(1, 8 * MIB + 1, 8 * MIB + 2, 3);
}

static void test_nonsense_is_ignored(void **state)
{
    struct memmap_region r;

    (void)state;
    memmap_add(5 * MIB, 0, 1);
    memmap_add(~0UL - 10, 100, 1);
    memmap_add(6 * MIB, 100, 1); /* less than a page */
    memmap_finish();
    assert_false(memmap_region(0, &r));
    assert_int_equal(memmap_top_frame(), 0);
}

static void test_ram_beyond_the_direct_map(void **state)
{
    (void)state;
    memmap_add(MADDR_LIMIT - GIB, 4 * GIB, 1);
    memmap_finish();
    assert_region(0, MADDR_LIMIT - GIB, MADDR_LIMIT, MEMMAP_RAM);
}

static void test_reserve_and_hide(void **state)
{
    (void)state;
    add_qemu();
    memmap_finish();
    memmap_reserve(2 * MIB + 5, 10); /* image */
    memmap_hide(0x3fee0000, MIB);    /* black box */
    memmap_reserve(0x80000000, MIB); /* where nothing is */
    assert_region(3, MIB, 2 * MIB, MEMMAP_RAM);
    assert_region(4, 2 * MIB, 2 * MIB + 0x1000, MEMMAP_KEPT);
    assert_region(5, 2 * MIB + 0x1000, 0x3fee0000, MEMMAP_RAM);
    assert_region(6, 0x3fee0000, 0x3ffe0000, MEMMAP_KEPT);
    assert_int_equal(memmap_type_at(2 * MIB), MEMMAP_KEPT);
    assert_int_equal(memmap_type_at(0x80000000), MEMMAP_RESERVED);
    assert_int_equal(memmap_ram_frames(), 0x3fee0 + 0x9f);
    /* dom0 sees the image as RAM and the box as reserved */
    assert_e820(3, MIB, 0x3fee0000, 1);
    assert_e820(4, 0x3fee0000, 0x40000000, 2);
}

static void test_too_late(void **state)
{
    (void)state;
    add_qemu();
    memmap_finish();
    memmap_freeze();
    EXPECT_PANIC(memmap_reserve(4 * MIB, MIB));
}

static void test_too_many_entries(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RAW_MAX + 50; i++) {
        memmap_add((2 + 2 * (uint64_t)i) * MIB, MIB, 1);
    }
    memmap_finish();
    assert_int_equal(region_count, RAW_MAX);
}

/* Random maps: regions ascend, do not overlap, usable only where only RAM. */
static void test_random(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 300; round++) {
        struct memmap_region r;
        maddr_t last = 0;

        reset(NULL);
        for (unsigned int i = 0; i < 20; i++) {
            memmap_add((uint64_t)(rand() % 4096) * 1024,
                       (uint64_t)(rand() % 1024) * 512, (uint32_t)(rand() % 7));
        }
        memmap_finish();
        memmap_reserve((uint64_t)(rand() % 4096) * 1024, 100000);
        for (unsigned int i = 0; memmap_region(i, &r); i++) {
            assert_true(r.start >= last && r.start < r.end);
            assert_true(IS_ALIGNED(r.start | r.end, PAGE_SIZE));
            last = r.end;
            if (r.type != MEMMAP_RAM) {
                continue;
            }
            assert_true(r.start >= FIRST_MIB);
            for (unsigned int j = 0; j < raw_count; j++) {
                assert_true(raw[j].type == MEMMAP_RAM ||
                            raw[j].end <= r.start || raw[j].start >= r.end);
            }
            for (unsigned int j = 0; j < claim_count; j++) {
                assert_true(claims[j].end <= r.start ||
                            claims[j].start >= r.end);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_qemu_map, reset),
        cmocka_unit_test_setup(test_order_does_not_matter, reset),
        cmocka_unit_test_setup(test_overlap_goes_to_not_usable, reset),
        cmocka_unit_test_setup(test_rounding, reset),
        cmocka_unit_test_setup(test_nonsense_is_ignored, reset),
        cmocka_unit_test_setup(test_ram_beyond_the_direct_map, reset),
        cmocka_unit_test_setup(test_reserve_and_hide, reset),
        cmocka_unit_test_setup(test_too_late, reset),
        cmocka_unit_test_setup(test_too_many_entries, reset),
        cmocka_unit_test_setup(test_random, reset),
    };

    return UNIT_RUN(tests);
}
