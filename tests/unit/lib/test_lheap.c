/* SPDX-License-Identifier: MIT */
/*
 * lib/lheap: order, shape, removal from the middle, the walk.
 */
#include "tests/unit/unit.h"

#include "lib/lheap.h"

#define N 300

static struct lheap_node node[N];

static uint32_t rank_of(const struct lheap_node *n)
{
    return n == NULL ? 0 : n->rank;
}

/* Every rule of the header, and that the walk meets each node once. */
static void invariant(const struct lheap *heap, unsigned int count)
{
    const struct lheap_node *n = heap->root;
    unsigned int seen = 0;

    assert_int_equal(n == NULL, count == 0);
    for (; n != NULL; n = lheap_next(n)) {
        seen++;
        assert_true(seen <= count);
        assert_true(rank_of(n->left) >= rank_of(n->right));
        assert_int_equal(n->rank, rank_of(n->right) + 1);
        if (n->parent == NULL) {
            assert_ptr_equal(n, heap->root);
        } else {
            assert_true(n->parent->key <= n->key);
            assert_true(n->parent->left == n || n->parent->right == n);
        }
    }
    assert_int_equal(seen, count);
}

static void random_steps(void **state)
{
    struct lheap heap = {NULL};
    unsigned int count = 0;

    (void)state;
    memset(node, 0, sizeof(node));
    srand(5);
    for (int step = 0; step < 20000; step++) {
        struct lheap_node *n = &node[rand() % N];

        if (lheap_holds(n)) {
            lheap_remove(&heap, n);
            assert_false(lheap_holds(n));
            count--;
        } else {
            n->key = (uint64_t)rand() % 1000;
            lheap_insert(&heap, n);
            count++;
        }
        invariant(&heap, count);
    }
}

static void drains_in_order(void **state)
{
    struct lheap heap = {NULL};
    uint64_t before = 0;

    (void)state;
    memset(node, 0, sizeof(node));
    for (unsigned int i = 0; i < N; i++) {
        node[i].key = i * 17 % 23;
        lheap_insert(&heap, &node[i]);
    }
    for (unsigned int i = 0; i < N; i++) {
        struct lheap_node *first = heap.root;

        assert_true(first->key >= before);
        before = first->key;
        lheap_remove(&heap, first);
    }
    assert_true(lheap_empty(&heap));
}

/* The right spine, which every operation walks, stays logarithmic. */
static void spine_is_short(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        struct lheap heap = {NULL};

        memset(node, 0, sizeof(node));
        for (unsigned int i = 0; i < N; i++) {
            node[i].key = order == 0 ? i : order == 1 ? N - i : i * 7919 % N;
            lheap_insert(&heap, &node[i]);
            /* 2^rank - 1 nodes at least are below a root of that rank. */
            assert_true((1U << heap.root->rank) - 1 <= i + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(drains_in_order),
        cmocka_unit_test(spine_is_short),
    };

    return UNIT_RUN(tests);
}
