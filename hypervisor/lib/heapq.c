/* SPDX-License-Identifier: MIT */
/*
 * lib/heapq.c - binary heap: the children of slot i are 2i + 1 and 2i + 2.
 */
#include "lib/heapq.h"

#include "lib/errno.h"

void heapq_init(struct heapq *heap, struct heapq_node **slots, unsigned int max)
{
    heap->slots = slots;
    heap->max = max;
    heap->count = 0;
}

static void place(struct heapq *heap, struct heapq_node *node, unsigned int i)
{
    heap->slots[i] = node;
    node->at = i + 1;
}

/* Move @node from the free slot @i towards the root as far as it belongs. */
static unsigned int sift_up(struct heapq *heap, struct heapq_node *node,
                            unsigned int i)
{
    while (i > 0) {
        unsigned int parent = (i - 1) / 2;

        if (heap->slots[parent]->key <= node->key) {
            break;
        }
        place(heap, heap->slots[parent], i);
        i = parent;
    }
    place(heap, node, i);
    return i;
}

/* Move @node from the free slot @i towards the leaves. */
static void sift_down(struct heapq *heap, struct heapq_node *node,
                      unsigned int i)
{
    for (;;) {
        unsigned int child = 2 * i + 1;

        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            heap->slots[child + 1]->key < heap->slots[child]->key) {
            child++;
        }
        if (heap->slots[child]->key >= node->key) {
            break;
        }
        place(heap, heap->slots[child], i);
        i = child;
    }
    place(heap, node, i);
}

int heapq_insert(struct heapq *heap, struct heapq_node *node, uint64_t key)
{
    if (node->at != 0) {
        return -EBUSY;
    }
    if (heap->count == heap->max) {
        return -ENOMEM;
    }
    node->key = key;
    sift_up(heap, node, heap->count++);
    return 0;
}

void heapq_remove(struct heapq *heap, struct heapq_node *node)
{
    unsigned int hole = node->at - 1;
    struct heapq_node *last;

    if (node->at == 0) {
        return;
    }
    node->at = 0;
    last = heap->slots[--heap->count];
    if (last == node) {
        return;
    }
    /* The last one fills the hole; it may belong above or below it. */
    if (sift_up(heap, last, hole) == hole) {
        sift_down(heap, last, hole);
    }
}

struct heapq_node *heapq_first(const struct heapq *heap)
{
    return heap->count == 0 ? NULL : heap->slots[0];
}
