/* SPDX-License-Identifier: MIT */
/*
 * lib/lheap.c - leftist heap.  Two heaps are merged along their right spines,
 * which have at most log2(n + 1) nodes each.
 */
#include "lib/lheap.h"

static uint32_t rank_of(const struct lheap_node *node)
{
    return node == NULL ? 0 : node->rank;
}

/* The children of @node are right: make itself so. */
static void settle(struct lheap_node *node)
{
    struct lheap_node *left = node->left, *right = node->right;

    if (rank_of(left) < rank_of(right)) {
        node->left = right;
        node->right = left;
    }
    node->rank = rank_of(node->right) + 1;
}

/* Of two heaps one; its root's parent is left to the caller. */
static struct lheap_node *merge(struct lheap_node *a, struct lheap_node *b)
{
    struct lheap_node *root;

    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    if (b->key < a->key) {
        struct lheap_node *t = a;

        a = b;
        b = t;
    }
    root = a;
    for (;;) {
        struct lheap_node *right = a->right;

        if (right == NULL || b->key < right->key) {
            a->right = b;
            b->parent = a;
            if (right == NULL) {
                break;
            }
            a = b;
            b = right;
        } else {
            a = right;
        }
    }
    for (; a != root; a = a->parent) {
        settle(a);
    }
    settle(root);
    return root;
}

void lheap_insert(struct lheap *heap, struct lheap_node *node)
{
    node->left = NULL;
    node->right = NULL;
    node->rank = 1;
    if (heap->root != NULL) {
        node = merge(heap->root, node);
    }
    node->parent = NULL;
    heap->root = node;
}

void lheap_remove(struct lheap *heap, struct lheap_node *node)
{
    struct lheap_node *parent = node->parent;
    struct lheap_node *rest = merge(node->left, node->right);

    node->rank = 0;
    if (rest != NULL) {
        rest->parent = parent;
    }
    if (parent == NULL) {
        heap->root = rest;
        return;
    }
    if (parent->left == node) {
        parent->left = rest;
    } else {
        parent->right = rest;
    }
    /* Ranks grow by one a step upwards, so this ends after log2(n). */
    for (; parent != NULL; parent = parent->parent) {
        uint32_t before = parent->rank;

        settle(parent);
        if (parent->rank == before) {
            break;
        }
    }
}

struct lheap_node *lheap_next(const struct lheap_node *node)
{
    struct lheap_node *parent;

    if (node->left != NULL) {
        return node->left; /* no node has a right child alone */
    }
    while ((parent = node->parent) != NULL) {
        if (parent->left == node && parent->right != NULL) {
            return parent->right;
        }
        node = parent;
    }
    return NULL;
}
