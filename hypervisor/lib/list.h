/* SPDX-License-Identifier: MIT */
/*
 * lib/list.h - intrusive, circular, doubly linked list.
 * The head is a node of its own; an empty list points at itself.
 */
#ifndef VIGIL_LIB_LIST_H
#define VIGIL_LIB_LIST_H

#include "lib/compiler.h"
#include "lib/types.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert_(struct list *node, struct list *prev,
                                struct list *next)
{
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}

static inline void list_add(struct list *head, struct list *node)
{
    list_insert_(node, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
    list_insert_(node, head->prev, head);
}

/* Unlink @node and leave it pointing at itself (safe to delete again). */
static inline void list_del(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_for_each(pos, head)                                               \
    for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define list_for_each_safe(pos, tmp, head)                                     \
    for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head);           \
         (pos) = (tmp), (tmp) = (pos)->next)

#endif
