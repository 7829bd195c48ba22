/* SPDX-License-Identifier: MIT */
/*
 * lib/lheap.h - leftist heap of 64-bit keys, smallest first.
 *
 * Intrusive and without an array: the owner embeds a struct lheap_node, so
 * nothing bounds the number of elements and nothing is allocated.  Insertion
 * and removal, also out of the middle, take O(log n) steps at worst; insertion
 * of a key larger than all others, the usual case of a queue, takes a few.
 * No lock.
 *
 * Invariants: no element's key is below its parent's; rank is the number of
 * nodes on the way to the nearest missing child, by right children; a left
 * child's rank is not below its sister's.  rank 0: in no heap.
 */
#ifndef VIGIL_LIB_LHEAP_H
#define VIGIL_LIB_LHEAP_H

#include "lib/compiler.h"
#include "lib/types.h"

struct lheap_node {
    struct lheap_node *parent, *left, *right;
    uint64_t key;  /* the owner may change it while in no heap */
    uint32_t rank; /* lheap only; 0: in no heap                */
};

/* All zero is an empty heap. */
struct lheap {
    struct lheap_node *root; /* smallest key; NULL: empty */
};

static inline bool lheap_empty(const struct lheap *heap)
{
    return heap->root == NULL;
}

static inline bool lheap_holds(const struct lheap_node *node)
{
    return node->rank != 0;
}

/* The usual cases of a short queue, without a call: @heap is empty ... */
static inline void lheap_insert_only(struct lheap *heap,
                                     struct lheap_node *node)
{
    node->parent = node->left = node->right = NULL;
    node->rank = 1;
    heap->root = node;
}

/* ... and @node is all there is in it. */
static inline bool lheap_holds_only(const struct lheap *heap,
                                    const struct lheap_node *node)
{
    return heap->root == node && node->left == NULL;
}

static inline void lheap_remove_only(struct lheap *heap,
                                     struct lheap_node *node)
{
    node->rank = 0;
    heap->root = NULL;
}

/**
 * lheap_insert() - put a node into the heap by its key
 * @heap: the heap
 * @node: in no heap, key set; goes behind those of the same key it meets
 *
 * Context: any; the owner's lock held.
 * Return:  nothing.
 */
void lheap_insert(struct lheap *heap, struct lheap_node *node);

/**
 * lheap_remove() - take a node out, wherever it is
 * @heap: the heap that holds it
 * @node: in that heap
 *
 * Context: any; the owner's lock held.
 * Return:  nothing.
 */
void lheap_remove(struct lheap *heap, struct lheap_node *node);

/**
 * lheap_next() - walk all nodes, parents before children
 * @node: where the walk is; begin with the root
 *
 * Context: any; the owner's lock held, the heap unchanged during the walk.
 * Return:  the next one; NULL: @node was the last
 */
struct lheap_node *lheap_next(const struct lheap_node *node);

#endif
