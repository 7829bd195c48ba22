/* SPDX-License-Identifier: MIT */
/*
 * test_heap - size classes, zeroing, alignment, canaries, giving pages back.
 */
#include "tests/unit/unit.h"

#include "lib/bits.h"
#include "mm/heap.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "fake_machine.h"
#include "fire_alarm.h"

#define MIB (1UL << 20)

static int set_up(void **state)
{
    (void)state;
    fake_machine_init(64 * MIB);
    fake_machine_fill(MIB, 63 * MIB, 0x77);
    memmap_add(MIB, 63 * MIB, 1);
    memmap_finish();
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    return 0;
}

static uint64_t free_frames(void)
{
    struct page_alloc_stats s;

    page_alloc_stats(&s);
    return s.free_frames;
}

static void assert_zero(const void *p, size_t bytes)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(b[i], 0);
    }
}

static void test_every_size(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes <= 6000; bytes++) {
        void *p = heap_alloc(bytes);

        assert_non_null(p);
        assert_true(IS_ALIGNED((uintptr_t)p, 16));
        assert_true(bytes < PAGE_SIZE || IS_ALIGNED((uintptr_t)p, PAGE_SIZE));
        assert_zero(p, bytes);
        memset(p, 0xff, bytes);
        heap_free(p);
        p = heap_alloc(bytes);
        assert_zero(p, bytes);
        heap_free(p);
    }
    heap_free(NULL);
}

static void test_big(void **state)
{
    uint64_t before = free_frames();
    void *p = heap_alloc(4 * MIB);

    (void)state;
    assert_non_null(p);
    assert_zero(p, 4 * MIB);
    assert_int_equal(free_frames(), before - 1024);
    heap_free(p);
    assert_int_equal(free_frames(), before);
    assert_null(heap_alloc(4 * MIB + 1));
}

static void test_stats(void **state)
{
    struct heap_stats before, now;
    void *small[3], *big;

    (void)state;
    heap_get_stats(&before);
    for (unsigned int i = 0; i < 3; i++) {
        small[i] = heap_alloc(100);
    }
    big = heap_alloc(3 * PAGE_SIZE);
    heap_get_stats(&now);
    assert_int_equal(now.objects, before.objects + 4);
    /* 100 bytes are in a slot of 128; three pages in a block of four. */
    assert_int_equal(now.bytes, before.bytes + 3 * 128UL + 4 * PAGE_SIZE);
    assert_in_range(now.frames, before.frames + 4, before.frames + 5);
    assert_true(now.frames * PAGE_SIZE >= now.bytes);
    heap_free(big);
    for (unsigned int i = 0; i < 3; i++) {
        heap_free(small[i]);
    }
    heap_get_stats(&now);
    assert_int_equal(now.objects, before.objects);
    assert_int_equal(now.bytes, before.bytes);
    /* One empty page of that size is kept. */
    assert_in_range(now.frames, before.frames, before.frames + 1);
}

static void test_pages_return(void **state)
{
    enum {
        COUNT = 2000
    };
    static void *held[COUNT];
    uint64_t before = free_frames();

    (void)state;
    for (unsigned int i = 0; i < COUNT; i++) {
        held[i] = heap_alloc(200);
    }
    assert_true(free_frames() < before - 60);
    for (unsigned int i = 0; i < COUNT; i++) {
        heap_free(held[i]);
    }
    assert_true(free_frames() >= before - 1);
}

static void test_exhaustion(void **state)
{
    static void *held[20000];
    unsigned int count = 0;

    (void)state;
    while (count < 20000 && (held[count] = heap_alloc(3000)) != NULL) {
        count++;
    }
    assert_true(count < 20000);
    assert_null(heap_alloc(MIB));
    while (count > 0) {
        heap_free(held[--count]);
    }
    assert_non_null(heap_alloc(MIB));
}

static void test_misuse_is_noticed(void **state)
{
    uint8_t *p = heap_alloc(100);
    uint8_t *q;

    (void)state;
    p[100] = 1;
    EXPECT_PANIC(heap_free(p));
    assert_non_null(strstr(fire_alarm_text, "100 bytes was overrun"));

    q = heap_alloc(500);
    heap_free(q);
    q[40] = 1;
    EXPECT_PANIC(q = heap_alloc(500));
    assert_non_null(strstr(fire_alarm_text, "was written at +40"));

    q = heap_alloc(64);
    EXPECT_PANIC(heap_free(q + 16));
}

static void test_random(void **state)
{
    enum {
        SLOTS = 400
    };
    static uint8_t *held[SLOTS];
    static size_t size[SLOTS];

    (void)state;
    srand(3);
    for (unsigned int round = 0; round < 50000; round++) {
        unsigned int i = (unsigned int)rand() % SLOTS;

        if (held[i] != NULL) {
            for (size_t k = 0; k < size[i]; k++) {
                assert_int_equal(held[i][k], (uint8_t)i);
            }
            heap_free(held[i]);
            held[i] = NULL;
        } else {
            size[i] = (size_t)rand() % 3000;
            held[i] = heap_alloc(size[i]);
            assert_non_null(held[i]);
            memset(held[i], (int)i, size[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_big),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_pages_return),
        cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_misuse_is_noticed),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
