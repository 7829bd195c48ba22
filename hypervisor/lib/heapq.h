/* SPDX-License-Identifier: MIT */
/*
 * lib/heapq.h - binary heap of 64-bit keys, smallest first.
 *
 * Intrusive: the owner embeds a struct heapq_node, so an element can be taken
 * out of the middle.  The caller gives the array of pointers.  No lock.
 *
 * Invariant: no element's key is below its parent's; node->at is the node's
 * index in the array plus one, 0 while it is in no heap.
 */
#ifndef VIGIL_LIB_HEAPQ_H
#define VIGIL_LIB_HEAPQ_H

#include "lib/compiler.h"
#include "lib/types.h"

struct heapq_node {
    uint64_t key;
    unsigned int at; /* heapq only; 0: in no heap */
};

struct heapq {
    struct heapq_node **slots; /* caller's array */
    unsigned int max;
    unsigned int count;
};

/**
 * heapq_init() - an empty heap in the caller's array
 * @heap:  the heap
 * @slots: array of pointers
 * @max:   its number of elements
 *
 * Context: any.
 * Return:  nothing.
 */
void heapq_init(struct heapq *heap, struct heapq_node **slots,
                unsigned int max);

/**
 * heapq_insert() - put a node into the heap
 * @heap: the heap
 * @node: in no heap
 * @key:  its key
 *
 * Context: any; the owner's lock held.
 * Return:  0; -ENOMEM: the array is full; -EBUSY: @node is in a heap
 */
int heapq_insert(struct heapq *heap, struct heapq_node *node, uint64_t key)
    MUST_CHECK;

/**
 * heapq_remove() - take a node out of the heap, wherever it is
 * @heap: the heap
 * @node: nothing happens if it is in no heap
 *
 * Context: any; the owner's lock held.
 * Return:  nothing.
 */
void heapq_remove(struct heapq *heap, struct heapq_node *node);

/**
 * heapq_first() - the node with the smallest key
 * @heap: the heap
 *
 * Context: any; the owner's lock held.
 * Return:  the node, still in the heap; NULL: empty
 */
struct heapq_node *heapq_first(const struct heapq *heap);

#endif
