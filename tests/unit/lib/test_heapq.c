/* SPDX-License-Identifier: MIT */
/*
 * lib/heapq: order, removal from the middle, refusals.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/heapq.h"

#define N 50

static void invariant(const struct heapq *heap)
{
    for (unsigned int i = 0; i < heap->count; i++) {
        assert_int_equal(heap->slots[i]->at, i + 1);
        if (i > 0) {
            assert_true(heap->slots[(i - 1) / 2]->key <= heap->slots[i]->key);
        }
    }
}

static void random_steps(void **state)
{
    struct heapq_node *slots[N];
    struct heapq_node node[N] = {{0, 0}};
    struct heapq heap;

    (void)state;
    srand(3);
    heapq_init(&heap, slots, N);
    for (int step = 0; step < 20000; step++) {
        struct heapq_node *n = &node[rand() % N];

        if (n->at == 0) {
            assert_int_equal(heapq_insert(&heap, n, (uint64_t)rand() % 100), 0);
        } else {
            heapq_remove(&heap, n);
            assert_int_equal(n->at, 0);
        }
        invariant(&heap);
        for (unsigned int i = 0; i < N; i++) {
            if (node[i].at != 0) {
                assert_true(heapq_first(&heap)->key <= node[i].key);
            }
        }
    }
}

static void drains_in_order(void **state)
{
    struct heapq_node *slots[N];
    struct heapq_node node[N] = {{0, 0}};
    struct heapq heap;
    uint64_t before = 0;

    (void)state;
    heapq_init(&heap, slots, N);
    for (unsigned int i = 0; i < N; i++) {
        assert_int_equal(heapq_insert(&heap, &node[i], i * 17 % 23), 0);
    }
    while (heapq_first(&heap) != NULL) {
        struct heapq_node *n = heapq_first(&heap);

        assert_true(n->key >= before);
        before = n->key;
        heapq_remove(&heap, n);
    }
}

static void refusals(void **state)
{
    struct heapq_node *slots[1];
    struct heapq_node a = {0, 0}, b = {0, 0};
    struct heapq heap;

    (void)state;
    heapq_init(&heap, slots, 1);
    assert_null(heapq_first(&heap));
    assert_int_equal(heapq_insert(&heap, &a, 1), 0);
    assert_int_equal(heapq_insert(&heap, &a, 2), -EBUSY);
    assert_int_equal(heapq_insert(&heap, &b, 2), -ENOMEM);
    heapq_remove(&heap, &b);
    assert_ptr_equal(heapq_first(&heap), &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(drains_in_order),
        cmocka_unit_test(refusals),
    };

    return UNIT_RUN(tests);
}
